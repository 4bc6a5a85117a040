/// Fetch sessions (KIP-227): what a client fetches is remembered, so that its requests name only partitions that
/// change, and answers only partitions that have something new.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "protocol/messages/fetch.h"

namespace millrace {

/// One partition that a client reads, as the client has last described it and as it has last been told.
struct FetchSessionPartition {
  std::string topic;  ///< empty for requests with topic ids
  Uuid topic_id;      ///< zero for requests with names
  int32_t partition = 0;
  int64_t fetch_offset = 0;
  int32_t bytes_max = 0;
  int32_t leader_epoch = -1;
  int32_t last_fetched_epoch = -1;
  int64_t told_high_watermark = -1;
  int64_t told_log_start = -1;
};

/// Threads: any; everything but the constants under `mutex`.
class FetchSession {
 public:
  FetchSession(int32_t id, bool uses_topic_ids, std::chrono::nanoseconds created)
      : id_(id), uses_topic_ids_(uses_topic_ids), created_(created) {}

  int32_t id() const { return id_; }
  bool uses_topic_ids() const { return uses_topic_ids_; }
  std::chrono::nanoseconds created() const { return created_; }

  std::mutex mutex;
  // --- under the mutex ---
  using Partition = std::shared_ptr<FetchSessionPartition>;  // co-owned by fetches under way

  int32_t next_epoch = 1;
  const std::list<Partition>& partitions() const { return partitions_; }
  /// Adds the request's partitions or changes those known, and drops the forgotten.
  void update(const FetchRequest& request);
  /// Partitions that have got records go to the end, so that others come first next time.
  void move_to_end(const FetchSessionPartition& partition);
  void advance_epoch() { next_epoch = next_epoch == INT32_MAX ? 1 : next_epoch + 1; }

 private:
  struct Key {
    std::string topic;
    Uuid topic_id;
    int32_t partition;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    size_t operator()(const Key& key) const;
  };

  const int32_t id_;
  const bool uses_topic_ids_;
  const std::chrono::nanoseconds created_;
  std::list<Partition> partitions_;  // in the order in which they are served
  std::unordered_map<Key, std::list<Partition>::iterator, KeyHash> by_key_;
};

/// Threads: any. The clock outlives it.
class FetchSessionCache {
 public:
  FetchSessionCache(const Clock& clock, size_t slots) : clock_(clock), slots_(slots) {}

  /// Null when unknown. Counts as a use.
  std::shared_ptr<FetchSession> find(int32_t id);
  /// A new session for `partitions` partitions, in the place of one that was unused for two minutes, or of a smaller
  /// one that is two minutes old. Null when every slot is taken.
  std::shared_ptr<FetchSession> create(bool uses_topic_ids, size_t partitions);
  void remove(int32_t id);
  size_t size() const;

 private:
  struct Slot {
    std::shared_ptr<FetchSession> session;  // co-owned by fetches under way
    std::chrono::nanoseconds last_used;
    size_t partitions;
  };
  bool make_room(size_t partitions, std::chrono::nanoseconds now);

  const Clock& clock_;
  const size_t slots_;
  mutable std::mutex mutex_;
  std::unordered_map<int32_t, Slot> sessions_;
};

}  // namespace millrace
