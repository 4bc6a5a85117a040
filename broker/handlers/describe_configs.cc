// DescribeConfigs (32).
#include <fmt/format.h>

#include <algorithm>

#include "broker/handlers/admin_apis.h"
#include "broker/handlers/admin_common.h"
#include "broker/handlers/config_entries.h"
#include "protocol/messages/describe_configs.h"

namespace millrace {
namespace {

using Resource = DescribeConfigsRequest::DescribeConfigsResource;
using Result = DescribeConfigsResponse::DescribeConfigsResult;
using Described = DescribeConfigsResponse::DescribeConfigsResourceResult;

tl::unexpected<Error> invalid(std::string message) {
  return fail(error_of(KafkaError::kInvalidRequest, std::move(message)));
}

Status check_broker_id(const BrokerServices& services, std::string_view name, std::string_view else_word) {
  if (name.empty() || name.find_first_not_of("0123456789-") != std::string_view::npos)
    return invalid(fmt::format("Broker id must be an integer, but it is: {}", name));
  if (name == std::to_string(services.node_id)) return {};
  return invalid(
      fmt::format("Unexpected broker id, expected {}{}, but received {}", services.node_id, else_word, name));
}

Status authorize(const BrokerServices& services, const Exchange& exchange, const Resource& resource) {
  const auto refused = [](KafkaError error, std::string_view why) { return fail(error_of(error, std::string(why))); };
  const auto operation = AclOperation::kDescribeConfigs;
  switch (static_cast<ConfigResourceType>(resource.resource_type)) {
    case ConfigResourceType::kTopic:
      if (may_on_topic(services, exchange, operation, resource.resource_name)) return {};
      return refused(KafkaError::kTopicAuthorizationFailed, kTopicRefused);
    case ConfigResourceType::kGroup:
      if (services.security.authorized(exchange.session(), operation, ResourceType::kGroup, resource.resource_name))
        return {};
      return refused(KafkaError::kGroupAuthorizationFailed, "Group authorization failed.");
    case ConfigResourceType::kBroker:
    case ConfigResourceType::kBrokerLogger:
    case ConfigResourceType::kClientMetrics:
      if (may_on_cluster(services, exchange, operation)) return {};
      return refused(KafkaError::kClusterAuthorizationFailed, kClusterRefused);
    default:
      return invalid(fmt::format("Unsupported resource type: {}", resource.resource_type));
  }
}

Expected<std::vector<ConfigEntry>> entries_of(BrokerServices& services, const Resource& resource) {
  const std::string name(resource.resource_name);
  const BrokerConfigs& configs = *services.configs;
  switch (static_cast<ConfigResourceType>(resource.resource_type)) {
    case ConfigResourceType::kTopic: {
      if (auto legal = check_topic_name(name); !legal) return fail(std::move(legal.error()));
      const auto topic = services.broker.topic(name);
      // Without a message, as Kafka has it.
      if (!topic) return fail(error_of(KafkaError::kUnknownTopicOrPartition, ""));
      return topic_config_entries(configs, services.node_id, topic->configs);
    }
    case ConfigResourceType::kBroker:
      if (name.empty()) return cluster_config_entries(configs);
      if (auto ours = check_broker_id(services, name, " or empty string"); !ours) return fail(std::move(ours.error()));
      return broker_config_entries(configs, services.node_id);
    case ConfigResourceType::kBrokerLogger:
      if (name.empty()) return invalid("Broker id must not be empty");
      if (auto ours = check_broker_id(services, name, ""); !ours) return fail(std::move(ours.error()));
      return std::vector<ConfigEntry>{};  // the log level is chosen at start
    case ConfigResourceType::kClientMetrics:
      if (name.empty()) return invalid("Client metrics subscription name must not be empty");
      return client_metrics_entries(configs, name);
    case ConfigResourceType::kGroup:
      if (name.empty()) return invalid("Group name must not be empty");
      return group_config_entries(configs, name);
    default:
      return invalid(fmt::format("Unsupported resource type: {}", resource.resource_type));
  }
}

void describe(const DescribeConfigsRequest& request, Exchange& exchange, ConfigEntry& entry, Described& out) {
  const auto keep = [&](std::optional<std::string>& text) -> std::optional<std::string_view> {
    if (!text) return std::nullopt;
    return exchange.keep(std::move(*text));
  };
  out.name = exchange.keep(std::move(entry.name));
  out.value = keep(entry.value);
  out.read_only = entry.read_only;
  out.is_default = entry.source == ConfigSource::kDefault;
  out.config_source = static_cast<int8_t>(entry.source);
  out.is_sensitive = entry.sensitive;
  out.config_type = entry.type ? wire_config_type(*entry.type) : 0;
  out.documentation = std::nullopt;
  if (request.include_documentation) out.documentation = entry.documentation;
  if (!request.include_synonyms) return;
  for (ConfigEntry::Synonym& synonym : entry.synonyms) {
    out.synonyms.push_back(
        {exchange.keep(std::move(synonym.name)), keep(synonym.value), static_cast<int8_t>(synonym.source)});
  }
}

void describe_configs(BrokerServices& services, const DescribeConfigsRequest& request, Exchange& exchange) {
  DescribeConfigsResponse response;
  for (const Resource& resource : request.resources) {
    Result& result = response.results.emplace_back();
    result.resource_type = resource.resource_type;
    result.resource_name = resource.resource_name;
    result.error_message = "";
    auto entries = [&]() -> Expected<std::vector<ConfigEntry>> {
      if (auto allowed = authorize(services, exchange, resource); !allowed) return fail(std::move(allowed.error()));
      return entries_of(services, resource);
    }();
    if (!entries) {
      const AdminError error = admin_error(exchange, entries.error());
      result.error_code = error.code;
      result.error_message = error.message;
      continue;
    }
    // An empty list of keys means all of them, as null does.
    const bool all = !resource.configuration_keys || resource.configuration_keys->empty();
    for (ConfigEntry& entry : *entries) {
      if (!all && std::ranges::find(*resource.configuration_keys, entry.name) == resource.configuration_keys->end())
        continue;
      describe(request, exchange, entry, result.configs.emplace_back());
    }
  }
  exchange.reply(response);
}

}  // namespace

Api describe_configs_api() {
  return make_api<DescribeConfigsRequest, at_once<DescribeConfigsRequest, describe_configs>>();
}

}  // namespace millrace
