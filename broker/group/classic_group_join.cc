/// Joining and leaving a group, and what follows from it: the join phase and its end.
#include <algorithm>
#include <utility>

#include "broker/group/classic_group.h"

namespace millrace {

void ClassicGroup::answer_join(GroupTurn& turn, JoinAnswer answer, GroupJoined joined) {
  if (!answer) return;
  turn.calls.emplace_back(
      [answer = std::move(answer), joined = std::move(joined)]() mutable { answer(std::move(joined)); });
}

void ClassicGroup::refuse_join(GroupTurn& turn, JoinAnswer answer, KafkaError error, std::string member_id) {
  GroupJoined refused;
  refused.error = error;
  refused.member_id = std::move(member_id);
  answer_join(turn, std::move(answer), std::move(refused));
}

void ClassicGroup::answer_sync(GroupTurn& turn, SyncAnswer answer, GroupSynced synced) {
  if (!answer) return;
  turn.calls.emplace_back(
      [answer = std::move(answer), synced = std::move(synced)]() mutable { answer(std::move(synced)); });
}

// --- Protocols ---

bool ClassicGroup::supported_by_all(const std::string& protocol) const {
  return std::all_of(members_.begin(), members_.end(), [&](const auto& each) {
    return std::any_of(each.second.protocols.begin(), each.second.protocols.end(),
                       [&](const GroupProtocol& known) { return known.name == protocol; });
  });
}

bool ClassicGroup::supports(const GroupJoin& request) const {
  if (members_.empty()) return !request.protocol_type.empty() && !request.protocols.empty();
  return request.protocol_type == protocol_type_ &&
         std::any_of(request.protocols.begin(), request.protocols.end(),
                     [&](const GroupProtocol& each) { return supported_by_all(each.name); });
}

/// Each member votes for the first of its protocols that all support; the leader's order breaks a tie.
std::string ClassicGroup::choose_protocol() const {
  std::map<std::string_view, int> votes;
  for (const auto& [id, member] : members_) {
    for (const GroupProtocol& each : member.protocols) {
      if (!supported_by_all(each.name)) continue;
      ++votes[each.name];
      break;
    }
  }
  std::string_view chosen;
  int most = 0;
  for (const GroupProtocol& each : members_.at(leader_.value_or(members_.begin()->first)).protocols) {
    const auto found = votes.find(each.name);
    if (found == votes.end() || found->second <= most) continue;
    chosen = each.name;
    most = found->second;
  }
  return std::string(chosen);
}

// --- JoinGroup ---

bool ClassicGroup::has_room_for(const std::string& member_id) const {
  if (state_ == GroupState::kEmpty || state_ == GroupState::kDead) return true;
  const auto known = members_.find(member_id);
  if (state_ != GroupState::kPreparingRebalance) return known != members_.end() || members_.size() < options_.size_max;
  const auto waiting = static_cast<size_t>(std::count_if(
      members_.begin(), members_.end(), [](const auto& each) { return static_cast<bool>(each.second.awaiting_join); }));
  return (known != members_.end() && known->second.awaiting_join) || waiting < options_.size_max;
}

void ClassicGroup::join(GroupJoin request, JoinAnswer answer, GroupTurn& turn) {
  if (!has_room_for(request.member_id)) {
    if (members_.contains(request.member_id)) remove_and_rebalance(request.member_id, turn);
    return refuse_join(turn, std::move(answer), KafkaError::kGroupMaxSizeReached, "");
  }
  if (state_ == GroupState::kDead)
    return refuse_join(turn, std::move(answer), KafkaError::kCoordinatorNotAvailable, request.member_id);
  if (!supports(request))
    return refuse_join(turn, std::move(answer), KafkaError::kInconsistentGroupProtocol, request.member_id);
  if (request.member_id.empty()) return join_new(request, std::move(answer), turn);
  join_known(request, std::move(answer), turn);
}

void ClassicGroup::join_new(GroupJoin& request, JoinAnswer answer, GroupTurn& turn) {
  if (request.instance_id) {
    const auto known = static_members_.find(*request.instance_id);
    if (known != static_members_.end())
      return replace_static(std::string(known->second), request, std::move(answer), turn);
    return add_member(*request.instance_id + "-" + options_.make_uuid(), request, std::move(answer), turn);
  }
  std::string id = request.client_id + "-" + options_.make_uuid();
  if (!request.knows_member_id_required) return add_member(std::move(id), request, std::move(answer), turn);
  // A client whose answer gets lost would leave a member behind at every try; so it first learns its id.
  pending_[id] = turn.now + request.session_timeout;
  refuse_join(turn, std::move(answer), KafkaError::kMemberIdRequired, std::move(id));
}

void ClassicGroup::join_known(GroupJoin& request, JoinAnswer answer, GroupTurn& turn) {
  if (pending_.contains(request.member_id) && !request.instance_id) {
    pending_.erase(request.member_id);
    return add_member(request.member_id, request, std::move(answer), turn);
  }
  if (const KafkaError error = check_member(request.member_id, request.instance_id); error != KafkaError::kNone)
    return refuse_join(turn, std::move(answer), error, request.member_id);
  Member& member = members_.at(request.member_id);
  const bool unchanged = member.protocols == request.protocols;
  // A member may ask again because the answer got lost; the leader of a stable group asks for a rebalance.
  const bool only_asks = (state_ == GroupState::kCompletingRebalance && unchanged) ||
                         (state_ == GroupState::kStable && unchanged && leader_ != member.id);
  if (only_asks) return answer_join(turn, std::move(answer), joined(member, leader_ == member.id));
  rejoin(member, request, std::move(answer), turn);
}

void ClassicGroup::refresh(Member& member, GroupJoin& request) {
  member.protocols = std::move(request.protocols);
  member.session_timeout = request.session_timeout;
  member.rebalance_timeout = request.rebalance_timeout;
  member.client_id = std::move(request.client_id);
  member.client_host = std::move(request.client_host);
  member.on_rebalance = std::move(request.on_rebalance);
}

void ClassicGroup::add_member(std::string member_id, GroupJoin& request, JoinAnswer answer, GroupTurn& turn) {
  if (state_ == GroupState::kPreparingRebalance && initial_) newcomer_since_ = true;
  if (members_.empty()) protocol_type_ = request.protocol_type;
  if (!leader_) leader_ = member_id;
  if (request.instance_id) static_members_[*request.instance_id] = member_id;
  Member member;
  member.id = member_id;
  member.instance_id = request.instance_id;
  member.is_new = true;
  member.awaiting_join = std::move(answer);
  refresh(member, request);
  // It knows no id with which to send heartbeats, and a client that is gone is not seen while its request is parked.
  member.deadline = turn.now + options_.new_member_timeout;
  members_.emplace(std::move(member_id), std::move(member));
  prepare_if_possible(turn);
  complete_if_all_joined(turn);
}

void ClassicGroup::rejoin(Member& member, GroupJoin& request, JoinAnswer answer, GroupTurn& turn) {
  if (member.awaiting_join) {
    refuse_join(turn, std::move(member.awaiting_join), KafkaError::kRebalanceInProgress, member.id);
  }
  refresh(member, request);
  member.awaiting_join = std::move(answer);
  prepare_if_possible(turn);
  complete_if_all_joined(turn);
}

// --- Static members ---

/// Gives a static member its new id; whoever waits under the old one is fenced.
ClassicGroup::Member ClassicGroup::rename_static(const std::string& old_id, const std::string& new_id,
                                                 GroupTurn& turn) {
  auto node = members_.extract(old_id);
  Member before = node.mapped();
  before.awaiting_join = nullptr;
  before.awaiting_sync = nullptr;
  Member& member = node.mapped();
  if (member.awaiting_join) refuse_join(turn, std::move(member.awaiting_join), KafkaError::kFencedInstanceId, old_id);
  if (member.awaiting_sync)
    answer_sync(turn, std::move(member.awaiting_sync), {KafkaError::kFencedInstanceId, {}, {}, {}});
  member.awaiting_join = nullptr;
  member.awaiting_sync = nullptr;
  member.id = new_id;
  if (leader_ == old_id) leader_ = new_id;
  if (pending_sync_.erase(old_id) > 0) pending_sync_.insert(new_id);
  static_members_[*member.instance_id] = new_id;
  node.key() = new_id;
  members_.insert(std::move(node));
  return before;
}

void ClassicGroup::replace_static(const std::string& old_id, GroupJoin& request, JoinAnswer answer, GroupTurn& turn) {
  const std::string new_id = *request.instance_id + "-" + options_.make_uuid();
  const std::string leader_before = leader_.value_or("");
  const Member before = rename_static(old_id, new_id, turn);
  Member& member = members_.at(new_id);
  const GroupJoin asked = request;
  refresh(member, request);
  touch(member, turn);
  if (state_ != GroupState::kStable || choose_protocol() != protocol_) {
    member.awaiting_join = std::move(answer);
    // The leader may be computing an assignment for the old id.
    prepare_if_possible(turn);
    return complete_if_all_joined(turn);
  }
  turn.writes.push_back(
      {metadata(nullptr), [this, asked, new_id, before, leader_before, answer](bool stored, GroupTurn& then) {
         const auto current = static_members_.find(*asked.instance_id);
         if (current == static_members_.end() || current->second != new_id)
           return refuse_join(then, answer, KafkaError::kFencedInstanceId, new_id);
         if (stored) return answer_replacement(asked, new_id, leader_before, answer, then);
         rename_static(new_id, before.id, then);
         members_.at(before.id).protocols = before.protocols;
         refuse_join(then, answer, KafkaError::kCoordinatorNotAvailable, "");
       }});
}

/// The group is as it was: the newcomer finds its assignment by SyncGroup. A leader that is told so (v9) gets the
/// members and is to skip the assignment; an older one is named the old leader, so that it does not compute one that
/// nobody would get.
void ClassicGroup::answer_replacement(const GroupJoin& request, const std::string& new_id,
                                      const std::string& leader_before, JoinAnswer answer, GroupTurn& turn) {
  const Member& member = members_.at(new_id);
  const bool leads = leader_ == new_id;
  GroupJoined result = joined(member, leads && request.knows_skip_assignment);
  result.skip_assignment = leads && request.knows_skip_assignment;
  if (!request.knows_skip_assignment) result.leader = leader_before;
  answer_join(turn, std::move(answer), std::move(result));
}

// --- The join phase ---

void ClassicGroup::enter(GroupState state, GroupTurn& turn) {
  state_ = state;
  state_ms_ = turn.now_ms;
}

std::chrono::milliseconds ClassicGroup::rebalance_timeout() const {
  std::chrono::milliseconds longest{0};
  for (const auto& [id, member] : members_) longest = std::max(longest, member.rebalance_timeout);
  return longest;
}

void ClassicGroup::prepare_if_possible(GroupTurn& turn) {
  if (state_ == GroupState::kEmpty || state_ == GroupState::kCompletingRebalance || state_ == GroupState::kStable)
    prepare_rebalance(turn);
}

void ClassicGroup::prepare_rebalance(GroupTurn& turn) {
  if (state_ == GroupState::kCompletingRebalance) {
    for (auto& [id, member] : members_) {
      member.assignment.clear();
      if (!member.awaiting_sync) continue;
      answer_sync(turn, std::move(member.awaiting_sync), {KafkaError::kRebalanceInProgress, {}, {}, {}});
      member.awaiting_sync = nullptr;
      touch(member, turn);
    }
  }
  storing_assignment_ = false;
  pending_sync_.clear();
  sync_deadline_ = kNever;
  initial_ = state_ == GroupState::kEmpty;
  newcomer_since_ = false;
  if (initial_) {
    join_deadline_ = turn.now + options_.initial_rebalance_delay;
    initial_remaining_ = std::max(rebalance_timeout() - options_.initial_rebalance_delay, std::chrono::milliseconds(0));
  } else {
    join_deadline_ = turn.now + rebalance_timeout();
  }
  enter(GroupState::kPreparingRebalance, turn);
  for (const auto& [id, member] : members_) {
    if (member.on_rebalance && !member.awaiting_join) turn.calls.push_back(member.on_rebalance);
  }
  complete_if_all_joined(turn);
}

void ClassicGroup::complete_if_all_joined(GroupTurn& turn) {
  if (state_ != GroupState::kPreparingRebalance || initial_ || !pending_.empty()) return;
  const bool all = std::all_of(members_.begin(), members_.end(),
                               [](const auto& each) { return static_cast<bool>(each.second.awaiting_join); });
  if (all) complete_join(turn);
}

void ClassicGroup::complete_join(GroupTurn& turn) {
  std::vector<std::string> absent;
  for (const auto& [id, member] : members_) {
    if (!member.awaiting_join && !member.instance_id) absent.push_back(id);
  }
  for (const std::string& id : absent) remove_member(id, turn);
  initial_ = false;
  if (!members_.empty() && !elect_leader()) {
    // Only static members are left and none is back yet.
    join_deadline_ = turn.now + rebalance_timeout();
    return;
  }
  join_deadline_ = kNever;
  ++generation_;
  if (members_.empty()) {
    protocol_.reset();
    leader_.reset();
    enter(GroupState::kEmpty, turn);
    turn.writes.push_back({metadata(nullptr), {}});
    return;
  }
  start_generation(turn);
}

void ClassicGroup::start_generation(GroupTurn& turn) {
  protocol_ = choose_protocol();
  enter(GroupState::kCompletingRebalance, turn);
  for (auto& [id, member] : members_) {
    member.is_new = false;
    touch(member, turn);
    pending_sync_.insert(id);
    if (!member.awaiting_join) continue;
    answer_join(turn, std::move(member.awaiting_join), joined(member, leader_ == id));
    member.awaiting_join = nullptr;
  }
  sync_deadline_ = turn.now + rebalance_timeout();
}

/// Keeps the leader if it has joined, else takes another member that has.
bool ClassicGroup::elect_leader() {
  const auto leads = leader_ ? members_.find(*leader_) : members_.end();
  if (leads != members_.end() && leads->second.awaiting_join) return true;
  const auto other = std::find_if(members_.begin(), members_.end(),
                                  [](const auto& each) { return static_cast<bool>(each.second.awaiting_join); });
  if (other == members_.end()) return false;
  leader_ = other->first;
  return true;
}

void ClassicGroup::remove_member(const std::string& member_id, GroupTurn& turn) {
  const auto found = members_.find(member_id);
  if (found == members_.end()) return;
  Member member = std::move(found->second);
  members_.erase(found);
  pending_sync_.erase(member_id);
  if (member.instance_id) static_members_.erase(*member.instance_id);
  if (leader_ == member_id) {
    leader_.reset();
    if (!members_.empty()) leader_ = members_.begin()->first;
  }
  refuse_join(turn, std::move(member.awaiting_join), KafkaError::kUnknownMemberId, member_id);
  answer_sync(turn, std::move(member.awaiting_sync), {KafkaError::kUnknownMemberId, {}, {}, {}});
  if (member.on_rebalance) turn.calls.push_back(std::move(member.on_rebalance));
}

void ClassicGroup::remove_and_rebalance(const std::string& member_id, GroupTurn& turn) {
  remove_member(member_id, turn);
  if (state_ == GroupState::kPreparingRebalance) {
    complete_if_all_joined(turn);
  } else {
    prepare_if_possible(turn);
  }
}

// --- Answers ---

std::vector<GroupJoined::Member> ClassicGroup::member_list() const {
  std::vector<GroupJoined::Member> list;
  for (const auto& [id, member] : members_)
    list.push_back({id, member.instance_id, std::string(member.metadata_of(protocol_.value_or("")))});
  return list;
}

GroupJoined ClassicGroup::joined(const Member& member, bool with_members) const {
  GroupJoined result;
  result.generation = generation_;
  result.protocol_type = protocol_type_;
  result.protocol = protocol_;
  result.leader = leader_.value_or("");
  result.member_id = member.id;
  if (with_members) result.members = member_list();
  return result;
}

GroupSynced ClassicGroup::synced(const Member& member) const {
  return {KafkaError::kNone, protocol_type_, protocol_, member.assignment};
}

}  // namespace millrace
