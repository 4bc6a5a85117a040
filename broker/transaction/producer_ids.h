/// Hands out producer ids that are unique for ever: whole blocks are reserved durably before their first id is given
/// away, in the file producer-ids of the log directory (docs/formats/producer-ids.md). A restart skips what is left of
/// a block.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>

#include "broker/server/services.h"
#include "core/error.h"
#include "core/file_system.h"

namespace millrace {

/// Threads: any. Co-owned by its work on the executor, so only FileSystem and Executor must outlive that.
class ProducerIds : public std::enable_shared_from_this<ProducerIds> {
 public:
  static constexpr int64_t kBlock = 1000;
  using Done = std::function<void(Expected<int64_t>)>;

  /// `used_max`: the largest id met in the logs of this directory (-1: none), for directories that Kafka has written.
  /// Errors: kCorruption naming the file, kUnavailable.
  static Expected<std::shared_ptr<ProducerIds>> open(FileSystem& fs, Executor& executor, const Path& directory,
                                                     int64_t used_max);

  /// Calls `done` with a fresh id: before it returns while the block lasts, else once the next block is reserved, on a
  /// background thread. Errors: kUnavailable.
  void allocate(Done done);
  /// Fails those who wait (kStopped).
  void stop();

 private:
  ProducerIds(FileSystem& fs, Executor& executor, Path path, int64_t next_block)
      : fs_(fs), executor_(executor), path_(std::move(path)), next_block_(next_block) {}
  void reserve_block();

  FileSystem& fs_;
  Executor& executor_;
  const Path path_;
  std::mutex mutex_;
  int64_t next_ = 0;
  int64_t end_ = 0;  // of the block in use
  int64_t next_block_;
  bool reserving_ = false;
  std::deque<Done> waiting_;
};

}  // namespace millrace
