/// A consumer's seat in a group: joins the group coordinator of this process by the verbs of Kafka's classic consumer
/// protocol, so that consumers of the wire may share the group. The leader assigns with Kafka's range assignor.
///
/// No thread of its own: turn() is called at every poll. Instead of heartbeats the coordinator tells of a rebalance.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "broker/broker.h"
#include "broker/group/group_coordinator.h"

namespace re2 {
class RE2;
}

namespace millrace {

struct GroupSubscription {
  std::set<std::string> topics;
  std::string pattern;  ///< RE2, matched against whole names; used when not empty
};

/// Threads: one, but for what it is told by the coordinator and the broker.
class EmbeddedGroupMember final : public TopicListener {
 public:
  struct Identity {
    std::string group_id;
    std::string client_id;
  };
  /// What has become of the member's partitions.
  struct News {
    enum class What { kNothing, kRevoked, kAssigned } what = What::kNothing;
    std::vector<PartitionKey> partitions;  ///< with kAssigned
  };

  /// `wake` is told when turn() has news, on any thread, until the member is destroyed.
  /// Errors: kInvalidConfig for a pattern that RE2 refuses.
  static Expected<std::unique_ptr<EmbeddedGroupMember>> join(Broker& broker, GroupCoordinator& groups,
                                                             Identity identity, GroupSubscription subscription,
                                                             std::function<void()> wake);
  /// Leaves the group.
  ~EmbeddedGroupMember() override;

  /// Goes on with what is due. After kRevoked the partitions are given up with the next call, until when the member may
  /// still commit. Does not wait, except for the disk when the group is only waiting for that.
  /// Errors: kConflict when the group will not have this member (another protocol, full).
  Expected<News> turn();
  /// Who commits. Valid until the next turn().
  GroupIdentity identity() const;

  void on_topics_changed() override;

 private:
  enum class Phase { kOutside, kJoining, kSyncing, kMember, kRevoking };
  /// What answers leave behind. Co-owned by them, as they may outlive the member.
  struct Mail {
    std::mutex mutex;
    std::condition_variable arrived;
    std::optional<GroupJoined> joined;
    std::optional<GroupSynced> synced;
    bool rebalance = false;
    bool topics_changed = false;
    std::function<void()> wake;  // empty once the member is gone
    void notify();               // under the mutex
  };

  EmbeddedGroupMember(Broker& broker, GroupCoordinator& groups, Identity identity, GroupSubscription subscription);
  std::set<std::string> wanted_topics() const;
  std::map<std::string, int32_t> partition_counts(const std::set<std::string>& topics) const;
  bool must_rejoin();
  void send_join();
  Expected<bool> take_joined();
  void send_sync(const GroupJoined& joined);
  std::optional<News> take_synced();
  std::vector<std::pair<std::string, std::string>> assign(const std::vector<GroupJoined::Member>& members);

  Broker& broker_;
  GroupCoordinator& groups_;
  const Identity identity_;
  const GroupSubscription subscription_;
  std::unique_ptr<re2::RE2> pattern_;
  std::shared_ptr<Mail> mail_;
  Phase phase_ = Phase::kOutside;
  std::string member_id_;
  int32_t generation_ = -1;
  bool leader_ = false;
  std::set<std::string> joined_topics_;                // what the last JoinGroup said
  std::map<std::string, int32_t> assigned_of_counts_;  // leader: the partitions that the assignment was made of
};

/// Kafka's range assignor: per topic, members in the order of their instance or member ids get neighbouring partitions.
/// `counts` lists the topics that exist.
struct RangeMember {
  std::string member_id;
  std::optional<std::string> instance_id;
  std::set<std::string> topics;
};
std::map<std::string, std::vector<PartitionKey>> assign_range(std::vector<RangeMember> members,
                                                              const std::map<std::string, int32_t>& counts);

}  // namespace millrace
