/// Config entries with values, sources and synonyms, as DescribeConfigs and CreateTopics answer them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/config_catalogue.h"

namespace millrace {

struct ConfigEntry {
  struct Synonym {
    std::string name;
    std::optional<std::string> value;
    ConfigSource source;
  };
  std::string name;
  std::optional<std::string> value = {};  ///< nothing for secrets too
  ConfigSource source = ConfigSource::kDefault;
  std::optional<ConfigType> type = {};  ///< nothing for configs that are not known
  bool read_only = false;
  bool sensitive = false;
  std::vector<Synonym> synonyms = {};  ///< in order of precedence
  std::string_view documentation = {};
};

/// All configs of a topic whose own ones are `own`.
std::vector<ConfigEntry> topic_config_entries(const BrokerConfigs& configs, int32_t node_id, const TopicConfigs& own);
/// All configs of this broker, with those that are set but not known.
std::vector<ConfigEntry> broker_config_entries(const BrokerConfigs& configs, int32_t node_id);
/// What is set for all brokers.
std::vector<ConfigEntry> cluster_config_entries(const BrokerConfigs& configs);
std::vector<ConfigEntry> group_config_entries(const BrokerConfigs& configs, const std::string& group);
/// What is set for the subscription.
std::vector<ConfigEntry> client_metrics_entries(const BrokerConfigs& configs, const std::string& subscription);

}  // namespace millrace
