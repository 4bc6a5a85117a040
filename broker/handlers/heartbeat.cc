// Heartbeat (12): keeps a member alive and tells it of a rebalance.
#include "protocol/messages/heartbeat.h"
#include "broker/handlers/group_handlers.h"

namespace millrace {
namespace {

void handle(BrokerServices& services, const HeartbeatRequest& request, std::unique_ptr<Exchange> exchange) {
  HeartbeatResponse response;
  if (!may_on_group(services, *exchange, AclOperation::kRead, request.group_id)) {
    response.error_code = code_of(KafkaError::kGroupAuthorizationFailed);
    return exchange->reply(response);
  }
  response.error_code =
      code_of(services.groups.heartbeat({std::string(request.group_id), std::string(request.member_id),
                                         owned(request.group_instance_id), request.generation_id}));
  exchange->reply(response);
}

}  // namespace

Api heartbeat_api() { return make_api<HeartbeatRequest, handle>(); }

}  // namespace millrace
