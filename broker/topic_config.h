/// Topic configs by Kafka's names: which exist, what values they take, and what they mean to a partition log.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "core/error.h"
#include "log/log_config.h"

namespace millrace {

using TopicConfigs = std::map<std::string, std::string>;

/// The numbers are those of DescribeConfigs.
enum class TopicConfigType : int8_t { kBoolean = 1, kString = 2, kInt = 3, kLong = 5, kDouble = 6, kList = 7 };

/// One topic config as DescribeConfigs and kafka-configs list it.
struct TopicConfigDefinition {
  std::string_view name;
  TopicConfigType type;
  std::string_view default_value;
  /// The broker settings that give the topic its default, the strongest first; empty ones are unused.
  std::array<std::string_view, 3> synonyms;
  std::string_view documentation;
};

/// All topic configs, by name. Source: Kafka 4.3's definitions (names, types, defaults, bounds).
std::span<const TopicConfigDefinition> topic_config_definitions();
/// Null for an unknown name.
const TopicConfigDefinition* find_topic_config(std::string_view name);

/// `defaults` with `configs` applied. Configs that only steer replication or tiered storage are accepted and have no
/// effect, so are those that Kafka 4 has dropped. An explicit flush.messages above 1 loosens durability to the page
/// cache, as in Kafka. Errors: kInvalidConfig (InvalidConfigurationException) naming the config, its value and what is
/// allowed, in Kafka's words.
Expected<LogConfig> apply_topic_configs(LogConfig defaults, const TopicConfigs& configs);

/// Kafka's rules for topic names: 1 to 249 of [a-zA-Z0-9._-], not "." or "..". Errors: kInvalidConfig.
Status check_topic_name(std::string_view name);

}  // namespace millrace
