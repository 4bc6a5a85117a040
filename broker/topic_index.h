/// Topics as requests look them up: by name or id to the logs of their partitions, without a lock that others hold.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "log/partition_log.h"
#include "protocol/wire.h"

namespace millrace {

/// One topic at one moment; a change of the topic makes a new entry. Threads: any (immutable).
struct TopicEntry {
  std::string name;
  Uuid id;
  bool internal = false;
  /// By partition. Null where __consumer_offsets has not been written to yet: Broker::log() makes those.
  std::vector<std::shared_ptr<PartitionLog>> logs;

  bool has(int32_t partition) const { return partition >= 0 && static_cast<size_t>(partition) < logs.size(); }
  /// Null for a partition that does not exist or has no log yet.
  const std::shared_ptr<PartitionLog>& log(int32_t partition) const {
    static const std::shared_ptr<PartitionLog> kNone;
    return has(partition) ? logs[static_cast<size_t>(partition)] : kNone;
  }
};

/// Read at every request, changed with topics: a reader takes a snapshot of a shard, a writer replaces it. Shards keep
/// the copy small where there are many topics. Threads: any.
class TopicIndex {
 public:
  /// Null when unknown.
  std::shared_ptr<const TopicEntry> find(std::string_view name) const;
  std::shared_ptr<const TopicEntry> find(const Uuid& id) const;

  /// Adds the entry or replaces that of the same name.
  void put(std::shared_ptr<const TopicEntry> entry);
  void remove(std::string_view name);

 private:
  static constexpr size_t kShards = 64;
  struct UuidHash {
    size_t operator()(const Uuid& id) const;
  };
  using Entry = std::shared_ptr<const TopicEntry>;             // co-owned by requests under way
  using ByName = std::unordered_map<std::string_view, Entry>;  // keys point into the entries
  using ById = std::unordered_map<Uuid, Entry, UuidHash>;
  template <class Map>
  using Shards = std::array<std::atomic<std::shared_ptr<const Map>>, kShards>;

  template <class Map, class Change>
  static void replace(std::atomic<std::shared_ptr<const Map>>& shard, Change change);

  std::mutex change_mutex_;  // one writer at a time
  Shards<ByName> by_name_;
  Shards<ById> by_id_;
};

}  // namespace millrace
