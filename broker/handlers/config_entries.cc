#include "broker/handlers/config_entries.h"

#include <fmt/format.h>

#include <algorithm>

namespace millrace {
namespace {

bool secret(const ConfigDefinition* known) { return known == nullptr || known->type == ConfigType::kPassword; }

std::optional<std::string> shown(const ConfigDefinition* known, std::string value) {
  if (secret(known)) return std::nullopt;
  return value;
}

void add_set(std::vector<ConfigEntry::Synonym>& found, const std::vector<std::string_view>& names,
             const ConfigMap& values, ConfigSource source) {
  for (const std::string_view name : names) {
    const auto at = values.find(std::string(name));
    if (at != values.end()) found.push_back({std::string(name), shown(broker_config(name), at->second), source});
  }
}

/// All places that give the broker config `name` a value, the strongest first. As in Kafka, what comes before the first
/// one under the asked name does not count (log.retention.hours for log.retention.ms).
std::vector<ConfigEntry::Synonym> broker_values(const BrokerConfigs& configs, int32_t node_id, std::string_view name) {
  const std::vector<std::string_view> names = broker_config_names(name);
  std::vector<ConfigEntry::Synonym> found;
  using enum ConfigSource;
  add_set(found, names, configs.dynamic(ConfigResourceType::kBroker, std::to_string(node_id)), kDynamicBroker);
  add_set(found, names, configs.dynamic(ConfigResourceType::kBroker, ""), kDynamicDefaultBroker);
  add_set(found, names, configs.settings(), kStaticBroker);
  for (const std::string_view each : names) {
    const ConfigDefinition* known = broker_config(each);
    if (known != nullptr && known->default_value != nullptr)
      found.push_back({std::string(each), shown(known, known->default_value), kDefault});
  }
  found.erase(found.begin(), std::ranges::find(found, name, &ConfigEntry::Synonym::name));
  return found;
}

}  // namespace

std::vector<ConfigEntry> topic_config_entries(const BrokerConfigs& configs, int32_t node_id, const TopicConfigs& own) {
  std::vector<ConfigEntry> entries;
  const auto defaults = topic_defaults(configs.effective());
  for (const TopicConfigDefinition& known : listed_topic_configs()) {
    ConfigEntry entry{
        .name = std::string(known.name), .type = config_type(known.type), .documentation = known.documentation};
    if (!known.synonyms.front().empty()) entry.synonyms = broker_values(configs, node_id, known.synonyms.front());
    if (const auto set = own.find(entry.name); set != own.end()) {
      entry.value = set->second;
      entry.synonyms.insert(entry.synonyms.begin(), {entry.name, set->second, ConfigSource::kTopic});
    } else if (defaults && defaults->contains(entry.name)) {
      entry.value = defaults->at(entry.name);
    } else {
      entry.value = std::string(known.default_value);
    }
    if (!entry.synonyms.empty()) entry.source = entry.synonyms.front().source;
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::vector<ConfigEntry> broker_config_entries(const BrokerConfigs& configs, int32_t node_id) {
  std::vector<ConfigEntry> entries;
  ConfigMap effective = configs.effective();
  for (const ConfigDefinition& known : broker_config_definitions()) {
    ConfigEntry entry{.name = std::string(known.name),
                      .type = known.type,
                      .read_only = !known.dynamic,
                      .sensitive = secret(&known),
                      .synonyms = broker_values(configs, node_id, known.name),
                      .documentation = known.documentation};
    if (!entry.synonyms.empty()) entry.source = entry.synonyms.front().source;
    if (const auto set = effective.extract(entry.name)) {
      entry.value = shown(&known, set.mapped());
    } else if (known.default_value != nullptr) {
      entry.value = shown(&known, known.default_value);
    }
    entries.push_back(std::move(entry));
  }
  for (const auto& [name, value] : effective) {
    ConfigEntry entry{.name = name,
                      .read_only = true,
                      .sensitive = true,
                      .synonyms = broker_values(configs, node_id, name),
                      .documentation = ""};
    if (!entry.synonyms.empty()) entry.source = entry.synonyms.front().source;
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::vector<ConfigEntry> cluster_config_entries(const BrokerConfigs& configs) {
  std::vector<ConfigEntry> entries;
  for (const auto& [name, value] : configs.dynamic(ConfigResourceType::kBroker, "")) {
    const ConfigDefinition* known = broker_config(name);
    ConfigEntry entry{.name = name,
                      .value = shown(known, value),
                      .source = ConfigSource::kDynamicDefaultBroker,
                      .read_only = known == nullptr || !known->dynamic,
                      .sensitive = secret(known),
                      .synonyms = {{name, shown(known, value), ConfigSource::kDynamicDefaultBroker}},
                      .documentation = known == nullptr ? "" : known->documentation};
    if (known != nullptr) entry.type = known->type;
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::vector<ConfigEntry> group_config_entries(const BrokerConfigs& configs, const std::string& group) {
  std::vector<ConfigEntry> entries;
  const ConfigMap set = configs.dynamic(ConfigResourceType::kGroup, group);
  for (const ConfigDefinition& known : group_config_definitions()) {
    ConfigEntry entry{.name = std::string(known.name), .type = known.type, .documentation = known.documentation};
    const auto found = set.find(entry.name);
    entry.value = found != set.end() ? found->second : configs.value(fmt::format("group.{}", known.name)).value_or("");
    entry.source = found != set.end() ? ConfigSource::kGroup : ConfigSource::kDefault;
    entry.synonyms.push_back({entry.name, entry.value, entry.source});
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::vector<ConfigEntry> client_metrics_entries(const BrokerConfigs& configs, const std::string& subscription) {
  std::vector<ConfigEntry> entries;
  for (const auto& [name, value] : configs.dynamic(ConfigResourceType::kClientMetrics, subscription)) {
    entries.push_back({.name = name, .value = value, .source = ConfigSource::kClientMetrics, .documentation = ""});
  }
  return entries;
}

}  // namespace millrace
