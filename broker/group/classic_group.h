/// One group of Kafka's classic protocol: members, generations, the vote for a protocol, static membership, timers.
///
/// Pure: time comes in by the turn, answers and records go out by it, nothing is done here. States and rules are those
/// of Kafka's group coordinator (protocol guide, KIP-62, KIP-134, KIP-345, KIP-394, KIP-814).
#pragma once

#include <map>
#include <set>

#include "broker/group/group_types.h"

namespace millrace {

/// Threads: one at a time (the coordinator's lock).
class ClassicGroup {
 public:
  struct Options {
    /// group.initial.rebalance.delay.ms. Kafka's default of 3 s spares a few rebalances when many members start; here
    /// the first generation starts at once unless the setting says otherwise.
    std::chrono::milliseconds initial_rebalance_delay{0};
    std::chrono::milliseconds new_member_timeout{300'000};  ///< a newcomer's JoinGroup is parked no longer
    size_t size_max = INT32_MAX;                            ///< group.max.size
    /// Makes the random part of member ids.
    std::function<std::string()> make_uuid;
  };
  struct Member {
    std::string id;
    std::optional<std::string> instance_id;
    std::string client_id;
    std::string client_host;
    std::chrono::milliseconds session_timeout{0};
    std::chrono::milliseconds rebalance_timeout{0};
    std::vector<GroupProtocol> protocols;
    std::string assignment;
    bool is_new = false;       ///< has not seen the end of a join phase
    JoinAnswer awaiting_join;  ///< its parked JoinGroup
    SyncAnswer awaiting_sync;  ///< its parked SyncGroup
    GroupTime deadline = kNever;
    std::function<void()> on_rebalance;

    std::string_view metadata_of(std::string_view protocol) const;
  };

  ClassicGroup(std::string id, Options options);
  ClassicGroup(const ClassicGroup&) = delete;

  // --- The verbs. See reference "Group coordinator" for the errors of each state. ---

  void join(GroupJoin request, JoinAnswer answer, GroupTurn& turn);
  void sync(GroupSync request, SyncAnswer answer, GroupTurn& turn);
  KafkaError heartbeat(const GroupIdentity& who, GroupTurn& turn);
  KafkaError leave(const GroupLeaver& who, GroupTurn& turn);
  /// Whether `who` may commit offsets; a member's commit counts as a heartbeat.
  KafkaError check_commit(const GroupIdentity& who, bool transactional, GroupTurn& turn);

  // --- Time ---

  void on_time(GroupTurn& turn);
  /// When on_time() has something to do; kNever.
  GroupTime next_deadline() const;

  // --- Life and death ---

  /// Takes the state of a record read from the log; members inside a process that is gone are left out.
  void restore(const GroupMetadata& metadata, GroupTurn& turn);
  /// From Empty to Dead and, when the deletion could not be stored, back.
  void bury() { state_ = GroupState::kDead; }
  void revive() { state_ = GroupState::kEmpty; }

  // --- What tools see ---

  const std::string& id() const { return id_; }
  GroupState state() const { return state_; }
  int32_t generation() const { return generation_; }
  int64_t state_ms() const { return state_ms_; }
  /// Empty for a group that only keeps offsets.
  const std::string& protocol_type() const { return protocol_type_; }
  const std::optional<std::string>& protocol() const { return protocol_; }
  const std::optional<std::string>& leader() const { return leader_; }
  const std::map<std::string, Member>& members() const { return members_; }
  size_t pending_count() const { return pending_.size(); }
  /// The topics that members of a consumer group subscribe to; nothing when that cannot be known.
  std::optional<std::set<std::string>> subscribed_topics() const;

 private:
  using Assignments = std::map<std::string, std::string>;
  bool has_room_for(const std::string& member_id) const;
  bool supports(const GroupJoin& request) const;
  bool supported_by_all(const std::string& protocol) const;
  std::string choose_protocol() const;
  KafkaError check_member(const std::string& member_id, const std::optional<std::string>& instance_id) const;

  void join_new(GroupJoin& request, JoinAnswer answer, GroupTurn& turn);
  void join_known(GroupJoin& request, JoinAnswer answer, GroupTurn& turn);
  void add_member(std::string member_id, GroupJoin& request, JoinAnswer answer, GroupTurn& turn);
  void rejoin(Member& member, GroupJoin& request, JoinAnswer answer, GroupTurn& turn);
  void replace_static(const std::string& old_id, GroupJoin& request, JoinAnswer answer, GroupTurn& turn);
  void answer_replacement(const GroupJoin& request, const std::string& new_id, const std::string& leader_before,
                          JoinAnswer answer, GroupTurn& turn);
  static void refresh(Member& member, GroupJoin& request);
  Member rename_static(const std::string& old_id, const std::string& new_id, GroupTurn& turn);

  void prepare_if_possible(GroupTurn& turn);
  void prepare_rebalance(GroupTurn& turn);
  void complete_if_all_joined(GroupTurn& turn);
  void complete_join(GroupTurn& turn);
  void start_generation(GroupTurn& turn);
  bool elect_leader();
  void remove_member(const std::string& member_id, GroupTurn& turn);
  void remove_and_rebalance(const std::string& member_id, GroupTurn& turn);
  void assignment_stored(int32_t generation, const Assignments& assignments, bool stored, GroupTurn& turn);
  void expire_members(GroupTurn& turn);
  void expire_join(GroupTurn& turn);
  void expire_pending_sync(GroupTurn& turn);

  void enter(GroupState state, GroupTurn& turn);
  void touch(Member& member, const GroupTurn& turn) const;
  std::chrono::milliseconds rebalance_timeout() const;
  GroupMetadata metadata(const Assignments* assignments) const;
  std::vector<GroupJoined::Member> member_list() const;
  GroupJoined joined(const Member& member, bool with_members) const;
  GroupSynced synced(const Member& member) const;
  static void answer_join(GroupTurn& turn, JoinAnswer answer, GroupJoined joined);
  static void refuse_join(GroupTurn& turn, JoinAnswer answer, KafkaError error, std::string member_id);
  static void answer_sync(GroupTurn& turn, SyncAnswer answer, GroupSynced synced);

  const std::string id_;
  const Options options_;
  GroupState state_ = GroupState::kEmpty;
  int64_t state_ms_ = -1;
  int32_t generation_ = 0;
  std::string protocol_type_;
  std::optional<std::string> protocol_;
  std::optional<std::string> leader_;
  std::map<std::string, Member> members_;
  std::map<std::string, std::string> static_members_;  // instance id to member id
  std::map<std::string, GroupTime> pending_;           // ids given out by MEMBER_ID_REQUIRED, until when
  // The join phase (PreparingRebalance).
  GroupTime join_deadline_ = kNever;
  bool initial_ = false;  // it has begun with an empty group: more newcomers are waited for
  bool newcomer_since_ = false;
  std::chrono::milliseconds initial_remaining_{0};
  // Members of this generation that have not sent SyncGroup, and until when they may.
  std::set<std::string> pending_sync_;
  GroupTime sync_deadline_ = kNever;
  bool storing_assignment_ = false;
};

}  // namespace millrace
