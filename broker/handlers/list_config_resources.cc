// ListConfigResources (74), in version 0 the listing of client metrics subscriptions.
#include <algorithm>

#include "broker/handlers/admin_apis.h"
#include "broker/handlers/admin_common.h"
#include "protocol/messages/list_config_resources.h"

namespace millrace {
namespace {

using Type = ConfigResourceType;
constexpr std::array kTypes = {Type::kTopic, Type::kBroker, Type::kBrokerLogger, Type::kClientMetrics, Type::kGroup};

std::vector<std::string> names_of(const BrokerServices& services, Type type) {
  if (type == Type::kBroker || type == Type::kBrokerLogger) return {std::to_string(services.node_id)};
  if (type != Type::kTopic) return services.configs->names(type);
  std::vector<std::string> names;
  for (const TopicInfo& topic : services.broker.topics()) names.push_back(topic.name);
  return names;
}

void list_config_resources(BrokerServices& services, const ListConfigResourcesRequest& request, Exchange& exchange) {
  ListConfigResourcesResponse response;
  if (!may_on_cluster(services, exchange, AclOperation::kDescribeConfigs)) {
    response.error_code = code_of(KafkaError::kClusterAuthorizationFailed);
    return exchange.reply(response);
  }
  std::set<Type> types;
  for (const int8_t type : request.resource_types) types.insert(static_cast<Type>(type));
  if (exchange.version() == 0) types = {Type::kClientMetrics};
  if (types.empty()) types.insert(kTypes.begin(), kTypes.end());
  for (const Type type : types) {
    if (std::ranges::find(kTypes, type) == kTypes.end()) {
      response.error_code = code_of(KafkaError::kUnsupportedVersion);
      response.config_resources.clear();
      break;
    }
    for (std::string& name : names_of(services, type))
      response.config_resources.push_back({exchange.keep(std::move(name)), static_cast<int8_t>(type)});
  }
  exchange.reply(response);
}

}  // namespace

Api list_config_resources_api() {
  return make_api<ListConfigResourcesRequest, at_once<ListConfigResourcesRequest, list_config_resources>>();
}

}  // namespace millrace
