#include "broker/group/group_offsets.h"

namespace millrace {

std::optional<CommittedOffset> GroupOffsets::find(const PartitionKey& key) const {
  const auto found = committed_.find(key);
  if (found == committed_.end()) return std::nullopt;
  return found->second;
}

bool GroupOffsets::unstable(const PartitionKey& key) const {
  for (const auto& [producer, offsets] : pending_) {
    if (offsets.contains(key)) return true;
  }
  return false;
}

void GroupOffsets::put_pending(int64_t producer_id, const PartitionKey& key, CommittedOffset committed) {
  pending_[producer_id][key] = std::move(committed);
}

void GroupOffsets::complete(int64_t producer_id, bool commit) {
  const auto found = pending_.find(producer_id);
  if (found == pending_.end()) return;
  const Map offsets = std::move(found->second);
  pending_.erase(found);
  if (!commit) return;
  for (const auto& [key, committed] : offsets) {
    CommittedOffset& now = committed_[key];
    if (now.record_offset < committed.record_offset) now = committed;
  }
}

void GroupOffsets::erase(const PartitionKey& key) {
  committed_.erase(key);
  for (auto& [producer, offsets] : pending_) offsets.erase(key);
  std::erase_if(pending_, [](const auto& each) { return each.second.empty(); });
}

void GroupOffsets::end(const PartitionKey& key) {
  const auto found = in_flight_.find(key);
  if (found != in_flight_.end() && --found->second == 0) in_flight_.erase(found);
}

std::set<PartitionKey> GroupOffsets::all_keys() const {
  std::set<PartitionKey> keys;
  for (const auto& [key, committed] : committed_) keys.insert(key);
  for (const auto& [producer, offsets] : pending_) {
    for (const auto& [key, committed] : offsets) keys.insert(key);
  }
  for (const auto& [key, count] : in_flight_) keys.insert(key);
  return keys;
}

std::vector<PartitionKey> GroupOffsets::expired(const Age& age) const {
  std::vector<PartitionKey> keys;
  for (const auto& [key, committed] : committed_) {
    if (in_flight_.contains(key) || unstable(key)) continue;
    bool old = false;
    if (committed.expire_ms >= 0) {
      old = age.now_ms >= committed.expire_ms;
    } else if (age.simple) {
      old = age.now_ms - committed.commit_ms >= age.retention_ms;
    } else if (age.state == GroupState::kEmpty) {
      // Counted from when the last member left; commits of an administrator count too.
      const int64_t since = age.state_ms < 0 ? committed.commit_ms : age.state_ms;
      old = age.now_ms - since >= age.retention_ms;
    } else if (age.state == GroupState::kStable && age.subscribed != nullptr) {
      old = !age.subscribed->contains(key.first) && age.now_ms - committed.commit_ms >= age.retention_ms;
    }
    if (old) keys.push_back(key);
  }
  return keys;
}

}  // namespace millrace
