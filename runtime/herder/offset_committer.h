/// The thread that stores the offsets of sources while they run, and keeps Kafka Connect's offset file in step.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "core/logger.h"
#include "runtime/offset_file.h"
#include "runtime/offset_store.h"
#include "runtime/worker_task.h"

namespace millrace {

/// offset.storage.file.filename: a copy of the offset store in Kafka Connect's own file, so that one can come from
/// Kafka Connect and go back. Threads: any.
class OffsetFileKeeper {
 public:
  /// `files` and `offsets` outlive this. At most one write in `interval`, but for flush().
  OffsetFileKeeper(FileSystem& files, Path path, OffsetStore& offsets, std::chrono::milliseconds interval,
                   Logger logger)
      : files_(files), path_(std::move(path)), offsets_(offsets), interval_(interval), logger_(std::move(logger)) {}

  /// Takes over the file's offsets of partitions that the store knows nothing of. Errors: kCorruption, kUnavailable.
  Status import();
  /// Writes the file if the store has changed and the interval has passed.
  void tick();
  /// Writes it now if the store has changed.
  void flush();

 private:
  void write_if_changed();

  FileSystem& files_;
  const Path path_;
  OffsetStore& offsets_;
  const std::chrono::milliseconds interval_;
  const Logger logger_;
  std::mutex mutex_;
  uint64_t written_version_ = 0;
  std::chrono::steady_clock::time_point last_write_{};
};

/// Threads: one starts and stops it.
class OffsetCommitter {
 public:
  using Tasks = std::function<std::vector<std::shared_ptr<WorkerTask>>()>;
  /// `tasks` are those whose offsets are to be stored; `file` may be null.
  OffsetCommitter(std::chrono::milliseconds interval, Tasks tasks, OffsetFileKeeper* file, Logger logger);
  ~OffsetCommitter() { stop(); }
  void stop();

 private:
  void run();
  void commit_all();

  const std::chrono::milliseconds interval_;
  const Tasks tasks_;
  OffsetFileKeeper* const file_;
  const Logger logger_;
  StopSignal stop_;
  std::thread thread_;
};

}  // namespace millrace
