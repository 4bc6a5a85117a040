/// Committed offsets of consumer groups, kept in the topic __consumer_offsets in Kafka's own records (key version 1,
/// value version 3; versions 0 to 4 are read) and in memory.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/error.h"
#include "log/log_manager.h"

namespace millrace {

struct CommittedOffset {
  int64_t offset = 0;
  int32_t leader_epoch = -1;
  std::string metadata;
  int64_t commit_ms = 0;
};

/// Threads: any. `partition_log` finds or makes a partition of __consumer_offsets.
class GroupOffsets {
 public:
  using PartitionLogOf = std::function<Expected<std::shared_ptr<PartitionLog>>(int32_t partition)>;
  using Offsets = std::map<PartitionKey, CommittedOffset>;
  GroupOffsets(Clock& clock, int32_t partitions, PartitionLogOf partition_log)
      : clock_(clock), partitions_(partitions), partition_log_(std::move(partition_log)) {}

  /// Replays one partition of the topic into memory. Errors: kCorruption, kBadRecord, kUnavailable.
  Status load(const PartitionLog& log);

  /// Durable when it returns. Errors: kUnavailable, kBadRecord.
  Status commit(const std::string& group, const Offsets& offsets);
  std::optional<CommittedOffset> find(const std::string& group, const PartitionKey& partition) const;
  Offsets group(const std::string& group) const;
  std::vector<std::string> groups() const;
  /// Writes tombstones; unknown ones are no error. Durable when it returns.
  Status remove(const std::string& group, const std::vector<PartitionKey>& partitions);
  /// Forgets what all groups committed for `topic`.
  Status remove_topic(const std::string& topic);

 private:
  Status append_and_wait(const std::string& group, RecordBatchBuilder batch);
  void replay(const RecordView& record);
  Clock& clock_;
  const int32_t partitions_;
  PartitionLogOf partition_log_;
  mutable std::mutex mutex_;
  std::map<std::string, Offsets> groups_;
};

}  // namespace millrace
