/// What AlterConfigs and IncrementalAlterConfigs have in common: whose configs, who may, checking and storing.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "broker/handlers/admin_common.h"

namespace millrace {

struct ConfigResource {
  ConfigResourceType type;
  std::string name;
};

/// Whether the session may change the resource, and whether such a resource can be changed at all. Errors: those of the
/// wire.
Status check_config_resource(const BrokerServices& services, const Exchange& exchange, const ConfigResource& resource);

/// What is set now. Errors: UnknownTopicOrPartitionException.
Expected<ConfigMap> configs_of(const BrokerServices& services, const ConfigResource& resource);

/// Checks `configs` and, unless `validate_only`, makes them all that is set. Errors: InvalidConfigurationException,
/// UnknownTopicOrPartitionException, KafkaStorageException.
Status set_configs(BrokerServices& services, const ConfigResource& resource, const ConfigMap& configs,
                   bool validate_only);

/// Errors (InvalidRequestException) for keys that come twice and for values that are missing; `missing_allowed` says of
/// which config that is fine.
template <class Configs, class MissingAllowed>
Status check_config_keys(const Configs& configs, MissingAllowed missing_allowed) {
  std::set<std::string_view> seen;
  std::string missing;
  for (const auto& config : configs) {
    if (!seen.insert(config.name).second)
      return fail(error_of(KafkaError::kInvalidRequest, "Error due to duplicate config keys"));
    if (config.value || missing_allowed(config)) continue;
    if (!missing.empty()) missing += ", ";
    missing += config.name;
  }
  if (missing.empty()) return {};
  return fail(error_of(KafkaError::kInvalidRequest, "Null value not supported for : " + missing));
}

/// Answers each resource of the request by `change(resource)`; those that come twice are refused.
template <class Response, class Request, class Change>
void answer_config_changes(const Request& request, Exchange& exchange, Change change) {
  std::map<std::pair<int8_t, std::string_view>, int> times;
  for (const auto& resource : request.resources) ++times[{resource.resource_type, resource.resource_name}];
  Response response;
  for (const auto& resource : request.resources) {
    auto& result = response.responses.emplace_back();
    result.resource_type = resource.resource_type;
    result.resource_name = resource.resource_name;
    result.error_message = std::nullopt;
    Status changed;
    if (times[{resource.resource_type, resource.resource_name}] > 1) {
      changed = fail(error_of(KafkaError::kInvalidRequest, "Each resource must appear at most once."));
    } else {
      changed = change(resource);
    }
    if (changed) continue;
    const AdminError error = admin_error(exchange, changed.error());
    result.error_code = error.code;
    result.error_message = error.message;
  }
  exchange.reply(response);
}

}  // namespace millrace
