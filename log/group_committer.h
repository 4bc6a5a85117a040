/// Group commit: one thread syncs all partitions that became dirty while it synced the ones before, so the cost of an
/// fdatasync is shared by everything that waits for it, and an idle log is synced at once.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>
#include <unordered_set>
#include <vector>

#include "log/partition_log.h"

namespace millrace {

/// Threads: any. Must outlive the logs that were given it.
class GroupCommitter final : public Committer {
 public:
  GroupCommitter();
  /// Syncs what is still dirty.
  ~GroupCommitter() override;

  void dirty(std::shared_ptr<PartitionLog> log) override;

 private:
  void run();
  std::mutex mutex_;
  std::condition_variable filled_;
  std::vector<std::shared_ptr<PartitionLog>> dirty_;  // co-owned until flushed, whoever else lets go
  std::unordered_set<const PartitionLog*> queued_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace millrace
