// Members that come, go, fall silent and commit in random order, over a disk that lags and a coordinator that crashes.
// A failing seed is the bug report.
#include <gtest/gtest.h>

#include <random>

#include "broker/group/group_testing.h"

namespace millrace::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int32_t kPartitions = 6;
constexpr seconds kRebalanceTimeout{60};
// A step of the simulation is not longer.
constexpr milliseconds kStepMax{4000};

/// A client that follows the protocol when it is given a turn, and dies without a word.
struct Client {
  enum class Phase { kIdle, kJoining, kSyncing, kMember } phase = Phase::kIdle;
  std::string member_id;
  int32_t generation = -1;
  Held<GroupJoined> joined;
  Held<GroupSynced> synced;
  GroupTime parked_since{0};
  std::string assignment;  // one digit a partition
};

class Simulation {
 public:
  explicit Simulation(uint64_t seed) : random_(seed) {
    disk_.immediate = false;
    open();
  }

  void run(int steps) {
    for (int i = 0; i < steps && !::testing::Test::HasFailure(); ++i) step();
    // Whatever has happened: members that go on become a stable group.
    settle();
  }

 private:
  int roll(int sides) { return std::uniform_int_distribution<int>(0, sides - 1)(random_); }

  void open() {
    GroupCoordinatorOptions options;
    options.background = false;
    options.seed = random_();
    if (roll(2) == 0) options.initial_rebalance_delay = seconds(1);
    auto opened = GroupCoordinator::open(std::make_unique<MemoryOffsetsLog>(disk_), clock_, {}, options);
    ASSERT_TRUE(opened) << opened.error().message;
    groups_ = std::move(*opened);
  }

  void step() {
    switch (roll(20)) {
      case 0:
        clients_.emplace_back();
        break;
      case 1:
        if (!clients_.empty()) leave(static_cast<size_t>(roll(static_cast<int>(clients_.size()))));
        break;
      case 2:  // falls silent
        if (!clients_.empty()) clients_.erase(clients_.begin() + roll(static_cast<int>(clients_.size())));
        break;
      case 3:
        if (roll(10) == 0) crash();
        break;
      case 4:
      case 5:
      case 6:
        pass(milliseconds(roll(static_cast<int>(kStepMax.count()))));
        break;
      case 7:
      case 8:
        disk_.sync(static_cast<size_t>(roll(3)));
        break;
      default:
        if (!clients_.empty()) turn(clients_[static_cast<size_t>(roll(static_cast<int>(clients_.size())))]);
    }
    check();
  }

  void pass(milliseconds time) {
    disk_.sync();
    clock_.advance(time);
    groups_->run_timers();
    for (Client& client : clients_) check_parked(client);
  }

  /// Nobody waits longer than its timers say.
  void check_parked(const Client& client) {
    const bool parked = (client.phase == Client::Phase::kJoining && client.joined.parked()) ||
                        (client.phase == Client::Phase::kSyncing && client.synced.parked());
    if (!parked) return;
    EXPECT_LE(clock_.monotonic() - client.parked_since, kRebalanceTimeout + 2 * kStepMax) << client.member_id;
  }

  void check() {
    for (int32_t p = 0; p < kPartitions; ++p) {
      const auto all = groups_->committed("g");
      const auto found = all.find({"t", p});
      const int64_t now = found == all.end() ? 0 : found->second.offset;
      EXPECT_GE(now, *acknowledged_[p]) << "an acknowledged commit is lost";
    }
  }

  void turn(Client& client) {
    switch (client.phase) {
      case Client::Phase::kIdle:
        return join(client);
      case Client::Phase::kJoining:
        if (!client.joined.parked()) on_joined(client);
        return;
      case Client::Phase::kSyncing:
        if (!client.synced.parked()) on_synced(client);
        return;
      case Client::Phase::kMember:
        return live(client);
    }
  }

  void join(Client& client) {
    GroupJoin request;
    request.group_id = "g";
    request.member_id = client.member_id;
    request.client_id = "c";
    request.session_timeout = seconds(10);
    request.rebalance_timeout = kRebalanceTimeout;
    request.protocol_type = "consumer";
    request.protocols = {{"range", "x"}};
    request.knows_member_id_required = roll(4) != 0;
    client.assignment.clear();
    client.joined = {};
    client.phase = Client::Phase::kJoining;
    client.parked_since = clock_.monotonic();
    groups_->join(request, client.joined.receiver());
  }

  void on_joined(Client& client) {
    const GroupJoined& joined = *client.joined;
    client.phase = Client::Phase::kIdle;
    if (joined.error == KafkaError::kMemberIdRequired) client.member_id = joined.member_id;
    if (joined.error == KafkaError::kUnknownMemberId) client.member_id.clear();
    if (joined.error != KafkaError::kNone) return;
    EXPECT_GE(joined.generation, client.generation) << "generations only go up";
    client.member_id = joined.member_id;
    client.generation = joined.generation;
    std::vector<std::pair<std::string, std::string>> assignments;
    for (const auto& member : joined.members) assignments.emplace_back(member.member_id, "");
    for (int32_t p = 0; p < kPartitions && !assignments.empty(); ++p)
      assignments[static_cast<size_t>(p) % assignments.size()].second += static_cast<char>('0' + p);
    client.synced = {};
    client.phase = Client::Phase::kSyncing;
    client.parked_since = clock_.monotonic();
    groups_->sync({"g", client.member_id, {}, client.generation, "consumer", "range", std::move(assignments)},
                  client.synced.receiver());
  }

  void on_synced(Client& client) {
    client.phase = Client::Phase::kIdle;
    if (client.synced->error == KafkaError::kUnknownMemberId) client.member_id.clear();
    if (client.synced->error != KafkaError::kNone) return;
    client.phase = Client::Phase::kMember;
    client.assignment = client.synced->assignment;
    for (const char partition : client.assignment) {
      const auto [owner, first] = owners_.try_emplace({client.generation, partition}, client.member_id);
      EXPECT_EQ(owner->second, client.member_id) << "generation " << client.generation << ", partition " << partition;
    }
  }

  void live(Client& client) {
    if (roll(2) == 0 && !client.assignment.empty()) {
      const int32_t partition =
          client.assignment[static_cast<size_t>(roll(static_cast<int>(client.assignment.size())))] - '0';
      OffsetCommit commit;
      commit.who = {"g", client.member_id, {}, client.generation};
      commit.offsets = {{{"t", partition}, {.offset = ++next_offset_, .metadata = {}}}};
      groups_->commit(commit, [known = acknowledged_[partition], offset = next_offset_](KafkaError error) {
        if (error == KafkaError::kNone) *known = std::max(*known, offset);
      });
      return;
    }
    const KafkaError error = groups_->heartbeat({"g", client.member_id, {}, client.generation});
    if (error == KafkaError::kNone) return;
    client.phase = Client::Phase::kIdle;
    if (error != KafkaError::kRebalanceInProgress) client.member_id.clear();
  }

  void leave(size_t index) {
    if (!clients_[index].member_id.empty()) groups_->leave("g", {{clients_[index].member_id, {}}});
    clients_.erase(clients_.begin() + static_cast<ptrdiff_t>(index));
  }

  /// What was not on the disk is gone, and every request under way.
  void crash() {
    disk_.fail_waiting();
    groups_.reset();
    open();
    for (Client& client : clients_) {
      const bool parked = (client.phase == Client::Phase::kJoining && client.joined.parked()) ||
                          (client.phase == Client::Phase::kSyncing && client.synced.parked());
      if (parked) client.phase = Client::Phase::kIdle;
      // A generation that never reached the disk may be given out once more.
      client.generation = -1;
    }
    owners_.clear();
  }

  void settle() {
    while (clients_.size() < 3) clients_.emplace_back();
    for (int i = 0; i < 200; ++i) {
      for (Client& client : clients_) {
        turn(client);
        disk_.sync();
      }
      pass(milliseconds(1000));
    }
    std::set<char> covered;
    for (const Client& client : clients_) {
      EXPECT_EQ(client.phase, Client::Phase::kMember);
      EXPECT_EQ(client.generation, clients_.front().generation);
      covered.insert(client.assignment.begin(), client.assignment.end());
    }
    EXPECT_EQ(covered.size(), static_cast<size_t>(kPartitions));
    EXPECT_EQ(groups_->describe("g").members.size(), clients_.size()) << "nobody is left over";
    check();
  }

  std::mt19937_64 random_;
  ManualClock clock_;
  MemoryOffsetsDisk disk_;
  std::unique_ptr<GroupCoordinator> groups_;
  std::vector<Client> clients_;
  std::map<std::pair<int32_t, char>, std::string> owners_;
  int64_t next_offset_ = 0;
  std::vector<std::shared_ptr<int64_t>> acknowledged_ = [] {
    std::vector<std::shared_ptr<int64_t>> none;
    for (int32_t p = 0; p < kPartitions; ++p) none.push_back(std::make_shared<int64_t>(0));
    return none;
  }();
};

TEST(GroupSimulation, MembersComeAndGo) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Simulation(seed).run(400);
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace millrace::testing
