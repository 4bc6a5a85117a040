#include "broker/config_catalogue.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "broker/handlers/config_entries.h"
#include "protocol/kafka_error.h"

namespace millrace {
namespace {

constexpr auto kBroker = ConfigResourceType::kBroker;
constexpr auto kGroup = ConfigResourceType::kGroup;

class ConfigCatalogue : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "configs-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<BrokerConfigs> open(ConfigMap settings = {}) {
    auto opened = BrokerConfigs::open(files_, folder_, 1, std::move(settings));
    EXPECT_TRUE(opened) << (opened ? "" : opened.error().message);
    return std::move(*opened);
  }
  static ConfigEntry entry(const std::vector<ConfigEntry>& entries, std::string_view name) {
    for (const ConfigEntry& each : entries) {
      if (each.name == name) return each;
    }
    ADD_FAILURE() << "no entry " << name;
    return {};
  }

  PosixFileSystem files_;
  Path folder_;
};

TEST_F(ConfigCatalogue, BrokerSettingsAreDefaultsOfTopics) {
  auto defaults = topic_defaults(
      {{"log.retention.hours", "2"}, {"message.max.bytes", "7"}, {"log.roll.ms", "5"}, {"log.roll.hours", "9"}});
  ASSERT_TRUE(defaults);
  EXPECT_EQ(*defaults, (TopicConfigs{{"retention.ms", "7200000"}, {"max.message.bytes", "7"}, {"segment.ms", "5"}}));
  EXPECT_EQ(topic_defaults({{"log.retention.minutes", "-1"}})->at("retention.ms"), "-1");
  EXPECT_FALSE(topic_defaults({{"log.retention.hours", "soon"}}));
}

TEST_F(ConfigCatalogue, TheStrongestPlaceCounts) {
  auto configs = open({{"log.segment.bytes", "1000"}});
  EXPECT_EQ(configs->value("log.segment.bytes"), "1000");
  EXPECT_EQ(configs->value("num.partitions"), "1");
  EXPECT_EQ(configs->value("no.such"), std::nullopt);
  ASSERT_TRUE(configs->replace(kBroker, "", {{"log.segment.bytes", "2000"}}));
  ASSERT_TRUE(configs->replace(kBroker, "1", {{"log.segment.bytes", "3000"}}));
  EXPECT_EQ(configs->value("log.segment.bytes"), "3000");
  const ConfigEntry shown = entry(topic_config_entries(*configs, 1, {}), "segment.bytes");
  EXPECT_EQ(shown.value, "3000");
  EXPECT_EQ(shown.source, ConfigSource::kDynamicBroker);
  ASSERT_EQ(shown.synonyms.size(), 4u);
  EXPECT_EQ(shown.synonyms[2].value, "1000");
  EXPECT_EQ(shown.synonyms[3].source, ConfigSource::kDefault);
  const ConfigEntry own = entry(topic_config_entries(*configs, 1, {{"segment.bytes", "14"}}), "segment.bytes");
  EXPECT_EQ(own.value, "14");
  EXPECT_EQ(own.source, ConfigSource::kTopic);
}

TEST_F(ConfigCatalogue, DynamicConfigsSurviveARestart) {
  ASSERT_TRUE(open()->replace(kGroup, "g", {{"consumer.session.timeout.ms", "50000"}}));
  auto again = open();
  EXPECT_EQ(again->dynamic(kGroup, "g").at("consumer.session.timeout.ms"), "50000");
  EXPECT_EQ(again->names(kGroup), std::vector<std::string>{"g"});
  ASSERT_TRUE(again->replace(kGroup, "g", {}));
  EXPECT_TRUE(open()->names(kGroup).empty());
  ASSERT_TRUE(files_.write_file_atomically(folder_ / "broker-configs.json", "[]"));
  EXPECT_EQ(BrokerConfigs::open(files_, folder_, 1, {}).error().code, ErrorCode::kCorruption);
}

TEST_F(ConfigCatalogue, WhatCannotBeSetIsRefused) {
  auto configs = open();
  const auto error = [&](ConfigResourceType type, const std::string& name, const ConfigMap& wanted) {
    const Status checked = configs->check(type, name, wanted);
    return checked ? KafkaError::kNone : kafka_error_of(checked.error());
  };
  EXPECT_EQ(error(kBroker, "", {{"log.retention.ms", "5"}}), KafkaError::kNone);
  EXPECT_EQ(error(kBroker, "", {{"num.partitions", "5"}}), KafkaError::kInvalidRequest);
  EXPECT_EQ(error(kBroker, "", {{"log.retention.ms", "soon"}}), KafkaError::kInvalidRequest);
  EXPECT_EQ(error(kBroker, "", {{"log.cleanup.policy", "burn"}}), KafkaError::kInvalidRequest);
  EXPECT_EQ(error(kBroker, "2", {}), KafkaError::kInvalidRequest);
  EXPECT_EQ(error(kGroup, "g", {{"consumer.session.timeout.ms", "50000"}}), KafkaError::kNone);
  EXPECT_EQ(error(kGroup, "g", {{"consumer.session.timeout.ms", "1"}}), KafkaError::kInvalidConfig);
  EXPECT_EQ(error(kGroup, "g", {{"colour", "red"}}), KafkaError::kInvalidConfig);
  EXPECT_EQ(error(ConfigResourceType::kClientMetrics, "m", {{"match", "client_id=a"}}), KafkaError::kNone);
  EXPECT_EQ(error(ConfigResourceType::kClientMetrics, "m", {{"match", "colour=red"}}), KafkaError::kInvalidConfig);
  EXPECT_EQ(error(ConfigResourceType::kClientMetrics, "m", {{"interval.ms", "1"}}), KafkaError::kInvalidRequest);
}

TEST_F(ConfigCatalogue, SecretsAreNotShown) {
  auto configs = open({{"ssl.keystore.password", "hush"}, {"my.plugin.key", "hush"}});
  for (const ConfigEntry& each : broker_config_entries(*configs, 1)) {
    EXPECT_NE(each.value, "hush") << each.name;
    for (const auto& synonym : each.synonyms) EXPECT_NE(synonym.value, "hush") << each.name;
  }
}

TEST_F(ConfigCatalogue, ListenersHearOfChanges) {
  auto configs = open();
  int heard = 0;
  configs->on_change([&] { ++heard; });
  ASSERT_TRUE(configs->replace(kBroker, "", {{"log.retention.ms", "5"}}));
  ASSERT_TRUE(configs->replace(kGroup, "g", {{"consumer.session.timeout.ms", "50000"}}));
  EXPECT_EQ(heard, 1);
}

}  // namespace
}  // namespace millrace
