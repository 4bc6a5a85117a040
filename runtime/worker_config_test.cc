#include "runtime/worker_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace millrace {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

ConfigMap minimal() {
  return {{"key.converter", "org.apache.kafka.connect.json.JsonConverter"},
          {"value.converter", "org.apache.kafka.connect.json.JsonConverter"}};
}

ConfigMap distributed(ConfigMap more = {}) {
  more.merge(minimal());
  more.merge(ConfigMap{
      {"group.id", "g"}, {"config.storage.topic", "c"}, {"offset.storage.topic", "o"}, {"status.storage.topic", "s"}});
  return more;
}

std::string mistake(ConfigMap more, WorkerMode mode = WorkerMode::kStandalone) {
  more.merge(mode == WorkerMode::kStandalone ? minimal() : distributed());
  const auto config = WorkerConfig::parse(std::move(more), mode);
  return config ? std::string() : config.error().message;
}

std::vector<std::string> keys_of(const std::vector<SettingRemark>& remarks) {
  std::vector<std::string> keys;
  for (const SettingRemark& remark : remarks) keys.push_back(remark.key);
  return keys;
}

TEST(WorkerConfig, StandaloneHeedsExactlyOnceToo) {
  ConfigMap settings = minimal();
  settings["exactly.once.source.support"] = "enabled";
  const auto config = WorkerConfig::parse(settings, WorkerMode::kStandalone);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->exactly_once_source, ExactlyOnceSource::kEnabled);
}

TEST(WorkerConfig, DefaultsAreKafkasAndTheLogIsEmbedded) {
  const auto config = WorkerConfig::parse(minimal());
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->log_dirs, "./millrace-data");
  EXPECT_EQ(config->offset_flush_interval.count(), 60'000);
  EXPECT_TRUE(config->bootstrap_servers.empty());
  EXPECT_THAT(config->listeners, ElementsAre("http://:8083"));
  EXPECT_EQ(config->offset_topic, "connect-offsets");
  EXPECT_EQ(config->offset_partitions, 1);
  EXPECT_THAT(config->notices, IsEmpty());
  EXPECT_THAT(config->warnings, IsEmpty());
}

TEST(WorkerConfig, DistributedDefaultsAndRequiredSettings) {
  const auto config = WorkerConfig::parse(distributed({{"exactly.once.source.support", "Preparing"},
                                                       {"connect.protocol", "COMPATIBLE"},
                                                       {"connector.client.config.override.policy", "Principal"},
                                                       {"offset.storage.segment.bytes", "1000"},
                                                       {"offset.storage.cleanup.policy", "delete"}}),
                                          WorkerMode::kDistributed);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->group_id, "g");
  EXPECT_EQ(config->status_topic, "s");
  EXPECT_EQ(config->offset_partitions, 25);
  EXPECT_EQ(config->status_partitions, 5);
  EXPECT_EQ(config->config_replication, 3);
  EXPECT_EQ(config->session_timeout.count(), 10'000);
  EXPECT_EQ(config->rebalance_delay_max.count(), 300'000);
  EXPECT_EQ(config->exactly_once_source, ExactlyOnceSource::kPreparing);
  EXPECT_EQ(config->connect_protocol, "compatible");
  EXPECT_EQ(config->override_policy, OverridePolicy::kPrincipal);
  EXPECT_THAT(config->offset_topic_settings, ElementsAre(Pair("segment.bytes", "1000")));
  EXPECT_THAT(keys_of(config->warnings), ElementsAre("offset.storage.cleanup.policy"));
  for (const char* key : {"group.id", "config.storage.topic", "offset.storage.topic", "status.storage.topic"}) {
    ConfigMap without = distributed();
    without.erase(key);
    EXPECT_EQ(WorkerConfig::parse(without, WorkerMode::kDistributed).error().message,
              fmt::format("Missing required configuration \"{}\" which has no default value.", key));
  }
}

TEST(WorkerConfig, MistakesAreToldInKafkasWords) {
  EXPECT_EQ(mistake({{"offset.flush.interval.ms", "soon"}}),
            "Invalid value soon for configuration offset.flush.interval.ms: Not a number of type LONG");
  EXPECT_EQ(mistake({{"topic.creation.enable", "maybe"}}),
            "Invalid value maybe for configuration topic.creation.enable: Expected value to be either true or false");
  EXPECT_EQ(mistake({{"key.converter", "Nope"}}),
            "Invalid value Nope for configuration key.converter: Class Nope could not be found.");
  EXPECT_EQ(mistake({{"status.storage.partitions", "0"}}, WorkerMode::kDistributed),
            "Invalid value 0 for configuration status.storage.partitions: Number of partitions must be positive, or -1 "
            "to use the broker's default");
  EXPECT_THAT(mistake({{"config.storage.replication.factor", "-2"}}, WorkerMode::kDistributed),
              HasSubstr("Replication factor must be positive and not larger than"));
  EXPECT_EQ(mistake({{"connect.protocol", "x"}}, WorkerMode::kDistributed),
            "Invalid value x for configuration connect.protocol: Invalid Connect protocol compatibility");
  EXPECT_EQ(mistake({{"exactly.once.source.support", "x"}}, WorkerMode::kDistributed),
            "Invalid value x for configuration exactly.once.source.support: String must be one of (case insensitive): "
            "DISABLED, ENABLED, PREPARING");
  EXPECT_THAT(mistake({{"connector.client.config.override.policy", "org.example.Mine"}}),
              HasSubstr("None, Principal or All"));
  EXPECT_THAT(mistake({{"inter.worker.signature.algorithm", "HmacSHA512"}}, WorkerMode::kDistributed),
              HasSubstr("must be present in inter.worker.verification.algorithms list"));
  ConfigMap settings = minimal();
  settings.erase("value.converter");
  EXPECT_EQ(WorkerConfig::parse(settings).error().message,
            "Missing required configuration \"value.converter\" which has no default value.");
}

TEST(WorkerConfig, SettingsWithoutEffectAreNoticesAndUnknownOnesWarnings) {
  ConfigMap settings = minimal();
  for (const char* key : {"plugin.discovery", "group.id", "offset.storage.file.filename", "sasl.kerberos.service.name",
                          "offset.flush.intervall.ms", "frobnicate", "producer.linger.ms", "log.retention.ms",
                          "broker.compression.type", "value.converter.schemas.enable"}) {
    settings[key] = "x";
  }
  const auto config = WorkerConfig::parse(settings);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_THAT(keys_of(config->notices), ElementsAre("group.id", "offset.storage.file.filename", "plugin.discovery",
                                                    "sasl.kerberos.service.name"));
  EXPECT_THAT(keys_of(config->warnings), ElementsAre("frobnicate", "offset.flush.intervall.ms"));
  EXPECT_EQ(config->warnings[0].message, "No such setting; it is ignored.");
  EXPECT_EQ(config->warnings[1].message, "No such setting; it is ignored. Did you mean offset.flush.interval.ms?");
}

TEST(WorkerConfig, TheLogsFolderMayBeNamedAsForABroker) {
  ConfigMap settings = minimal();
  settings["log.dir"] = "/one ";
  EXPECT_EQ(WorkerConfig::parse(settings)->log_dirs, "/one");
  settings["log.dirs"] = "/two";
  EXPECT_EQ(WorkerConfig::parse(settings)->log_dirs, "/two");
}

TEST(WorkerConfig, VariablesAreResolved) {
  ::setenv("MILLRACE_TEST_TOPIC", "from-the-environment", 1);
  ConfigMap settings = minimal();
  settings["config.providers"] = "env";
  settings["config.providers.env.class"] = "org.apache.kafka.common.config.provider.EnvVarConfigProvider";
  settings["offset.storage.topic"] = "${env:MILLRACE_TEST_TOPIC}";
  const auto config = WorkerConfig::parse(settings);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->offset_topic, "from-the-environment");
}

TEST(WorkerConfig, ALogOfAnEarlierVersionIsFound) {
  std::string folder = testing::TempDir() + "/worker.XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder);
  std::filesystem::create_directories("data");  // a source folder, say
  EXPECT_EQ(WorkerConfig::parse(minimal())->log_dirs, "./millrace-data");
  std::ofstream("data/meta.properties") << "version=1\n";
  const auto former = WorkerConfig::parse(minimal());
  EXPECT_EQ(former->log_dirs, "./data");
  EXPECT_THAT(keys_of(former->notices), ElementsAre("log.dirs"));
  std::filesystem::create_directories("millrace-data");
  EXPECT_EQ(WorkerConfig::parse(minimal())->log_dirs, "./millrace-data");
  std::filesystem::current_path(before);
  std::filesystem::remove_all(folder);
}

TEST(SplitList, RemovesBlanksAndEmptyTextHasNoElements) {
  EXPECT_EQ(split_list(" a , b,c "), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_TRUE(split_list("  ").empty());
}

TEST(Suggestions, AreNearAndOnlyNear) {
  const std::vector<std::string_view> known = {"tasks.max", "topics", "topic", "connection.url"};
  EXPECT_EQ(nearest_name("task.max", known), "tasks.max");
  EXPECT_EQ(nearest_name("takss.max", known), "tasks.max");
  EXPECT_EQ(nearest_name("conection.ulr", known), "connection.url");
  EXPECT_EQ(nearest_name("frobnicate", known), "");
  EXPECT_EQ(did_you_mean("topix", known), " Did you mean topic?");
}

}  // namespace
}  // namespace millrace
