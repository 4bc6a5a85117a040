// AlterConfigs (33): replaces all that is set for a resource.
#include "protocol/messages/alter_configs.h"
#include "broker/handlers/admin_apis.h"
#include "broker/handlers/config_changes.h"

namespace millrace {
namespace {

Status alter_one(BrokerServices& services, const Exchange& exchange,
                 const AlterConfigsRequest::AlterConfigsResource& asked, bool validate_only) {
  const ConfigResource resource{static_cast<ConfigResourceType>(asked.resource_type), std::string(asked.resource_name)};
  if (auto possible = check_config_resource(services, exchange, resource); !possible) return possible;
  if (auto keys = check_config_keys(asked.configs, [](const auto&) { return false; }); !keys) return keys;
  if (auto exists = configs_of(services, resource); !exists) return fail(std::move(exists.error()));
  ConfigMap configs;
  for (const auto& config : asked.configs) configs[std::string(config.name)] = *config.value;
  return set_configs(services, resource, configs, validate_only);
}

void alter_configs(BrokerServices& services, const AlterConfigsRequest& request, Exchange& exchange) {
  answer_config_changes<AlterConfigsResponse>(request, exchange, [&](const auto& resource) {
    return alter_one(services, exchange, resource, request.validate_only);
  });
}

}  // namespace

Api alter_configs_api() { return make_api<AlterConfigsRequest, in_background<AlterConfigsRequest, alter_configs>>(); }

}  // namespace millrace
