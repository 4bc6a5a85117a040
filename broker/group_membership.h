/// Which member of a consumer group reads which partition, for consumers inside this process. A change of members,
/// topics or partitions starts a new generation: every member first gives up what it had (and may commit), then the
/// range assignment of the new generation is handed out. The wire coordinator speaks the same four verbs.
///
/// Pure: no I/O; time is passed in. Threads: any.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/error.h"
#include "log/log_manager.h"

namespace re2 {
class RE2;
}

namespace millrace {

struct GroupSubscription {
  std::set<std::string> topics;
  std::string pattern;  ///< RE2, matched against whole names; used when not empty
};

/// What a member has to do next.
struct GroupTurn {
  enum class Do { kContinue, kRevoke, kWait, kAssign, kRejoin } what = Do::kContinue;
  int32_t generation = -1;
  std::vector<PartitionKey> partitions;  ///< with kAssign
};

class GroupMembership {
 public:
  struct Options {
    std::chrono::milliseconds rebalance_timeout{300'000};  ///< who has not given up its partitions by then is put out
  };
  explicit GroupMembership(Options options);
  GroupMembership();
  ~GroupMembership();

  /// Adds a member and returns its id. `wake` (not null, alive until leave()) is told when turn() has news.
  /// Errors: kInvalidConfig for a pattern that RE2 refuses.
  Expected<std::string> join(const std::string& group, const std::string& client_id, GroupSubscription subscription,
                             LogListener* wake, std::chrono::nanoseconds now);
  void leave(const std::string& group, const std::string& member, std::chrono::nanoseconds now);

  /// What `member` has to do; called at every poll. After kRevoke the member calls revoked().
  GroupTurn turn(const std::string& group, const std::string& member, std::chrono::nanoseconds now);
  void revoked(const std::string& group, const std::string& member, std::chrono::nanoseconds now);

  /// kFenced unless `member` belongs to the group and has not missed a generation.
  Status check_commit(const std::string& group, const std::string& member, int32_t generation) const;
  bool has_members(const std::string& group) const;
  std::vector<std::string> groups() const;

  /// Replaces the known topics (partition counts by name); groups they concern start a new generation.
  void set_topics(std::map<std::string, int32_t> topics, std::chrono::nanoseconds now);

 private:
  struct Member;
  struct Group;
  std::set<std::string> topics_of(const Member& member) const;
  void start_generation(Group& group, std::chrono::nanoseconds now);
  void settle(Group& group, std::chrono::nanoseconds now);
  void assign_range(Group& group) const;
  const Options options_;
  mutable std::mutex mutex_;
  std::map<std::string, Group> groups_;
  std::map<std::string, int32_t> topics_;
  int64_t next_member_ = 0;
};

}  // namespace millrace
