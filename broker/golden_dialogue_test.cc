// Recorded dialogues with Apache Kafka's broker, replayed: one test a file.
#include "broker/dialogue_testing.h"

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

TEST(KafkaDialogue, ApiVersions) {
  Dialogue dialogue({.golden_logs = true});
  for (int step = 1; step <= 5; ++step) dialogue.check(step, expect_versions);
  // Bytes behind the body: answered all the same.
  dialogue.check(14, [](const json& expected, const json& actual) {
    EXPECT_EQ(expected.get<std::string>().substr(8, 12), actual.get<std::string>().substr(8, 12));
  });
  dialogue.replay("api-versions");
}

TEST(KafkaDialogue, ListOffsets) { Dialogue({.golden_logs = true}).replay("list-offsets"); }

TEST(KafkaDialogue, Fetch) { Dialogue({.golden_logs = true}).replay("fetch"); }

TEST(KafkaDialogue, LeaderEpochs) { Dialogue({.golden_logs = true}).replay("leader-epochs"); }

TEST(KafkaDialogue, Produce) { Dialogue({.topics = dialogue_topics()}).replay("produce"); }

}  // namespace
}  // namespace millrace::testing
