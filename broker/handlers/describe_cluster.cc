// DescribeCluster: the cluster's id and its one broker.
#include "protocol/messages/describe_cluster.h"
#include "broker/handlers/data_handlers.h"

namespace millrace {
namespace {

constexpr int8_t kBrokers = 1;
constexpr int8_t kControllers = 2;

void handle_describe_cluster(BrokerServices& services, const DescribeClusterRequest& request,
                             std::unique_ptr<Exchange> exchange) {
  DescribeClusterResponse response;
  if (request.endpoint_type != kBrokers) {
    const bool controllers = request.endpoint_type == kControllers;
    response.error_code =
        code_of(controllers ? KafkaError::kMismatchedEndpointType : KafkaError::kUnsupportedEndpointType);
    response.error_message = controllers ? "This is a broker: ask it with --bootstrap-server."
                                         : "Brokers and controllers are the only types of endpoint.";
    return exchange->reply(response);
  }
  const AdvertisedListener& here = advertised_to(services, exchange->session());
  response.cluster_id = services.broker.cluster_id();
  response.controller_id = services.node_id;
  response.brokers.push_back({services.node_id, here.host, here.port, std::nullopt, false});
  if (request.include_cluster_authorized_operations) {
    const Security& security = services.security;
    response.cluster_authorized_operations =
        security.authorized_on_cluster(exchange->session(), AclOperation::kDescribe)
            ? security.authorized_operations(exchange->session(), ResourceType::kCluster, kClusterResource)
            : 0;
  }
  exchange->reply(response);
}

}  // namespace

Api describe_cluster_api() { return make_api<DescribeClusterRequest, handle_describe_cluster>(0, 2); }

}  // namespace millrace
