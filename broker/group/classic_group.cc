#include "broker/group/classic_group.h"

#include <algorithm>

#include "protocol/messages/consumer_protocol.h"

namespace millrace {

std::string_view group_state_name(GroupState state) {
  switch (state) {
    case GroupState::kEmpty:
      return "Empty";
    case GroupState::kPreparingRebalance:
      return "PreparingRebalance";
    case GroupState::kCompletingRebalance:
      return "CompletingRebalance";
    case GroupState::kStable:
      return "Stable";
    case GroupState::kDead:
      return "Dead";
  }
  return "Unknown";
}

std::string_view ClassicGroup::Member::metadata_of(std::string_view protocol) const {
  for (const GroupProtocol& each : protocols) {
    if (each.name == protocol) return each.metadata;
  }
  return {};
}

ClassicGroup::ClassicGroup(std::string id, Options options) : id_(std::move(id)), options_(std::move(options)) {}

// --- SyncGroup, Heartbeat, LeaveGroup, commits ---

KafkaError ClassicGroup::check_member(const std::string& member_id,
                                      const std::optional<std::string>& instance_id) const {
  if (instance_id) {
    const auto known = static_members_.find(*instance_id);
    if (known == static_members_.end()) return KafkaError::kUnknownMemberId;
    return known->second == member_id ? KafkaError::kNone : KafkaError::kFencedInstanceId;
  }
  return members_.contains(member_id) ? KafkaError::kNone : KafkaError::kUnknownMemberId;
}

void ClassicGroup::sync(GroupSync request, SyncAnswer answer, GroupTurn& turn) {
  const auto refuse = [&](KafkaError error) { answer_sync(turn, std::move(answer), {error, {}, {}, {}}); };
  if (state_ == GroupState::kDead) return refuse(KafkaError::kCoordinatorNotAvailable);
  if (const KafkaError error = check_member(request.member_id, request.instance_id); error != KafkaError::kNone)
    return refuse(error);
  if (request.generation != generation_) return refuse(KafkaError::kIllegalGeneration);
  if ((request.protocol_type && *request.protocol_type != protocol_type_) ||
      (request.protocol && request.protocol != protocol_)) {
    return refuse(KafkaError::kInconsistentGroupProtocol);
  }
  if (state_ == GroupState::kEmpty) return refuse(KafkaError::kUnknownMemberId);
  if (state_ == GroupState::kPreparingRebalance) return refuse(KafkaError::kRebalanceInProgress);

  Member& member = members_.at(request.member_id);
  pending_sync_.erase(member.id);
  if (state_ == GroupState::kStable) {
    touch(member, turn);
    return answer_sync(turn, std::move(answer), synced(member));
  }
  if (member.awaiting_sync)
    answer_sync(turn, std::move(member.awaiting_sync), {KafkaError::kRebalanceInProgress, {}, {}, {}});
  member.awaiting_sync = std::move(answer);
  if (leader_ != member.id || storing_assignment_) return;
  Assignments assignments;
  for (const auto& [id, each] : members_) assignments[id];
  for (auto& [id, assignment] : request.assignments) {
    if (const auto found = assignments.find(id); found != assignments.end()) found->second = std::move(assignment);
  }
  storing_assignment_ = true;
  GroupMetadata record = metadata(&assignments);
  turn.writes.push_back(
      {std::move(record), [this, generation = generation_, assignments](bool stored, GroupTurn& then) {
         assignment_stored(generation, assignments, stored, then);
       }});
}

void ClassicGroup::assignment_stored(int32_t generation, const Assignments& assignments, bool stored, GroupTurn& turn) {
  // Meanwhile a member may have come or gone: that rebalance has already answered those who waited.
  if (state_ != GroupState::kCompletingRebalance || generation_ != generation) return;
  storing_assignment_ = false;
  if (!stored) {
    for (auto& [id, member] : members_) {
      if (member.awaiting_sync)
        answer_sync(turn, std::move(member.awaiting_sync), {KafkaError::kCoordinatorNotAvailable, {}, {}, {}});
      member.awaiting_sync = nullptr;
    }
    return prepare_rebalance(turn);
  }
  enter(GroupState::kStable, turn);
  for (auto& [id, member] : members_) {
    if (const auto given = assignments.find(id); given != assignments.end()) member.assignment = given->second;
    if (!member.awaiting_sync) continue;
    answer_sync(turn, std::move(member.awaiting_sync), synced(member));
    member.awaiting_sync = nullptr;
    touch(member, turn);
  }
}

KafkaError ClassicGroup::heartbeat(const GroupIdentity& who, GroupTurn& turn) {
  if (state_ == GroupState::kDead) return KafkaError::kCoordinatorNotAvailable;
  if (const KafkaError error = check_member(who.member_id, who.instance_id); error != KafkaError::kNone) return error;
  if (who.generation != generation_) return KafkaError::kIllegalGeneration;
  if (state_ == GroupState::kEmpty) return KafkaError::kUnknownMemberId;
  touch(members_.at(who.member_id), turn);
  return state_ == GroupState::kPreparingRebalance ? KafkaError::kRebalanceInProgress : KafkaError::kNone;
}

KafkaError ClassicGroup::leave(const GroupLeaver& who, GroupTurn& turn) {
  if (state_ == GroupState::kDead) return KafkaError::kCoordinatorNotAvailable;
  if (who.instance_id) {
    const auto known = static_members_.find(*who.instance_id);
    if (known == static_members_.end()) return KafkaError::kUnknownMemberId;
    if (!who.member_id.empty() && known->second != who.member_id) return KafkaError::kFencedInstanceId;
    remove_and_rebalance(std::string(known->second), turn);
    return KafkaError::kNone;
  }
  if (pending_.erase(who.member_id) > 0) {
    if (state_ == GroupState::kPreparingRebalance) complete_if_all_joined(turn);
    return KafkaError::kNone;
  }
  if (!members_.contains(who.member_id)) return KafkaError::kUnknownMemberId;
  remove_and_rebalance(who.member_id, turn);
  return KafkaError::kNone;
}

KafkaError ClassicGroup::check_commit(const GroupIdentity& who, bool transactional, GroupTurn& turn) {
  if (state_ == GroupState::kDead) return KafkaError::kCoordinatorNotAvailable;
  // Consumers that assign partitions themselves, and tools, commit to groups without members. Transactions of older
  // clients do not say who commits.
  if (who.generation < 0 && state_ == GroupState::kEmpty) return KafkaError::kNone;
  if (transactional && who.generation < 0 && who.member_id.empty() && !who.instance_id) return KafkaError::kNone;
  if (const KafkaError error = check_member(who.member_id, who.instance_id); error != KafkaError::kNone) return error;
  if (who.generation != generation_) return KafkaError::kIllegalGeneration;
  if (!transactional && state_ == GroupState::kCompletingRebalance) return KafkaError::kRebalanceInProgress;
  touch(members_.at(who.member_id), turn);
  return KafkaError::kNone;
}

// --- Time ---

void ClassicGroup::touch(Member& member, const GroupTurn& turn) const {
  // A member inside this process cannot die alone, and its thread may be busy for long.
  member.deadline = member.on_rebalance ? kNever : turn.now + member.session_timeout;
}

GroupTime ClassicGroup::next_deadline() const {
  GroupTime next = std::min(join_deadline_, sync_deadline_);
  for (const auto& [id, deadline] : pending_) next = std::min(next, deadline);
  for (const auto& [id, member] : members_) next = std::min(next, member.deadline);
  return next;
}

void ClassicGroup::on_time(GroupTurn& turn) {
  const bool pending_expired = std::erase_if(pending_, [&](const auto& each) { return each.second <= turn.now; }) > 0;
  if (pending_expired && state_ == GroupState::kPreparingRebalance) complete_if_all_joined(turn);
  expire_members(turn);
  if (join_deadline_ <= turn.now) expire_join(turn);
  if (sync_deadline_ <= turn.now) expire_pending_sync(turn);
}

void ClassicGroup::expire_members(GroupTurn& turn) {
  std::vector<std::string> expired;
  for (auto& [id, member] : members_) {
    if (member.deadline > turn.now) continue;
    // Who waits for an answer cannot send heartbeats; only a newcomer's patience is bounded.
    if ((member.awaiting_join && !member.is_new) || member.awaiting_sync) {
      touch(member, turn);
    } else {
      expired.push_back(id);
    }
  }
  for (const std::string& id : expired) {
    if (members_.contains(id)) remove_and_rebalance(id, turn);
  }
}

void ClassicGroup::expire_join(GroupTurn& turn) {
  if (initial_ && newcomer_since_ && initial_remaining_.count() > 0) {
    newcomer_since_ = false;
    const auto delay = std::min(options_.initial_rebalance_delay, initial_remaining_);
    initial_remaining_ -= delay;
    join_deadline_ = turn.now + delay;
    return;
  }
  complete_join(turn);
}

void ClassicGroup::expire_pending_sync(GroupTurn& turn) {
  sync_deadline_ = kNever;
  if (pending_sync_.empty()) return;
  const std::set<std::string> late = std::exchange(pending_sync_, {});
  for (const std::string& id : late) remove_member(id, turn);
  prepare_if_possible(turn);
}

// --- What tools and the log see ---

GroupMetadata ClassicGroup::metadata(const Assignments* assignments) const {
  GroupMetadata record{protocol_type_, generation_, protocol_, leader_, state_ms_, {}};
  for (const auto& [id, member] : members_) {
    const auto given = assignments == nullptr ? Assignments::const_iterator{} : assignments->find(id);
    record.members.push_back({id, member.instance_id, member.client_id, member.client_host, member.rebalance_timeout,
                              member.session_timeout, std::string(member.metadata_of(protocol_.value_or(""))),
                              assignments == nullptr ? member.assignment : given->second});
  }
  return record;
}

void ClassicGroup::restore(const GroupMetadata& record, GroupTurn& turn) {
  protocol_type_ = record.protocol_type;
  generation_ = record.generation;
  state_ms_ = record.state_ms;
  bool incomplete = false;
  for (const GroupMetadata::Member& each : record.members) {
    if (each.client_host == kInProcessHost) {
      incomplete = true;
      continue;
    }
    Member member{each.member_id,
                  each.instance_id,
                  each.client_id,
                  each.client_host,
                  each.session_timeout,
                  each.rebalance_timeout,
                  {{record.protocol.value_or(""), each.subscription}},
                  each.assignment,
                  false,
                  {},
                  {},
                  kNever,
                  {}};
    touch(member, turn);
    if (each.instance_id) static_members_[*each.instance_id] = each.member_id;
    members_.emplace(each.member_id, std::move(member));
  }
  if (members_.empty()) return;
  protocol_ = record.protocol;
  leader_ = record.leader;
  if (!leader_ || !members_.contains(*leader_)) leader_ = members_.begin()->first;
  state_ = GroupState::kStable;
  if (incomplete) prepare_rebalance(turn);
}

std::optional<std::set<std::string>> ClassicGroup::subscribed_topics() const {
  std::set<std::string> topics;
  if (members_.empty()) return topics;
  if (protocol_type_ != "consumer" || !protocol_) return std::nullopt;
  for (const auto& [id, member] : members_) {
    WireReader in(member.metadata_of(*protocol_));
    const auto version = in.number<int16_t>();
    ConsumerProtocolSubscription subscription;
    subscription.decode(in, std::min(version, ConsumerProtocolSubscription::kVersionMax));
    if (in.bad() || version < 0) return std::nullopt;
    topics.insert(subscription.topics.begin(), subscription.topics.end());
  }
  return topics;
}

}  // namespace millrace
