#include "runtime/topic_creation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace {
namespace {

using ::testing::HasSubstr;

const ConfigMap kDefaults = {{"topic.creation.default.partitions", "3"},
                             {"topic.creation.default.replication.factor", "-1"}};

ConfigMap with(ConfigMap more) {
  more.insert(kDefaults.begin(), kDefaults.end());
  return more;
}

std::string refusal(const ConfigMap& config) {
  const auto made = TopicCreation::from({}, config);
  return made ? "" : made.error().message;
}

TEST(TopicCreation, IsInUseOnlyWhenAskedForAndAllowed) {
  EXPECT_FALSE(TopicCreation::from({}, {{"topic", "t"}})->has_value());
  EXPECT_FALSE(TopicCreation::from({{"topic.creation.enable", "false"}}, kDefaults)->has_value());
  EXPECT_TRUE(TopicCreation::from({{"topic.creation.enable", "true"}}, kDefaults)->has_value());
}

TEST(TopicCreation, TheFirstGroupThatIncludesATopicWins) {
  const auto made = TopicCreation::from({}, with({{"topic.creation.groups", "logs, all"},
                                                  {"topic.creation.logs.include", "log.*,trace"},
                                                  {"topic.creation.logs.exclude", "login"},
                                                  {"topic.creation.logs.partitions", "12"},
                                                  {"topic.creation.logs.retention.ms", "1000"},
                                                  {"topic.creation.all.include", ".*in"}}));
  ASSERT_TRUE(made) << made.error().message;
  const NewTopic logs = (*made)->settings_for("logfile");
  EXPECT_EQ(logs.name, "logfile");
  EXPECT_EQ(logs.partitions, 12);
  EXPECT_EQ(logs.replication_factor, -1) << "inherited";
  EXPECT_EQ(logs.configs, (std::map<std::string, std::string>{{"retention.ms", "1000"}}));
  EXPECT_EQ((*made)->settings_for("login").partitions, 3);
  EXPECT_TRUE((*made)->settings_for("a-log").configs.empty()) << "the whole name must match";
}

TEST(TopicCreation, WrongSettingsAreRefusedInConnectsWords) {
  EXPECT_EQ(refusal({{"topic.creation.default.partitions", "1"}}),
            "Missing required configuration \"topic.creation.default.replication.factor\" which has no default value.");
  EXPECT_EQ(
      refusal({{"topic.creation.default.partitions", "0"}, {"topic.creation.default.replication.factor", "1"}}),
      "Invalid value 0 for configuration topic.creation.default.partitions: Number of partitions must be positive, "
      "or -1 to use the broker's default");
  EXPECT_THAT(refusal(with({{"topic.creation.groups", "g"}, {"topic.creation.g.include", "("}})),
              HasSubstr("for configuration topic.creation.g.include: Syntax error in regular expression: "));
  EXPECT_THAT(refusal(with({{"topic.creation.groups", "g,g"}})), HasSubstr("Duplicate alias provided."));
}

}  // namespace
}  // namespace millrace
