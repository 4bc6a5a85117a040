/// Topic configs by Kafka's names: which exist, what values they take, and what they mean to a partition log.
#pragma once

#include <map>
#include <string>

#include "core/error.h"
#include "log/log_config.h"

namespace millrace {

using TopicConfigs = std::map<std::string, std::string>;

/// `defaults` with `configs` applied. Configs that only steer replication or tiered storage are accepted and have no
/// effect. An explicit flush.messages above 1 loosens durability to the page cache, as in Kafka.
/// Errors: kInvalidConfig naming the config, its value and what is allowed.
Expected<LogConfig> apply_topic_configs(LogConfig defaults, const TopicConfigs& configs);

/// Kafka's rules for topic names: 1 to 249 of [a-zA-Z0-9._-], not "." or "..". Errors: kInvalidConfig.
Status check_topic_name(std::string_view name);

}  // namespace millrace
