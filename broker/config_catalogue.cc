#include "broker/config_catalogue.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

namespace millrace {
namespace {

constexpr std::string_view kFile = "broker-configs.json";
constexpr std::array kStored = {
    std::pair{ConfigResourceType::kBroker, "brokers"},
    std::pair{ConfigResourceType::kGroup, "groups"},
    std::pair{ConfigResourceType::kClientMetrics, "clientMetrics"},
};
constexpr int64_t kPushIntervalMin = 100;
constexpr int64_t kPushIntervalMax = 3'600'000;
const std::set<std::string, std::less<>> kClientMatches = {"client_instance_id",    "client_id",
                                                           "client_software_name",  "client_software_version",
                                                           "client_source_address", "client_source_port"};

tl::unexpected<Error> refused(std::string_view exception, std::string message) {
  return fail(Error{ErrorCode::kInvalidConfig,
                    std::move(message),
                    fmt::format("org.apache.kafka.common.errors.{}", exception),
                    {},
                    {}});
}

/// A parser of values by type, with Kafka's messages; the definitions themselves live in tables.
const ConfigDef& value_parser() {
  static const ConfigDef parser = *ConfigDef::create({});
  return parser;
}

Status check_type(std::string_view name, const std::string& value, ConfigType type) {
  auto parsed = value_parser().parse_value(name, value, type);
  if (!parsed) return refused("InvalidConfigurationException", parsed.error().message);
  return {};
}

Status check_group(const std::string& name, const ConfigMap& configs, const BrokerConfigs& broker) {
  if (name.empty()) return refused("InvalidRequestException", "Default group resources are not allowed.");
  const auto number = [](const std::string& text) { return std::strtoll(text.c_str(), nullptr, 10); };
  std::map<std::string, int64_t, std::less<>> values;
  for (const ConfigDefinition& known : group_config_definitions()) {
    const std::string from_broker = *broker.value(fmt::format("group.{}", known.name));
    const auto set = configs.find(std::string(known.name));
    const std::string& text = set == configs.end() ? from_broker : set->second;
    if (auto typed = check_type(known.name, text, known.type); !typed) return typed;
    values[std::string(known.name)] = number(text);
  }
  for (const auto& [key, value] : configs) {
    if (!values.contains(key))
      return refused("InvalidConfigurationException", fmt::format("Unknown group config name: {}", key));
    const std::string rest = key.substr(key.find('.') + 1);
    for (const std::string_view bound : {"min", "max"}) {
      const std::string limit_name = fmt::format("group.consumer.{}.{}", bound, rest);
      const int64_t limit = number(broker.value(limit_name).value_or("0"));
      if (bound == "min" ? values[key] < limit : values[key] > limit) {
        return refused("InvalidConfigurationException", fmt::format("{} must be {} than or equal to {}", key,
                                                                    bound == "min" ? "greater" : "less", limit_name));
      }
    }
  }
  if (values["consumer.session.timeout.ms"] > values["consumer.heartbeat.interval.ms"]) return {};
  return refused("InvalidConfigurationException",
                 "consumer.session.timeout.ms must be greater than consumer.heartbeat.interval.ms");
}

Status check_client_match(std::string_view text) {
  while (!text.empty()) {
    const std::string_view pattern = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), pattern.size() + 1));
    const size_t equals = pattern.find('=');
    std::string_view name = pattern.substr(0, equals);
    while (name.starts_with(' ')) name.remove_prefix(1);
    while (name.ends_with(' ')) name.remove_suffix(1);
    const bool one_value = equals != std::string_view::npos && equals + 1 < pattern.size() &&
                           pattern.find('=', equals + 1) == std::string_view::npos;
    if (!one_value || !kClientMatches.contains(name)) {
      return refused("InvalidConfigurationException", fmt::format("Illegal client matching pattern: {}", pattern));
    }
  }
  return {};
}

Status check_client_metrics(const std::string& name, const ConfigMap& configs) {
  if (name.empty()) return refused("InvalidRequestException", "Subscription name can't be empty");
  for (const auto& [key, value] : configs) {
    if (key == "metrics") continue;
    if (key == "match") {
      if (auto checked = check_client_match(value); !checked) return checked;
    } else if (key == "interval.ms") {
      if (auto typed = check_type(key, value, ConfigType::kInt); !typed) return typed;
      const int64_t interval = std::strtoll(value.c_str(), nullptr, 10);
      if (interval < kPushIntervalMin || interval > kPushIntervalMax) {
        return refused("InvalidRequestException",
                       fmt::format("Invalid value {} for interval.ms, interval must be between {} and {} (1 hour)",
                                   value, kPushIntervalMin, kPushIntervalMax));
      }
    } else {
      return refused("InvalidRequestException", fmt::format("Unknown client metrics configuration: {}", key));
    }
  }
  return {};
}

}  // namespace

BrokerConfigs::BrokerConfigs(FileSystem& fs, Path directory, int32_t node_id, ConfigMap settings)
    : fs_(fs), path_(std::move(directory) / kFile), node_id_(node_id), settings_(std::move(settings)) {}

Expected<std::unique_ptr<BrokerConfigs>> BrokerConfigs::open(FileSystem& fs, Path directory, int32_t node_id,
                                                             ConfigMap settings) {
  std::unique_ptr<BrokerConfigs> configs(new BrokerConfigs(fs, std::move(directory), node_id, std::move(settings)));
  if (auto loaded = configs->load(); !loaded) return fail(std::move(loaded.error()));
  return configs;
}

Status BrokerConfigs::load() {
  if (!fs_.exists(path_)) return {};
  auto content = fs_.read_file(path_);
  if (!content) return fail(std::move(content.error()));
  const auto broken = [&] {
    return fail(ErrorCode::kCorruption,
                fmt::format("{} does not hold the dynamic configs it should: restore it, or remove it to start without",
                            path_.string()));
  };
  const auto json = nlohmann::json::parse(*content, nullptr, false);
  if (!json.is_object()) return broken();
  for (const auto& [type, section] : kStored) {
    if (!json.contains(section)) continue;
    if (!json[section].is_object()) return broken();
    for (const auto& [name, configs] : json[section].items()) {
      if (!configs.is_object()) return broken();
      for (const auto& [key, value] : configs.items()) {
        if (!value.is_string()) return broken();
        dynamic_[{type, name}][key] = value.get<std::string>();
      }
    }
  }
  return {};
}

Status BrokerConfigs::write_locked() const {
  nlohmann::json document = {{"version", 1}};
  for (const auto& [type, section] : kStored) {
    auto resources = nlohmann::json::object();
    for (const auto& [key, configs] : dynamic_) {
      if (key.first == type) resources[key.second] = configs;
    }
    document[section] = std::move(resources);
  }
  return fs_.write_file_atomically(path_, document.dump(2) + "\n");
}

ConfigMap BrokerConfigs::dynamic(ConfigResourceType type, const std::string& name) const {
  std::lock_guard lock(mutex_);
  const auto found = dynamic_.find({type, name});
  return found == dynamic_.end() ? ConfigMap{} : found->second;
}

std::vector<std::string> BrokerConfigs::names(ConfigResourceType type) const {
  std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [key, configs] : dynamic_) {
    if (key.first == type) names.push_back(key.second);
  }
  return names;
}

Status BrokerConfigs::replace(ConfigResourceType type, const std::string& name, const ConfigMap& configs) {
  {
    std::lock_guard lock(mutex_);
    auto before = dynamic_;
    if (configs.empty()) {
      dynamic_.erase({type, name});
    } else {
      dynamic_[{type, name}] = configs;
    }
    if (auto written = write_locked(); !written) {
      dynamic_ = std::move(before);
      return written;
    }
  }
  if (type == ConfigResourceType::kBroker) {
    for (const auto& listener : listeners_) listener();
  }
  return {};
}

Status BrokerConfigs::check(ConfigResourceType type, const std::string& name, const ConfigMap& configs) const {
  switch (type) {
    case ConfigResourceType::kBroker:
      return check_broker(name, configs);
    case ConfigResourceType::kGroup:
      return check_group(name, configs, *this);
    case ConfigResourceType::kClientMetrics:
      return check_client_metrics(name, configs);
    default:
      return refused("InvalidRequestException",
                     fmt::format("configs of resource type {} cannot be set", static_cast<int>(type)));
  }
}

Status BrokerConfigs::check_broker(const std::string& name, const ConfigMap& configs) const {
  if (!name.empty() && name != std::to_string(node_id_)) {
    return refused("InvalidRequestException",
                   fmt::format("Unexpected broker id, expected {}, but received {}", node_id_, name));
  }
  std::vector<std::string> fixed;
  for (const auto& [key, value] : configs) {
    const ConfigDefinition* known = broker_config(key);
    if (known == nullptr) continue;  // as in Kafka, plugins may have configs of their own
    if (!known->dynamic) fixed.push_back(key);
  }
  if (!fixed.empty()) {
    return refused("InvalidRequestException",
                   fmt::format("Cannot update these configs dynamically: Set({}); set them in server.properties and "
                               "restart the broker",
                               fmt::join(fixed, ", ")));
  }
  for (const auto& [key, value] : configs) {
    const ConfigDefinition* known = broker_config(key);
    if (known == nullptr) continue;
    if (auto typed = check_type(key, value, known->type); !typed)
      return refused("InvalidRequestException", typed.error().message);
  }
  auto defaults = topic_defaults(configs);
  if (!defaults) return refused("InvalidRequestException", defaults.error().message);
  auto applied = apply_topic_configs(LogConfig{}, *defaults);
  if (!applied) return refused("InvalidRequestException", applied.error().message);
  return {};
}

ConfigMap BrokerConfigs::effective() const {
  std::lock_guard lock(mutex_);
  ConfigMap merged;
  for (const std::string& name : {std::to_string(node_id_), std::string()}) {
    if (const auto found = dynamic_.find({ConfigResourceType::kBroker, name}); found != dynamic_.end())
      merged.insert(found->second.begin(), found->second.end());
  }
  merged.insert(settings_.begin(), settings_.end());
  return merged;
}

std::optional<std::string> BrokerConfigs::value(std::string_view name) const {
  ConfigMap all = effective();
  if (const auto found = all.find(std::string(name)); found != all.end()) return found->second;
  const ConfigDefinition* known = broker_config(name);
  if (known == nullptr || known->default_value == nullptr) return std::nullopt;
  return known->default_value;
}

}  // namespace millrace
