/// All partition logs of one log directory: locking it against other processes, opening and recovering the logs,
/// checkpoints, retention, compaction, creation and deletion. Layout: docs/formats/segment.md.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "log/cleaner.h"
#include "log/group_committer.h"
#include "log/partition_log.h"

namespace millrace {

using PartitionKey = std::pair<std::string, int32_t>;

/// Threads: any. Must not outlive FileSystem and Clock.
class LogManager {
 public:
  struct Options {
    Path directory;
    /// The configuration of a topic found on disk.
    std::function<LogConfig(const std::string& topic)> config_of = [](const std::string&) { return LogConfig{}; };
    std::set<std::string> ignored;  ///< topics whose folders are somebody else's: neither opened nor cleaned
    std::chrono::milliseconds retention_interval{300'000};
    std::chrono::milliseconds checkpoint_interval{60'000};
    bool background = true;  ///< run retention, checkpoints and compaction on threads
    bool cleaner = true;     ///< log.cleaner.enable
    CleanerOptions cleaner_options = {};
    std::chrono::milliseconds cleaner_backoff{15'000};  ///< log.cleaner.backoff.ms
  };

  /// Errors: kConflict when another process uses the directory; kUnavailable when it cannot be read or written (the
  /// message says what to do); kCorruption of a log.
  static Expected<std::unique_ptr<LogManager>> open(FileSystem& fs, Clock& clock, Logger logger, Options options);
  /// close(), ignoring errors.
  ~LogManager();
  LogManager(const LogManager&) = delete;

  std::shared_ptr<PartitionLog> find(const std::string& topic, int32_t partition) const;  ///< null when absent
  /// Finds or creates the log; an empty `topic_id` writes no partition.metadata.
  Expected<std::shared_ptr<PartitionLog>> create(const std::string& topic, int32_t partition, const LogConfig& config,
                                                 std::string_view topic_id);
  /// Fails the log's waiters and deletes its folder. Absent is no error.
  Status remove(const std::string& topic, int32_t partition);
  std::vector<PartitionKey> partitions() const;
  const Path& directory() const { return options_.directory; }

  Status write_checkpoints();
  void apply_retention();
  /// Compacts the log that needs it most, one round; false when none does. Errors: those of LogCleaner::clean().
  Expected<bool> clean_once();
  /// Flushes and closes all logs, writes the checkpoints and the clean shutdown marker, and unlocks the directory.
  Status close();

 private:
  LogManager(FileSystem& fs, Clock& clock, Logger logger, Options options);
  Status lock_directory();
  Status load();
  Expected<std::shared_ptr<PartitionLog>> open_log(const PartitionKey& key, const LogConfig& config,
                                                   const LogOpenOptions& options);
  void run_background();
  void run_cleaner();
  void maintain_all();
  Status write_cleaner_checkpoint();
  void flush_all();
  std::vector<std::pair<PartitionKey, std::shared_ptr<PartitionLog>>> all() const;
  Path folder(const PartitionKey& key) const;

  FileSystem& fs_;
  Clock& clock_;
  Logger logger_;
  Options options_;
  std::unique_ptr<File> lock_file_;
  GroupCommitter committer_;
  mutable std::mutex mutex_;
  std::mutex checkpoint_mutex_;
  std::map<PartitionKey, std::shared_ptr<PartitionLog>> logs_;  // co-owned by callers and by the committer's queue
  std::condition_variable stop_;
  std::condition_variable cleaner_stop_;
  std::atomic<bool> stopping_ = false;  // asked by the cleaner between batches
  bool closed_ = false;
  OffsetCheckpoint clean_offsets_;      // guarded by mutex_: up to where logs have been compacted
  std::set<PartitionKey> uncleanable_;  // guarded by mutex_: until the next start
  std::mutex cleaner_mutex_;            // taken before mutex_: one round at a time
  LogCleaner cleaner_;
  std::thread background_;
  std::thread cleaner_thread_;
};

}  // namespace millrace
