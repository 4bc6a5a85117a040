/// What one group has committed, and what transactions have committed in it that are still open.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "broker/group/group_types.h"
#include "log/log_manager.h"  // PartitionKey

namespace millrace {

struct CommittedOffset {
  int64_t offset = 0;
  int32_t leader_epoch = -1;
  std::string metadata;
  int64_t commit_ms = 0;
  int64_t expire_ms = -1;      ///< -1 = by the group's rules; else asked for by an old client
  int64_t record_offset = -1;  ///< where the record lies in its partition of __consumer_offsets
};

/// Threads: one at a time (the coordinator's lock). Changes come in the order of the log, when they are durable, so
/// that this is what a restart would read.
class GroupOffsets {
 public:
  using Map = std::map<PartitionKey, CommittedOffset>;

  const Map& committed() const { return committed_; }
  std::optional<CommittedOffset> find(const PartitionKey& key) const;
  /// Whether an open transaction holds an offset for `key`.
  bool unstable(const PartitionKey& key) const;
  /// No offsets, none on their way to the log, none in a transaction.
  bool empty() const { return committed_.empty() && pending_.empty() && in_flight_.empty(); }

  void put(const PartitionKey& key, CommittedOffset committed) { committed_[key] = std::move(committed); }
  void put_pending(int64_t producer_id, const PartitionKey& key, CommittedOffset committed);
  /// Ends the producer's transaction. A commit that was logged after the transaction's stays.
  void complete(int64_t producer_id, bool commit);
  void erase(const PartitionKey& key);

  /// Counts a commit of `key` whose record is on its way to the disk.
  void begin(const PartitionKey& key) { ++in_flight_[key]; }
  void end(const PartitionKey& key);
  /// Everything a deletion of the group has to write tombstones for.
  std::set<PartitionKey> all_keys() const;

  /// What no one has asked for in time. `subscribed` null: the group's topics are not known.
  struct Age {
    int64_t now_ms = 0;
    int64_t retention_ms = 0;
    GroupState state = GroupState::kEmpty;
    bool simple = false;  ///< only keeps offsets, never had members
    int64_t state_ms = -1;
    const std::set<std::string>* subscribed = nullptr;
  };
  std::vector<PartitionKey> expired(const Age& age) const;

 private:
  Map committed_;
  std::map<int64_t, Map> pending_;  // by producer id
  std::map<PartitionKey, int> in_flight_;
};

}  // namespace millrace
