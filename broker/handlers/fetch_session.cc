#include "broker/handlers/fetch_session.h"

#include <algorithm>
#include <random>

namespace millrace {
namespace {

constexpr std::chrono::minutes kEvictableAfter{2};

}  // namespace

size_t FetchSession::KeyHash::operator()(const Key& key) const {
  const std::string_view id(reinterpret_cast<const char*>(key.topic_id.bytes.data()), key.topic_id.bytes.size());
  const std::hash<std::string_view> hash;
  return hash(key.topic) * 31 + hash(id) * 7 + static_cast<size_t>(key.partition);
}

void FetchSession::update(const FetchRequest& request) {
  for (const auto& topic : request.topics) {
    for (const auto& asked : topic.partitions) {
      Key key{std::string(topic.topic), topic.topic_id, asked.partition};
      auto known = by_key_.find(key);
      if (known == by_key_.end()) {
        auto added = std::make_shared<FetchSessionPartition>();
        added->topic = key.topic;
        added->topic_id = key.topic_id;
        added->partition = key.partition;
        known = by_key_.emplace(std::move(key), partitions_.insert(partitions_.end(), std::move(added))).first;
      }
      FetchSessionPartition& partition = **known->second;
      partition.fetch_offset = asked.fetch_offset;
      partition.bytes_max = asked.partition_max_bytes;
      partition.leader_epoch = asked.current_leader_epoch;
      partition.last_fetched_epoch = asked.last_fetched_epoch;
    }
  }
  for (const auto& topic : request.forgotten_topics_data) {
    for (const int32_t partition : topic.partitions) {
      const auto known = by_key_.find(Key{std::string(topic.topic), topic.topic_id, partition});
      if (known == by_key_.end()) continue;
      partitions_.erase(known->second);
      by_key_.erase(known);
    }
  }
}

void FetchSession::move_to_end(const FetchSessionPartition& partition) {
  const auto known = by_key_.find(Key{partition.topic, partition.topic_id, partition.partition});
  if (known != by_key_.end()) partitions_.splice(partitions_.end(), partitions_, known->second);
}

std::shared_ptr<FetchSession> FetchSessionCache::find(int32_t id) {
  std::lock_guard lock(mutex_);
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return nullptr;
  found->second.last_used = clock_.monotonic();
  return found->second.session;
}

bool FetchSessionCache::make_room(size_t partitions, std::chrono::nanoseconds now) {
  if (sessions_.size() < slots_) return true;
  if (sessions_.empty()) return false;
  const auto oldest = std::min_element(sessions_.begin(), sessions_.end(), [](const auto& a, const auto& b) {
    return a.second.last_used < b.second.last_used;
  });
  if (now - oldest->second.last_used > kEvictableAfter) return sessions_.erase(oldest), true;
  const auto smallest = std::min_element(sessions_.begin(), sessions_.end(), [](const auto& a, const auto& b) {
    return a.second.partitions < b.second.partitions;
  });
  if (smallest->second.partitions >= partitions || now - smallest->second.session->created() <= kEvictableAfter)
    return false;
  sessions_.erase(smallest);
  return true;
}

std::shared_ptr<FetchSession> FetchSessionCache::create(bool uses_topic_ids, size_t partitions) {
  const auto now = clock_.monotonic();
  std::lock_guard lock(mutex_);
  if (!make_room(partitions, now)) return nullptr;
  // Random ids: a client of an earlier process must not meet another's session.
  std::random_device random;
  std::uniform_int_distribution<int32_t> positive(1, INT32_MAX);
  int32_t id = positive(random);
  while (sessions_.contains(id)) id = positive(random);
  auto session = std::make_shared<FetchSession>(id, uses_topic_ids, now);
  sessions_.emplace(id, Slot{session, now, partitions});
  return session;
}

void FetchSessionCache::remove(int32_t id) {
  std::lock_guard lock(mutex_);
  sessions_.erase(id);
}

size_t FetchSessionCache::size() const {
  std::lock_guard lock(mutex_);
  return sessions_.size();
}

}  // namespace millrace
