#include "broker/handlers/config_changes.h"

#include <fmt/format.h>

namespace millrace {
namespace {

tl::unexpected<Error> refused(KafkaError error, std::string message) {
  return fail(error_of(error, std::move(message)));
}

Status authorize(const BrokerServices& services, const Exchange& exchange, const ConfigResource& resource) {
  const auto operation = AclOperation::kAlterConfigs;
  switch (resource.type) {
    case ConfigResourceType::kTopic:
      if (may_on_topic(services, exchange, operation, resource.name)) return {};
      return refused(KafkaError::kTopicAuthorizationFailed, std::string(kTopicRefused));
    case ConfigResourceType::kGroup:
      if (services.security.authorized(exchange.session(), operation, ResourceType::kGroup, resource.name)) return {};
      return refused(KafkaError::kGroupAuthorizationFailed, "Group authorization failed.");
    default:
      if (may_on_cluster(services, exchange, operation)) return {};
      return refused(KafkaError::kClusterAuthorizationFailed, std::string(kClusterRefused));
  }
}

}  // namespace

Status check_config_resource(const BrokerServices& services, const Exchange& exchange, const ConfigResource& resource) {
  if (auto allowed = authorize(services, exchange, resource); !allowed) return allowed;
  switch (resource.type) {
    case ConfigResourceType::kTopic:
    case ConfigResourceType::kBroker:
    case ConfigResourceType::kClientMetrics:
    case ConfigResourceType::kGroup:
      return {};
    case ConfigResourceType::kBrokerLogger:
      return refused(KafkaError::kInvalidRequest,
                     "Log levels cannot be changed while the broker runs: choose them when starting it");
    default:
      return refused(KafkaError::kInvalidRequest,
                     fmt::format("Unknown resource type {}", static_cast<int>(resource.type)));
  }
}

Expected<ConfigMap> configs_of(const BrokerServices& services, const ConfigResource& resource) {
  if (resource.type != ConfigResourceType::kTopic) return services.configs->dynamic(resource.type, resource.name);
  auto topic = services.broker.topic(resource.name);
  if (!topic)
    return refused(KafkaError::kUnknownTopicOrPartition, fmt::format("The topic '{}' does not exist.", resource.name));
  return std::move(topic->configs);
}

Status set_configs(BrokerServices& services, const ConfigResource& resource, const ConfigMap& configs,
                   bool validate_only) {
  if (resource.type != ConfigResourceType::kTopic) {
    if (auto checked = services.configs->check(resource.type, resource.name, configs); !checked) return checked;
    return validate_only ? Status{} : services.configs->replace(resource.type, resource.name, configs);
  }
  auto valid = apply_topic_configs(LogConfig{}, configs);
  if (!valid) return refused(KafkaError::kInvalidConfig, valid.error().message);
  if (validate_only) return {};
  return services.broker.set_topic_configs(resource.name, configs);
}

}  // namespace millrace
