// IncrementalAlterConfigs (44): sets, removes, and changes lists.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "broker/handlers/admin_apis.h"
#include "broker/handlers/config_changes.h"
#include "protocol/messages/incremental_alter_configs.h"

namespace millrace {
namespace {

using Resource = IncrementalAlterConfigsRequest::AlterConfigsResource;
using Config = IncrementalAlterConfigsRequest::AlterableConfig;

enum class Operation : int8_t { kSet = 0, kDelete = 1, kAppend = 2, kSubtract = 3 };

std::vector<std::string_view> parts(std::string_view list) {
  std::vector<std::string_view> found;
  while (!list.empty()) {
    const std::string_view part = list.substr(0, list.find(','));
    if (!part.empty()) found.push_back(part);
    list.remove_prefix(std::min(list.size(), part.size() + 1));
  }
  return found;
}

struct Known {
  ConfigType type;
  std::string default_value;
};

std::optional<Known> definition_of(ConfigResourceType type, std::string_view name) {
  if (type == ConfigResourceType::kClientMetrics) return Known{ConfigType::kList, ""};
  if (type == ConfigResourceType::kTopic) {
    const TopicConfigDefinition* known = find_topic_config(name);
    if (known == nullptr) return std::nullopt;
    return Known{config_type(known->type), std::string(known->default_value)};
  }
  const ConfigDefinition* known = type == ConfigResourceType::kBroker ? broker_config(name) : nullptr;
  if (known == nullptr) return std::nullopt;
  return Known{known->type, known->default_value == nullptr ? "" : known->default_value};
}

bool is_list(const ConfigResource& resource, std::string_view name) {
  const auto known = definition_of(resource.type, name);
  return known && known->type == ConfigType::kList && name != "interval.ms";
}

/// The list that `config` leaves of what is set, or of the default.
std::string changed_list(const ConfigResource& resource, const ConfigMap& configs, const Config& config) {
  const auto set = configs.find(std::string(config.name));
  const auto known = definition_of(resource.type, config.name);
  const std::string before = set != configs.end() ? set->second : known ? known->default_value : "";
  std::vector<std::string_view> list = parts(before);
  for (const std::string_view part : parts(*config.value)) {
    const auto at = std::ranges::find(list, part);
    if (static_cast<Operation>(config.config_operation) == Operation::kSubtract) {
      if (at != list.end()) list.erase(at);
    } else if (at == list.end()) {
      list.push_back(part);
    }
  }
  return fmt::format("{}", fmt::join(list, ","));
}

Status change(const ConfigResource& resource, const Config& config, ConfigMap& configs) {
  const std::string name(config.name);
  switch (static_cast<Operation>(config.config_operation)) {
    case Operation::kSet:
      configs[name] = *config.value;
      return {};
    case Operation::kDelete:
      configs.erase(name);
      return {};
    case Operation::kAppend:
    case Operation::kSubtract:
      if (!is_list(resource, name)) {
        const bool append = static_cast<Operation>(config.config_operation) == Operation::kAppend;
        return fail(error_of(KafkaError::kInvalidConfig, fmt::format("Can't {} to key {} because its type is not LIST.",
                                                                     append ? "APPEND" : "SUBTRACT", name)));
      }
      configs[name] = changed_list(resource, configs, config);
      return {};
  }
  return fail(
      error_of(KafkaError::kInvalidRequest, fmt::format("Unknown operations type {}", config.config_operation)));
}

Status alter_one(BrokerServices& services, const Exchange& exchange, const Resource& asked, bool validate_only) {
  const ConfigResource resource{static_cast<ConfigResourceType>(asked.resource_type), std::string(asked.resource_name)};
  if (auto possible = check_config_resource(services, exchange, resource); !possible) return possible;
  const auto deletes = [](const Config& config) {
    return static_cast<Operation>(config.config_operation) == Operation::kDelete;
  };
  if (auto keys = check_config_keys(asked.configs, deletes); !keys) return keys;
  auto configs = configs_of(services, resource);
  if (!configs) return fail(std::move(configs.error()));
  for (const Config& config : asked.configs) {
    if (auto changed = change(resource, config, *configs); !changed) return changed;
  }
  return set_configs(services, resource, *configs, validate_only);
}

void incremental_alter_configs(BrokerServices& services, const IncrementalAlterConfigsRequest& request,
                               Exchange& exchange) {
  answer_config_changes<IncrementalAlterConfigsResponse>(request, exchange, [&](const auto& resource) {
    return alter_one(services, exchange, resource, request.validate_only);
  });
}

}  // namespace

Api incremental_alter_configs_api() {
  return make_api<IncrementalAlterConfigsRequest,
                  in_background<IncrementalAlterConfigsRequest, incremental_alter_configs>>();
}

}  // namespace millrace
