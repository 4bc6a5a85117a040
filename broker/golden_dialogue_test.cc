// Recorded dialogues with Apache Kafka's broker, replayed: one test a file.
#include "broker/dialogue_testing.h"
#include "broker/transaction/transaction_coordinator.h"
#include "protocol/golden_testing.h"

namespace millrace::testing {
namespace {

using nlohmann::json;

/// Versions are those of another release: every API that Kafka 3.9 serves and we serve goes at least as far.
void expect_versions(const json& expected, const json& actual) {
  EXPECT_EQ(expected["errorCode"], actual["errorCode"]);
  std::map<int, json> ours;
  for (const json& api : actual["apiKeys"]) ours[api["apiKey"].get<int>()] = api;
  for (const json& api : expected["apiKeys"]) {
    const auto found = ours.find(api["apiKey"].get<int>());
    if (found == ours.end()) continue;
    EXPECT_EQ(api["minVersion"], found->second["minVersion"]) << api;
    EXPECT_LE(api["maxVersion"].get<int>(), found->second["maxVersion"].get<int>()) << api;
  }
}

/// The selection that lies in the sources leaves the large recordings out; anywhere else a missing file is a failure.
#define SKIP_UNLESS_RECORDED(name)                                                                 \
  if (golden_root() == std::filesystem::path(MILLRACE_SOURCE_DIR) / "tests" / "golden" &&          \
      !std::filesystem::exists(golden_root() / "kafka-dialogue" / (std::string(name) + ".jsonl"))) \
  GTEST_SKIP() << name << " is not in the selection of recordings"

TEST(KafkaDialogue, ApiVersions) {
  SKIP_UNLESS_RECORDED("api-versions");
  Dialogue dialogue({.golden_logs = true});
  for (int step = 1; step <= 5; ++step) dialogue.check(step, expect_versions);
  // Bytes behind the body: answered all the same.
  dialogue.check(14, [](const json& expected, const json& actual) {
    EXPECT_EQ(expected.get<std::string>().substr(8, 12), actual.get<std::string>().substr(8, 12));
  });
  dialogue.replay("api-versions");
}

TEST(KafkaDialogue, ListOffsets) {
  SKIP_UNLESS_RECORDED("list-offsets");
  Dialogue({.golden_logs = true}).replay("list-offsets");
}

TEST(KafkaDialogue, Fetch) {
  SKIP_UNLESS_RECORDED("fetch");
  Dialogue({.golden_logs = true}).replay("fetch");
}

TEST(KafkaDialogue, LeaderEpochs) {
  SKIP_UNLESS_RECORDED("leader-epochs");
  Dialogue({.golden_logs = true}).replay("leader-epochs");
}

TEST(KafkaDialogue, Produce) { Dialogue({.topics = dialogue_topics()}).replay("produce"); }

TEST(KafkaDialogue, Idempotent) { Dialogue({.topics = dialogue_topics()}).replay("idempotent"); }

void expect_same_but_for_bytes(json expected, json actual) {
  for (json* answer : {&expected, &actual}) {
    for (json& partition : (*answer)["responses"][0]["partitions"]) {
      partition["records_bytes"].erase("sha256");
      for (json& aborted : partition["abortedTransactions"]) aborted.erase("producerId");
    }
  }
  EXPECT_EQ(expected, actual);
}

TEST(KafkaDialogue, Transactional) {
  Dialogue dialogue({.topics = dialogue_topics()});
  // The recording lists a transaction of another recording too.
  dialogue.check(8, [](const json& expected, const json& actual) {
    ASSERT_EQ(actual["transactionStates"].size(), 1u);
    EXPECT_EQ(actual["transactionStates"][0]["transactionalId"], "dlg-tx");
    EXPECT_EQ(actual["transactionStates"][0]["transactionState"], "Ongoing");
    EXPECT_EQ(actual["unknownStateFilters"], expected["unknownStateFilters"]);
  });
  // The bytes hold the producer's id and the time of the markers.
  for (const int step : {13, 19}) dialogue.check(step, expect_same_but_for_bytes);
  dialogue.replay("transactional");
}

TEST(KafkaDialogue, TransactionsThatKafkaHasLeftOpen) {
  SKIP_UNLESS_RECORDED("fetch");  // lies beside the logs it needs
  Dialogue dialogue({.golden_logs = true});
  const auto found = dialogue.node().services().transactions.describe("vec-txn-d");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->state.producer.id, 4);
  EXPECT_GT(dialogue.node().services().transactions.list().size(), 3u);
}

TEST(KafkaDialogue, Groups) {
  Dialogue dialogue({.topics = dialogue_topics()});
  // The recording lists groups of other recordings too.
  dialogue.check(23, [](const json& expected, const json& actual) {
    const json ours = json::array({{{"groupId", "dlg-g"}, {"protocolType", "consumer"}, {"groupState", "Stable"}},
                                   {{"groupId", "dlg-simple"}, {"protocolType", ""}, {"groupState", "Empty"}}});
    EXPECT_EQ(actual["groups"], ours);
    for (const json& group : ours)
      EXPECT_TRUE(std::ranges::find(expected["groups"], group) != expected["groups"].end());
  });
  dialogue.replay("groups");
}

TEST(KafkaDialogue, Admin) {
  Dialogue dialogue({.topics = dialogue_topics(), .configure = [](NodeOptions& node) {
                       node.settings = {{"accept.replication.factor", "false"}, {"message.max.bytes", "20971520"}};
                     }});
  dialogue.replay("produce");  // the records that are deleted
  dialogue.replay("admin");
}

}  // namespace
}  // namespace millrace::testing
