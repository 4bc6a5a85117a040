// Every state of a classic group and what leads from one to another, with a clock and a disk that the test moves.
#include "broker/group/group_coordinator.h"

#include <gtest/gtest.h>

#include "broker/group/group_records.h"
#include "broker/group/group_testing.h"
#include "protocol/messages/consumer_protocol.h"

namespace millrace::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using E = KafkaError;
using Joined = Held<GroupJoined>;
using Synced = Held<GroupSynced>;
using Error = Held<KafkaError>;

std::string subscription(const std::vector<std::string_view>& topics) {
  ConsumerProtocolSubscription message;
  message.topics = topics;
  std::string out;
  WireWriter writer(out);
  writer.number<int16_t>(0);
  message.encode(writer, 0);
  return out;
}

class GroupCoordinatorTest : public ::testing::Test {
 protected:
  GroupCoordinatorTest() { open(); }
  void open() {
    groups_.reset();
    options_.background = false;
    options_.seed = 7;
    auto opened = GroupCoordinator::open(std::make_unique<MemoryOffsetsLog>(disk_), clock_, {}, options_);
    ASSERT_TRUE(opened) << opened.error().message;
    groups_ = std::move(*opened);
  }
  void pass(milliseconds time) {
    clock_.advance(time);
    groups_->run_timers();
  }
  GroupJoin request(const std::string& member = "", std::optional<std::string> instance = {}) {
    GroupJoin join;
    join.group_id = "g";
    join.member_id = member;
    join.instance_id = std::move(instance);
    join.client_id = "c";
    join.client_host = "/h";
    join.session_timeout = seconds(10);
    join.rebalance_timeout = seconds(60);
    join.protocol_type = "consumer";
    join.protocols = {{"range", subscription({"t"})}};
    return join;
  }
  Joined join(GroupJoin asked) {
    Joined held;
    groups_->join(std::move(asked), held.receiver());
    return held;
  }
  Joined join(const std::string& member = "") { return join(request(member)); }
  Synced sync(const std::string& member, int32_t generation,
              std::vector<std::pair<std::string, std::string>> assignments = {},
              std::optional<std::string> instance = {}) {
    Synced held;
    groups_->sync({"g", member, std::move(instance), generation, {}, {}, std::move(assignments)}, held.receiver());
    return held;
  }
  E heartbeat(const std::string& member, int32_t generation, std::optional<std::string> instance = {}) {
    return groups_->heartbeat({"g", member, std::move(instance), generation});
  }
  E leave(const std::string& member, std::optional<std::string> instance = {}) {
    return groups_->leave("g", {{member, std::move(instance)}}).front();
  }
  OffsetCommit to_commit(const std::string& member, int32_t generation, int64_t offset) {
    OffsetCommit commit;
    commit.who = {"g", member, {}, generation};
    commit.offsets = {{{"t", 0}, {.offset = offset, .metadata = "m"}}};
    return commit;
  }
  Error commit(const std::string& member, int32_t generation, int64_t offset) {
    Error held;
    groups_->commit(to_commit(member, generation, offset), held.receiver());
    return held;
  }
  std::string state() { return groups_->describe("g").state; }
  int64_t committed() {
    const auto all = groups_->committed("g");
    return all.contains({"t", 0}) ? all.at({"t", 0}).offset : -1;
  }
  /// One stable member.
  std::string stable_member() {
    const Joined joined = join();
    const Synced synced = sync(joined->member_id, joined->generation, {{joined->member_id, "all"}});
    EXPECT_EQ(synced->assignment, "all");
    return joined->member_id;
  }
  /// Two stable members, the first leads; generation 2.
  std::pair<std::string, std::string> two_stable_members() {
    const std::string first = stable_member();
    const Joined second = join();
    EXPECT_TRUE(second.parked());
    const Joined again = join(first);
    EXPECT_EQ(again->leader, first);
    EXPECT_EQ(again->members.size(), 2U);
    EXPECT_TRUE(second->members.empty());
    const Synced other = sync(second->member_id, 2);
    EXPECT_TRUE(other.parked());
    EXPECT_EQ(sync(first, 2, {{first, "a"}, {second->member_id, "b"}})->assignment, "a");
    EXPECT_EQ(other->assignment, "b");
    return {first, second->member_id};
  }

  ManualClock clock_;
  MemoryOffsetsDisk disk_;
  GroupCoordinatorOptions options_;
  std::unique_ptr<GroupCoordinator> groups_;
};

TEST_F(GroupCoordinatorTest, RequestsThatAreWrongInThemselves) {
  GroupJoin nameless = request();
  nameless.group_id = "";
  EXPECT_EQ(join(nameless)->error, E::kInvalidGroupId);
  for (const auto timeout : {milliseconds(5999), milliseconds(1'800'001)}) {
    GroupJoin hasty = request();
    hasty.session_timeout = timeout;
    EXPECT_EQ(join(hasty)->error, E::kInvalidSessionTimeout);
  }
  EXPECT_EQ(join("nobody")->error, E::kUnknownMemberId);
  GroupJoin mute = request();
  mute.protocols.clear();
  EXPECT_EQ(join(mute)->error, E::kInconsistentGroupProtocol);
  EXPECT_EQ(heartbeat("nobody", 1), E::kUnknownMemberId);
  EXPECT_EQ(sync("nobody", 1)->error, E::kUnknownMemberId);
  EXPECT_EQ(leave("nobody"), E::kUnknownMemberId);
}

TEST_F(GroupCoordinatorTest, ANewcomerLearnsItsIdFirst) {
  GroupJoin newcomer = request();
  newcomer.knows_member_id_required = true;
  const Joined told = join(newcomer);
  EXPECT_EQ(told->error, E::kMemberIdRequired);
  EXPECT_EQ(told->member_id.substr(0, 2), "c-");
  EXPECT_EQ(told->member_id.size(), 2U + 36U);
  newcomer.member_id = told->member_id;
  EXPECT_EQ(join(newcomer)->generation, 1);
  // An id that is not used in time is forgotten.
  newcomer.member_id.clear();
  const std::string unused = join(newcomer)->member_id;
  pass(seconds(10));
  EXPECT_EQ(join(unused)->error, E::kUnknownMemberId);
}

TEST_F(GroupCoordinatorTest, AJoinPhaseWaitsForIdsThatWereGivenOut) {
  const std::string first = stable_member();
  GroupJoin newcomer = request();
  newcomer.knows_member_id_required = true;
  const std::string second = join(newcomer)->member_id;
  const Joined third = join();
  const Joined again = join(first);
  EXPECT_TRUE(again.parked()) << "the id of the second member is out";
  const Joined joined = join(second);
  EXPECT_FALSE(again.parked());
  EXPECT_EQ(again->members.size(), 3U);
}

TEST_F(GroupCoordinatorTest, TheTableOfStates) {
  // Empty.
  Error simple = commit("", -1, 5);
  EXPECT_EQ(*simple, E::kNone);
  EXPECT_EQ(state(), "Empty");
  EXPECT_EQ(heartbeat("x", 0), E::kUnknownMemberId);
  // CompletingRebalance.
  const Joined first = join();
  const std::string id = first->member_id;
  EXPECT_EQ(state(), "CompletingRebalance");
  EXPECT_EQ(heartbeat(id, 1), E::kNone);
  EXPECT_EQ(*commit(id, 1, 6), E::kRebalanceInProgress);
  EXPECT_EQ(join(id)->generation, 1) << "asking again changes nothing";
  EXPECT_EQ(join(id)->members.size(), 1U);
  EXPECT_EQ(sync(id, 2)->error, E::kIllegalGeneration);
  EXPECT_EQ(sync("x", 1)->error, E::kUnknownMemberId);
  // Stable.
  EXPECT_EQ(sync(id, 1, {{id, "all"}})->assignment, "all");
  EXPECT_EQ(state(), "Stable");
  EXPECT_EQ(heartbeat(id, 1), E::kNone);
  EXPECT_EQ(heartbeat(id, 2), E::kIllegalGeneration);
  EXPECT_EQ(sync(id, 1)->assignment, "all");
  EXPECT_EQ(*commit(id, 1, 7), E::kNone);
  EXPECT_EQ(*commit(id, 0, 8), E::kIllegalGeneration);
  EXPECT_EQ(*commit("x", 1, 8), E::kUnknownMemberId);
  EXPECT_EQ(*commit("", -1, 8), E::kUnknownMemberId);
  EXPECT_EQ(committed(), 7);
  // PreparingRebalance.
  const Joined second = join();
  EXPECT_TRUE(second.parked());
  EXPECT_EQ(state(), "PreparingRebalance");
  EXPECT_EQ(heartbeat(id, 1), E::kRebalanceInProgress);
  EXPECT_EQ(sync(id, 1)->error, E::kRebalanceInProgress);
  EXPECT_EQ(*commit(id, 1, 9), E::kNone) << "before it gives its partitions up";
  EXPECT_EQ(leave(id), E::kNone);
  EXPECT_EQ(second->generation, 2);
  EXPECT_EQ(second->leader, second->member_id);
  // Back to Empty, and Dead.
  EXPECT_EQ(leave(second->member_id), E::kNone);
  EXPECT_EQ(state(), "Empty");
  EXPECT_EQ(*commit("", -1, 10), E::kNone);
  disk_.immediate = false;
  Error deleted;
  groups_->delete_group("g", deleted.receiver());
  EXPECT_TRUE(deleted.parked());
  EXPECT_EQ(join()->error, E::kCoordinatorNotAvailable);
  EXPECT_EQ(*commit("", -1, 11), E::kCoordinatorNotAvailable);
  disk_.sync();
  EXPECT_EQ(*deleted, E::kNone);
  EXPECT_EQ(committed(), -1);
  EXPECT_FALSE(groups_->describe("g").found);
}

TEST_F(GroupCoordinatorTest, FollowersAndLeadersWhoJoinAStableGroup) {
  const auto [leader, follower] = two_stable_members();
  EXPECT_EQ(join(follower)->generation, 2) << "an unchanged follower is told what is";
  EXPECT_EQ(state(), "Stable");
  EXPECT_TRUE(join(leader).parked()) << "a leader asks for a rebalance";
  EXPECT_EQ(state(), "PreparingRebalance");
}

TEST_F(GroupCoordinatorTest, AChangedFollowerRebalances) {
  const auto [leader, follower] = two_stable_members();
  GroupJoin changed = request(follower);
  changed.protocols = {{"range", subscription({"t", "u"})}};
  const Joined held = join(changed);
  EXPECT_TRUE(held.parked());
  EXPECT_EQ(heartbeat(leader, 2), E::kRebalanceInProgress);
  EXPECT_EQ(join(leader)->generation, 3);
  EXPECT_EQ(held->generation, 3);
}

TEST_F(GroupCoordinatorTest, TheProtocolIsVotedFor) {
  GroupJoin first = request();
  first.protocols = {{"range", "1"}, {"sticky", "2"}, {"own", "3"}};
  const std::string id = join(first)->member_id;
  GroupJoin second = request();
  second.protocols = {{"sticky", "4"}, {"range", "5"}};
  GroupJoin third = second;
  GroupJoin stranger = request();
  stranger.protocols = {{"roundrobin", ""}};
  EXPECT_EQ(join(stranger)->error, E::kInconsistentGroupProtocol);
  stranger = request();
  stranger.protocol_type = "connect";
  EXPECT_EQ(join(stranger)->error, E::kInconsistentGroupProtocol);
  const Joined b = join(second), c = join(third);
  first.member_id = id;
  const Joined a = join(first);
  EXPECT_EQ(*a->protocol, "sticky") << "two of three";
  EXPECT_EQ(a->members.front().metadata.size(), 1U);
}

TEST_F(GroupCoordinatorTest, WhoDoesNotJoinAgainIsLeftOut) {
  const auto [leader, follower] = two_stable_members();
  const Joined newcomer = join();
  for (int i = 0; i < 8; ++i) {  // the others stay alive and do not join
    pass(seconds(7));
    EXPECT_EQ(heartbeat(leader, 2), E::kRebalanceInProgress);
    EXPECT_EQ(heartbeat(follower, 2), E::kRebalanceInProgress);
  }
  EXPECT_TRUE(newcomer.parked());
  pass(seconds(4));
  ASSERT_FALSE(newcomer.parked()) << "the rebalance timeout has passed";
  EXPECT_EQ(newcomer->generation, 3);
  EXPECT_EQ(newcomer->members.size(), 1U);
  EXPECT_EQ(heartbeat(leader, 2), E::kUnknownMemberId);
}

TEST_F(GroupCoordinatorTest, SessionsExpire) {
  const auto [leader, follower] = two_stable_members();
  pass(seconds(9));
  EXPECT_EQ(heartbeat(leader, 2), E::kNone);
  EXPECT_EQ(*commit(follower, 2, 1), E::kNone) << "a commit is a sign of life";
  pass(seconds(9));
  EXPECT_EQ(state(), "Stable");
  EXPECT_EQ(heartbeat(leader, 2), E::kNone);
  pass(seconds(1));
  EXPECT_EQ(state(), "PreparingRebalance") << "the follower is gone";
  EXPECT_EQ(join(leader)->members.size(), 1U);
  pass(seconds(10));
  EXPECT_EQ(state(), "Empty");
  EXPECT_EQ(groups_->describe("g").protocol_type, "consumer");
}

TEST_F(GroupCoordinatorTest, ParkedMembersNeedNoHeartbeats) {
  const std::string leader = stable_member();
  const Joined newcomer = join();
  pass(seconds(9));
  EXPECT_EQ(heartbeat(leader, 1), E::kRebalanceInProgress);
  pass(seconds(9));
  EXPECT_EQ(join(leader)->generation, 2);
  const Synced held = sync(newcomer->member_id, 2);
  for (int i = 0; i < 3; ++i) {
    pass(seconds(8));
    EXPECT_EQ(heartbeat(leader, 2), E::kNone);
  }
  EXPECT_TRUE(held.parked());
  EXPECT_EQ(sync(leader, 2, {{newcomer->member_id, "n"}})->assignment, "");
  EXPECT_EQ(held->assignment, "n");
}

TEST_F(GroupCoordinatorTest, ANewcomerIsParkedForFiveMinutesAtMost) {
  GroupJoin patient = request();
  patient.rebalance_timeout = seconds(900);
  const std::string leader = join(patient)->member_id;
  sync(leader, 1, {});
  const Joined newcomer = join();
  for (int i = 0; i < 33; ++i) {
    pass(seconds(9));
    heartbeat(leader, 1);
  }
  EXPECT_TRUE(newcomer.parked());
  pass(seconds(3));
  EXPECT_EQ(newcomer->error, E::kUnknownMemberId);
}

TEST_F(GroupCoordinatorTest, WhoNeverSyncsIsRemoved) {
  const std::string leader = stable_member();
  const Joined newcomer = join();
  join(leader);
  const Synced held = sync(leader, 2, {{leader, "l"}});
  EXPECT_EQ(held->assignment, "l");
  for (int i = 0; i < 9; ++i) {
    pass(seconds(6));
    EXPECT_EQ(heartbeat(leader, 2), E::kNone);
    EXPECT_EQ(heartbeat(newcomer->member_id, 2), E::kNone);
  }
  pass(seconds(6));
  EXPECT_EQ(heartbeat(newcomer->member_id, 2), E::kUnknownMemberId);
  EXPECT_EQ(heartbeat(leader, 2), E::kRebalanceInProgress);
}

TEST_F(GroupCoordinatorTest, ALeaderThatDiesIsReplaced) {
  const auto [leader, follower] = two_stable_members();
  EXPECT_EQ(leave(leader), E::kNone);
  const Joined joined = join(follower);
  EXPECT_EQ(joined->leader, follower);
  EXPECT_EQ(joined->members.size(), 1U);
}

TEST_F(GroupCoordinatorTest, TheFirstGenerationWaitsForMembers) {
  options_.initial_rebalance_delay = seconds(3);
  open();
  const Joined first = join();
  pass(seconds(2));
  const Joined second = join();
  pass(seconds(1));
  EXPECT_TRUE(first.parked()) << "someone came, so it waits once more";
  pass(seconds(3));
  EXPECT_EQ(first->generation, 1);
  EXPECT_EQ(second->generation, 1);
  EXPECT_EQ(first->members.size() + second->members.size(), 2U);
}

TEST_F(GroupCoordinatorTest, AFullGroup) {
  options_.size_max = 1;
  open();
  const std::string only = stable_member();
  EXPECT_EQ(join()->error, E::kGroupMaxSizeReached);
  EXPECT_EQ(heartbeat(only, 1), E::kNone);
}

TEST_F(GroupCoordinatorTest, StaticMembersComeBackWithoutARebalance) {
  const Joined first = join(request("", "one"));
  EXPECT_EQ(first->member_id.substr(0, 4), "one-");
  sync(first->member_id, 1, {{first->member_id, "all"}}, "one");
  GroupJoin back = request("", "one");
  back.knows_skip_assignment = true;
  const Joined again = join(back);
  EXPECT_EQ(again->generation, 1);
  EXPECT_NE(again->member_id, first->member_id);
  EXPECT_TRUE(again->skip_assignment);
  EXPECT_EQ(again->members.size(), 1U);
  EXPECT_EQ(state(), "Stable");
  EXPECT_EQ(sync(again->member_id, 1, {}, "one")->assignment, "all");
  EXPECT_EQ(heartbeat(first->member_id, 1, "one"), E::kFencedInstanceId);
  EXPECT_EQ(join(request(first->member_id, "one"))->error, E::kFencedInstanceId);
  // Before v9 a leader is named the old leader, so that it computes nothing.
  const Joined old_client = join(request("", "one"));
  EXPECT_EQ(old_client->leader, again->member_id);
  EXPECT_TRUE(old_client->members.empty());
  // It stays through a rebalance that it misses, until its session ends or an administrator removes it.
  const Joined second = join();
  EXPECT_TRUE(second.parked());
  EXPECT_EQ(leave("", "two"), E::kUnknownMemberId);
  EXPECT_EQ(leave("x", "one"), E::kFencedInstanceId);
  EXPECT_EQ(leave("", "one"), E::kNone);
  EXPECT_EQ(second->members.size(), 1U);
}

TEST_F(GroupCoordinatorTest, AStaticReplacementThatCannotBeStoredChangesNothing) {
  const Joined first = join(request("", "one"));
  sync(first->member_id, 1, {{first->member_id, "all"}}, "one");
  disk_.broken = true;
  EXPECT_EQ(join(request("", "one"))->error, E::kCoordinatorNotAvailable);
  EXPECT_EQ(heartbeat(first->member_id, 1, "one"), E::kNone);
}

TEST_F(GroupCoordinatorTest, AnAssignmentCountsOnceItIsDurable) {
  const Joined joined = join();
  disk_.immediate = false;
  const Synced held = sync(joined->member_id, 1, {{joined->member_id, "all"}});
  EXPECT_TRUE(held.parked());
  EXPECT_EQ(state(), "CompletingRebalance");
  disk_.sync();
  EXPECT_EQ(held->assignment, "all");
  EXPECT_EQ(state(), "Stable");
  // When the disk fails, all are told and join again.
  EXPECT_TRUE(join().parked());
  join(joined->member_id);
  disk_.broken = true;
  EXPECT_EQ(sync(joined->member_id, 2, {})->error, E::kCoordinatorNotAvailable);
  EXPECT_EQ(heartbeat(joined->member_id, 2), E::kRebalanceInProgress);
}

TEST_F(GroupCoordinatorTest, MembersInsideTheProcessAreTold) {
  int told = 0;
  GroupJoin local = request();
  local.client_host = kInProcessHost;
  local.on_rebalance = [&] { ++told; };
  const std::string id = join(local)->member_id;
  sync(id, 1, {{id, "all"}});
  pass(seconds(3600));
  EXPECT_EQ(state(), "Stable") << "it needs no heartbeats";
  const Joined wire = join();
  EXPECT_EQ(told, 1);
  EXPECT_EQ(heartbeat(id, 1), E::kRebalanceInProgress);
  local.member_id = id;
  EXPECT_EQ(join(local)->generation, 2);
  sync(wire->member_id, 2, {});
  sync(id, 2, {{wire->member_id, "w"}, {id, "l"}});
  // After a restart it is gone with its process; the other goes on.
  open();
  EXPECT_EQ(heartbeat(wire->member_id, 2), E::kRebalanceInProgress);
  EXPECT_EQ(join(wire->member_id)->generation, 3);
}

TEST_F(GroupCoordinatorTest, AGroupIsLoadedAsItWas) {
  const auto [leader, follower] = two_stable_members();
  ASSERT_EQ(*commit(follower, 2, 42), E::kNone);
  open();
  EXPECT_EQ(state(), "Stable");
  EXPECT_EQ(committed(), 42);
  EXPECT_EQ(heartbeat(leader, 2), E::kNone);
  EXPECT_EQ(sync(follower, 2)->assignment, "b");
  pass(seconds(10));
  EXPECT_EQ(state(), "Empty") << "sessions count from the start";
  open();
  EXPECT_EQ(state(), "Empty");
  Error deleted;
  groups_->delete_group("g", deleted.receiver());
  EXPECT_EQ(*deleted, E::kNone);
  open();
  EXPECT_TRUE(groups_->list().empty());
}

TEST_F(GroupCoordinatorTest, CommitsCountOnceTheyAreDurable) {
  disk_.immediate = false;
  const Error first = commit("", -1, 1);
  const Error second = commit("", -1, 2);
  EXPECT_TRUE(first.parked());
  EXPECT_EQ(committed(), -1);
  disk_.sync(1);
  EXPECT_EQ(*first, E::kNone);
  EXPECT_EQ(committed(), 1);
  // A deletion takes what is still on its way along.
  Error deleted;
  groups_->delete_group("g", deleted.receiver());
  disk_.sync();
  EXPECT_EQ(*second, E::kNone);
  EXPECT_EQ(*deleted, E::kNone);
  EXPECT_EQ(committed(), -1);
  open();
  EXPECT_EQ(committed(), -1);
  disk_.broken = true;
  EXPECT_EQ(*commit("", -1, 3), E::kKafkaStorageError);
  EXPECT_EQ(committed(), -1);
}

TEST_F(GroupCoordinatorTest, OffsetsOfTransactionsWaitForTheMarker) {
  ASSERT_EQ(*commit("", -1, 1), E::kNone);
  const auto transactional = [&](int64_t producer, int64_t offset) {
    OffsetCommit request = to_commit("", -1, offset);
    request.producer_id = producer;
    request.producer_epoch = 0;
    Error held;
    groups_->commit(request, held.receiver());
    EXPECT_EQ(*held, E::kNone);
  };
  const auto unstable = [&] {
    bool result = false;
    groups_->read_offsets("g", [&](const GroupOffsets* offsets) { result = offsets->unstable({"t", 0}); });
    return result;
  };
  const int32_t partition = groups_->partition_of("g");
  const auto mark = [&](int64_t producer, bool commit) {
    disk_.append(partition, end_marker(producer, 0, commit),
                 [&](const Expected<int64_t>&) { groups_->complete_transaction(producer, partition, commit); });
  };
  transactional(9, 5);
  EXPECT_EQ(committed(), 1);
  EXPECT_TRUE(unstable());
  mark(9, false);
  EXPECT_EQ(committed(), 1);
  EXPECT_FALSE(unstable());
  transactional(9, 6);
  mark(9, true);
  EXPECT_EQ(committed(), 6);
  // A plain commit after the transaction's wins over it, though the marker comes last.
  transactional(9, 7);
  ASSERT_EQ(*commit("", -1, 8), E::kNone);
  mark(9, true);
  EXPECT_EQ(committed(), 8);
  transactional(10, 20);
  open();
  EXPECT_EQ(committed(), 8);
  EXPECT_TRUE(unstable()) << "the transaction is still open";
  mark(10, true);
  EXPECT_EQ(committed(), 20);
  open();
  EXPECT_EQ(committed(), 20);
}

TEST_F(GroupCoordinatorTest, OffsetsThatMayBeDeleted) {
  const std::string member = stable_member();
  OffsetCommit both = to_commit(member, 1, 5);
  both.offsets.push_back({{"u", 0}, {.offset = 6, .metadata = {}}});
  Error held;
  groups_->commit(both, held.receiver());
  std::vector<E> each;
  E all = E::kNone;
  const auto receive = [&](E error, std::vector<E> errors) {
    all = error;
    each = std::move(errors);
  };
  groups_->delete_offsets("g", {{"t", 0}, {"u", 0}, {"u", 7}}, receive);
  EXPECT_EQ(each, (std::vector<E>{E::kGroupSubscribedToTopic, E::kNone, E::kNone}));
  EXPECT_EQ(groups_->committed("g").size(), 1U);
  groups_->delete_offsets("no-group", {{"t", 0}}, receive);
  EXPECT_EQ(all, E::kGroupIdNotFound);
  groups_->on_topic_deleted("t");
  EXPECT_TRUE(groups_->committed("g").empty());
  open();
  EXPECT_TRUE(groups_->committed("g").empty());
  Error refused;
  groups_->delete_group("g", refused.receiver());
  EXPECT_EQ(*refused, E::kNonEmptyGroup);
}

TEST_F(GroupCoordinatorTest, OldOffsetsAndGroupsExpire) {
  using days = std::chrono::duration<int, std::ratio<86400>>;
  ASSERT_EQ(*commit("", -1, 5), E::kNone);
  OffsetCommit brief = to_commit("", -1, 1);
  brief.who.group_id = "brief";
  brief.retention_ms = 1000;
  groups_->commit(brief, [](E) {});
  pass(days(6));
  EXPECT_EQ(committed(), 5);
  EXPECT_FALSE(groups_->describe("brief").found) << "its own retention is over";
  pass(days(1));
  EXPECT_FALSE(groups_->describe("g").found);
  // With members only topics that they do not read expire; without, all do, counted from when the last one left.
  GroupJoin local = request();
  local.on_rebalance = [] {};
  const std::string member = join(local)->member_id;
  sync(member, 1, {});
  OffsetCommit both = to_commit(member, 1, 5);
  both.offsets.push_back({{"u", 0}, {.offset = 6, .metadata = {}}});
  groups_->commit(both, [](E) {});
  pass(days(8));
  EXPECT_EQ(groups_->committed("g").size(), 1U);
  leave(member);
  pass(days(6));
  EXPECT_EQ(committed(), 5);
  pass(days(1));
  EXPECT_FALSE(groups_->describe("g").found);
  open();
  EXPECT_TRUE(groups_->list().empty());
}

}  // namespace
}  // namespace millrace::testing
