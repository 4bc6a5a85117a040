#include "broker/topic_index.h"

#include <cstring>

namespace millrace {
namespace {

size_t name_shard(std::string_view name, size_t shards) { return std::hash<std::string_view>{}(name) % shards; }

}  // namespace

/// Ids are random, so any eight of their bytes are a hash.
size_t TopicIndex::UuidHash::operator()(const Uuid& id) const {
  size_t hash;
  std::memcpy(&hash, id.bytes.data() + id.bytes.size() - sizeof(hash), sizeof(hash));
  return hash;
}

std::shared_ptr<const TopicEntry> TopicIndex::find(std::string_view name) const {
  const auto names = by_name_[name_shard(name, kShards)].load(std::memory_order_acquire);
  if (names == nullptr) return nullptr;
  const auto found = names->find(name);
  return found == names->end() ? nullptr : found->second;
}

std::shared_ptr<const TopicEntry> TopicIndex::find(const Uuid& id) const {
  const auto ids = by_id_[UuidHash{}(id) % kShards].load(std::memory_order_acquire);
  if (ids == nullptr) return nullptr;
  const auto found = ids->find(id);
  return found == ids->end() ? nullptr : found->second;
}

template <class Map, class Change>
void TopicIndex::replace(std::atomic<std::shared_ptr<const Map>>& shard, Change change) {
  const auto before = shard.load(std::memory_order_acquire);
  auto after = before == nullptr ? std::make_shared<Map>() : std::make_shared<Map>(*before);
  change(*after);
  shard.store(std::move(after), std::memory_order_release);
}

void TopicIndex::put(std::shared_ptr<const TopicEntry> entry) {
  std::lock_guard lock(change_mutex_);
  const Entry known = find(entry->name);
  // One step for readers: a topic that changes is never away. The key is taken out first as it points into the old
  // entry.
  replace(by_name_[name_shard(entry->name, kShards)], [&](ByName& names) {
    names.erase(entry->name);
    names.emplace(entry->name, entry);
  });
  if (known != nullptr && known->id != entry->id) {
    replace(by_id_[UuidHash{}(known->id) % kShards], [&](ById& ids) { ids.erase(known->id); });
  }
  if (entry->id.is_zero()) return;
  replace(by_id_[UuidHash{}(entry->id) % kShards], [&](ById& ids) { ids.insert_or_assign(entry->id, entry); });
}

void TopicIndex::remove(std::string_view name) {
  std::lock_guard lock(change_mutex_);
  const Entry known = find(name);
  if (known == nullptr) return;
  replace(by_name_[name_shard(name, kShards)], [&](ByName& names) { names.erase(name); });
  replace(by_id_[UuidHash{}(known->id) % kShards], [&](ById& ids) { ids.erase(known->id); });
}

}  // namespace millrace
