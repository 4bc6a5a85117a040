#include "broker/group_membership.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

namespace millrace {

struct GroupMembership::Member {
  GroupSubscription subscription;
  std::unique_ptr<re2::RE2> pattern;
  LogListener* wake = nullptr;
  int32_t generation = -1;  // whose assignment it works on; -1 = none yet
  bool holds = false;       // has partitions of an older generation that it must give up first
  std::vector<PartitionKey> assignment;
};

struct GroupMembership::Group {
  int32_t generation = 0;
  bool assigned = false;  // all members have given up the old generation, and `assignment` is the new one
  std::chrono::nanoseconds deadline{};
  std::map<std::string, std::map<std::string, int32_t>> seen_topics;  // by member: what the assignment was made from
  std::map<std::string, Member> members;
};

GroupMembership::GroupMembership(Options options) : options_(options) {}
GroupMembership::GroupMembership() : GroupMembership(Options{}) {}
GroupMembership::~GroupMembership() = default;

std::set<std::string> GroupMembership::topics_of(const Member& member) const {
  std::set<std::string> topics;
  for (const auto& [name, partitions] : topics_) {
    const bool wanted =
        member.pattern ? re2::RE2::FullMatch(name, *member.pattern) : member.subscription.topics.contains(name);
    if (wanted) topics.insert(name);
  }
  return topics;
}

Expected<std::string> GroupMembership::join(const std::string& group_id, const std::string& client_id,
                                            GroupSubscription subscription, LogListener* wake,
                                            std::chrono::nanoseconds now) {
  Member member;
  if (!subscription.pattern.empty()) {
    re2::RE2::Options quiet;
    quiet.set_log_errors(false);
    member.pattern = std::make_unique<re2::RE2>(subscription.pattern, quiet);
    if (!member.pattern->ok()) {
      return fail(ErrorCode::kInvalidConfig, fmt::format("topics.regex {} is no regular expression: {}",
                                                         subscription.pattern, member.pattern->error()));
    }
  }
  member.subscription = std::move(subscription);
  member.wake = wake;
  std::lock_guard lock(mutex_);
  Group& group = groups_[group_id];
  const std::string id = fmt::format("{}-{}", client_id.empty() ? "consumer" : client_id, ++next_member_);
  group.members.emplace(id, std::move(member));
  start_generation(group, now);
  return id;
}

void GroupMembership::leave(const std::string& group_id, const std::string& member, std::chrono::nanoseconds now) {
  std::lock_guard lock(mutex_);
  const auto group = groups_.find(group_id);
  if (group == groups_.end() || group->second.members.erase(member) == 0) return;
  if (group->second.members.empty()) {
    groups_.erase(group);
  } else {
    start_generation(group->second, now);
  }
}

void GroupMembership::start_generation(Group& group, std::chrono::nanoseconds now) {
  ++group.generation;
  group.assigned = false;
  group.deadline = now + options_.rebalance_timeout;
  settle(group, now);
  for (auto& [id, member] : group.members) member.wake->on_advance();
}

/// Hands out the assignment once nobody holds partitions of an older generation, or time is up for those who do.
void GroupMembership::settle(Group& group, std::chrono::nanoseconds now) {
  if (group.assigned) return;
  if (now >= group.deadline) std::erase_if(group.members, [](const auto& each) { return each.second.holds; });
  const bool waiting =
      std::any_of(group.members.begin(), group.members.end(), [](const auto& each) { return each.second.holds; });
  if (waiting) return;
  assign_range(group);
  group.assigned = true;
  for (auto& [id, member] : group.members) member.wake->on_advance();
}

/// Kafka's range assignor: per topic, members in the order of their ids get neighbouring partitions.
void GroupMembership::assign_range(Group& group) const {
  group.seen_topics.clear();
  std::map<std::string, std::vector<Member*>> readers;
  for (auto& [id, member] : group.members) {
    member.assignment.clear();
    auto& seen = group.seen_topics[id];
    for (const std::string& topic : topics_of(member)) {
      readers[topic].push_back(&member);
      seen[topic] = topics_.at(topic);
    }
  }
  for (const auto& [topic, members] : readers) {
    const int32_t partitions = topics_.at(topic);
    const auto count = static_cast<int32_t>(members.size());
    int32_t next = 0;
    for (int32_t i = 0; i < count; ++i) {
      const int32_t share = partitions / count + (i < partitions % count ? 1 : 0);
      for (int32_t k = 0; k < share; ++k) members[static_cast<size_t>(i)]->assignment.emplace_back(topic, next++);
    }
  }
}

GroupTurn GroupMembership::turn(const std::string& group_id, const std::string& member_id,
                                std::chrono::nanoseconds now) {
  std::lock_guard lock(mutex_);
  const auto group = groups_.find(group_id);
  if (group == groups_.end()) return {GroupTurn::Do::kRejoin, -1, {}};
  settle(group->second, now);
  const auto member = group->second.members.find(member_id);
  if (member == group->second.members.end()) return {GroupTurn::Do::kRejoin, -1, {}};
  Member& self = member->second;
  if (self.generation == group->second.generation) return {GroupTurn::Do::kContinue, self.generation, {}};
  if (self.holds) return {GroupTurn::Do::kRevoke, self.generation, {}};
  if (!group->second.assigned) return {GroupTurn::Do::kWait, group->second.generation, {}};
  self.generation = group->second.generation;
  self.holds = true;
  return {GroupTurn::Do::kAssign, self.generation, self.assignment};
}

void GroupMembership::revoked(const std::string& group_id, const std::string& member_id, std::chrono::nanoseconds now) {
  std::lock_guard lock(mutex_);
  const auto group = groups_.find(group_id);
  if (group == groups_.end()) return;
  const auto member = group->second.members.find(member_id);
  if (member == group->second.members.end()) return;
  member->second.holds = false;
  settle(group->second, now);
}

Status GroupMembership::check_commit(const std::string& group_id, const std::string& member_id,
                                     int32_t generation) const {
  std::lock_guard lock(mutex_);
  const auto group = groups_.find(group_id);
  const bool known = group != groups_.end() && group->second.members.contains(member_id);
  if (known && group->second.members.at(member_id).generation == generation) return {};
  return fail(Error{ErrorCode::kFenced,
                    fmt::format("member {} is no longer in group {}: its partitions belong to others now; join again",
                                member_id, group_id),
                    "org.apache.kafka.clients.consumer.CommitFailedException",
                    {},
                    {}});
}

bool GroupMembership::has_members(const std::string& group) const {
  std::lock_guard lock(mutex_);
  return groups_.contains(group);
}

std::vector<std::string> GroupMembership::groups() const {
  std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, group] : groups_) names.push_back(name);
  return names;
}

void GroupMembership::set_topics(std::map<std::string, int32_t> topics, std::chrono::nanoseconds now) {
  std::lock_guard lock(mutex_);
  topics_ = std::move(topics);
  for (auto& [group_id, group] : groups_) {
    bool changed = false;
    for (const auto& [id, member] : group.members) {
      std::map<std::string, int32_t> wanted;
      for (const std::string& topic : topics_of(member)) wanted[topic] = topics_.at(topic);
      changed = changed || wanted != group.seen_topics[id];
    }
    if (changed) start_generation(group, now);
  }
}

}  // namespace millrace
