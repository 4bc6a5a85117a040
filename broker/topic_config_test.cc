#include "broker/topic_config.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

std::string refusal(const std::string& name, const std::string& value) {
  const auto applied = apply_topic_configs({}, {{name, value}});
  EXPECT_FALSE(applied) << name << "=" << value;
  if (applied) return {};
  EXPECT_EQ(applied.error().exception, "org.apache.kafka.common.errors.InvalidConfigurationException");
  return applied.error().message;
}

TEST(TopicConfig, EveryDefaultIsValidAndMeansTheDefault) {
  std::string_view last;
  for (const TopicConfigDefinition& each : topic_config_definitions()) {
    EXPECT_LT(last, each.name) << "sorted";
    last = each.name;
    EXPECT_FALSE(each.documentation.empty()) << each.name;
    EXPECT_EQ(find_topic_config(each.name), &each);
    const auto applied = apply_topic_configs({}, {{std::string(each.name), std::string(each.default_value)}});
    EXPECT_TRUE(applied) << each.name << applied.error().message;
  }
  EXPECT_EQ(topic_config_definitions().size(), 33U);
}

TEST(TopicConfig, ValuesReachTheLog) {
  const auto config = apply_topic_configs({}, {{"cleanup.policy", "compact, delete"},
                                               {"compression.type", "gzip"},
                                               {"compression.gzip.level", "5"},
                                               {"segment.ms", "123"},
                                               {"min.cleanable.dirty.ratio", "0.25"},
                                               {"preallocate", "TRUE"},
                                               {"message.timestamp.type", "LogAppendTime"},
                                               {"flush.messages", "10"}});
  ASSERT_TRUE(config);
  EXPECT_TRUE(config->cleanup_compact && config->cleanup_delete);
  EXPECT_EQ(config->compression->codec, Codec::kGzip);
  EXPECT_EQ(config->compression->level, 5);
  EXPECT_EQ(config->segment_ms, 123);
  EXPECT_EQ(config->min_cleanable_dirty_ratio, 0.25);
  EXPECT_TRUE(config->preallocate && config->log_append_time);
  EXPECT_EQ(config->durability, Durability::kPageCache);
}

TEST(TopicConfig, WrongValuesAreRefusedInKafkasWords) {
  EXPECT_EQ(refusal("retention.ms", "abc"),
            "Invalid value abc for configuration retention.ms: Not a number of type LONG");
  EXPECT_EQ(refusal("retention.ms", "-2"),
            "Invalid value -2 for configuration retention.ms: Value must be at least -1");
  EXPECT_EQ(refusal("segment.bytes", "9999999999"),
            "Invalid value 9999999999 for configuration segment.bytes: Not a number of type INT");
  EXPECT_EQ(refusal("compression.zstd.level", "23"),
            "Invalid value 23 for configuration compression.zstd.level: Value must be no more than 22");
  EXPECT_EQ(refusal("preallocate", "yes"),
            "Invalid value yes for configuration preallocate: Expected value to be either true or false");
  EXPECT_EQ(refusal("cleanup.policy", "shred"),
            "Invalid value shred for configuration cleanup.policy: String must be one of: compact, delete");
  EXPECT_EQ(refusal("min.cleanable.dirty.ratio", "1.5"),
            "Invalid value 1.5 for configuration min.cleanable.dirty.ratio: Value must be no more than 1");
  EXPECT_EQ(refusal("no.such.config", "1"), "Unknown topic config name: no.such.config");
  refusal("leader.replication.throttled.replicas", "1:x");
  refusal("remote.storage.enable", "true");
  EXPECT_FALSE(apply_topic_configs({}, {{"min.compaction.lag.ms", "10"}, {"max.compaction.lag.ms", "5"}}));
  EXPECT_TRUE(apply_topic_configs({}, {{"message.downconversion.enable", "false"}})) << "Kafka 3 scripts run";
}

}  // namespace
}  // namespace millrace
