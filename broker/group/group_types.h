/// What members ask of a classic group and what they are answered, as the wire requests have it but with owned strings.
/// Answers are functions: they are called exactly once, on any thread, outside the coordinator's lock; an answer that
/// is destroyed uncalled (at shutdown) must know what to do by itself.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/kafka_error.h"

namespace millrace {

/// Clock::monotonic().
using GroupTime = std::chrono::nanoseconds;
inline constexpr GroupTime kNever = GroupTime::max();

/// The host of members inside this process. They are gone when the process is, so a group that is loaded from the log
/// starts without them.
inline constexpr std::string_view kInProcessHost = "in-process";

enum class GroupState : int8_t { kEmpty, kPreparingRebalance, kCompletingRebalance, kStable, kDead };
/// "PreparingRebalance", as ListGroups and the tools show it.
std::string_view group_state_name(GroupState state);

/// A protocol (an assignor) that a member can follow, with what it says to it. The bytes are not looked into.
struct GroupProtocol {
  std::string name;
  std::string metadata;
  bool operator==(const GroupProtocol&) const = default;
};

struct GroupJoin {
  std::string group_id;
  std::string member_id;  ///< empty for a newcomer
  std::optional<std::string> instance_id;
  std::string client_id;
  std::string client_host;
  std::chrono::milliseconds session_timeout{45'000};
  std::chrono::milliseconds rebalance_timeout{300'000};
  std::string protocol_type;
  std::vector<GroupProtocol> protocols;
  bool knows_member_id_required = false;  ///< v4: newcomers are first told their id
  bool knows_skip_assignment = false;     ///< v9
  /// For members inside this process: called when the member has to join again or is out. They send no heartbeats.
  std::function<void()> on_rebalance;
};

struct GroupJoined {
  struct Member {
    std::string member_id;
    std::optional<std::string> instance_id;
    std::string metadata;
  };
  KafkaError error = KafkaError::kNone;
  int32_t generation = -1;
  std::optional<std::string> protocol_type;
  std::optional<std::string> protocol;
  std::string leader;
  std::string member_id;
  bool skip_assignment = false;
  std::vector<Member> members;  ///< for the leader
};
using JoinAnswer = std::function<void(GroupJoined)>;

struct GroupSync {
  std::string group_id;
  std::string member_id;
  std::optional<std::string> instance_id;
  int32_t generation = -1;
  std::optional<std::string> protocol_type;  ///< checked when given
  std::optional<std::string> protocol;
  std::vector<std::pair<std::string, std::string>> assignments;  ///< from the leader: by member id
};

struct GroupSynced {
  KafkaError error = KafkaError::kNone;
  std::optional<std::string> protocol_type;
  std::optional<std::string> protocol;
  std::string assignment;
};
using SyncAnswer = std::function<void(GroupSynced)>;

/// Who speaks for a group: a member with its generation, or nobody (generation -1, empty id).
struct GroupIdentity {
  std::string group_id;
  std::string member_id;
  std::optional<std::string> instance_id;
  int32_t generation = -1;
};

struct GroupLeaver {
  std::string member_id;  ///< empty: whoever has the instance id
  std::optional<std::string> instance_id;
};

/// A group as it stands in __consumer_offsets (GroupMetadataValue).
struct GroupMetadata {
  struct Member {
    std::string member_id;
    std::optional<std::string> instance_id;
    std::string client_id;
    std::string client_host;
    std::chrono::milliseconds rebalance_timeout{0};
    std::chrono::milliseconds session_timeout{0};
    std::string subscription;
    std::string assignment;
    bool operator==(const Member&) const = default;
  };
  std::string protocol_type;
  int32_t generation = 0;
  std::optional<std::string> protocol;
  std::optional<std::string> leader;
  int64_t state_ms = -1;  ///< since when the group is in its state
  std::vector<Member> members;
  bool operator==(const GroupMetadata&) const = default;
};

struct GroupTurn;
/// A group record that has to be written. `then` (may be empty) is called in a turn of its own once the record is
/// durable or has failed.
struct GroupWrite {
  GroupMetadata metadata;
  std::function<void(bool stored, GroupTurn&)> then;
};

/// One step of a group: the time it happens at, and what it leaves to do.
struct GroupTurn {
  GroupTime now{0};
  int64_t now_ms = 0;                        ///< wall clock
  std::vector<std::function<void()>> calls;  ///< answers, to be called outside the lock
  std::vector<GroupWrite> writes;            ///< in order
};

}  // namespace millrace
