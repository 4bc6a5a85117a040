// UnregisterBroker (64).
#include <fmt/format.h>

#include "broker/handlers/admin_apis.h"
#include "broker/handlers/admin_common.h"
#include "protocol/messages/unregister_broker.h"

namespace millrace {
namespace {

void unregister_broker(BrokerServices& services, const UnregisterBrokerRequest& request, Exchange& exchange) {
  AdminError error;
  if (!may_on_cluster(services, exchange, AclOperation::kAlter)) {
    error = {code_of(KafkaError::kClusterAuthorizationFailed), kClusterRefused};
  } else if (request.broker_id != services.node_id) {
    error = admin_error(exchange, KafkaError::kBrokerIdNotRegistered,
                        fmt::format("Broker ID {} is not currently registered", request.broker_id));
  } else {
    error = admin_error(exchange, KafkaError::kInvalidRequest,
                        fmt::format("Broker {} is the only one and runs: stop it instead", request.broker_id));
  }
  UnregisterBrokerResponse response;
  response.error_code = error.code;
  response.error_message = error.message;
  exchange.reply(response);
}

}  // namespace

Api unregister_broker_api() {
  return make_api<UnregisterBrokerRequest, at_once<UnregisterBrokerRequest, unregister_broker>>();
}

}  // namespace millrace
