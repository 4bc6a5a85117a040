// SyncGroup (14): the leader's assignment in, every member's own out. Parked until the leader's is durable.
#include "protocol/messages/sync_group.h"
#include "broker/handlers/group_handlers.h"

namespace millrace {
namespace {

void answer(Exchange& exchange, const GroupSynced& synced) {
  SyncGroupResponse response;
  response.error_code = code_of(synced.error);
  response.protocol_type = viewed(synced.protocol_type);
  response.protocol_name = viewed(synced.protocol);
  response.assignment = synced.assignment;
  exchange.reply(response);
}

void handle(BrokerServices& services, const SyncGroupRequest& request, std::unique_ptr<Exchange> exchange) {
  if (!may_on_group(services, *exchange, AclOperation::kRead, request.group_id))
    return answer(*exchange, {KafkaError::kGroupAuthorizationFailed, {}, {}, {}});
  GroupSync sync;
  sync.group_id = request.group_id;
  sync.member_id = request.member_id;
  sync.instance_id = owned(request.group_instance_id);
  sync.generation = request.generation_id;
  sync.protocol_type = owned(request.protocol_type);
  sync.protocol = owned(request.protocol_name);
  for (const auto& each : request.assignments)
    sync.assignments.emplace_back(std::string(each.member_id), std::string(each.assignment));
  services.groups.sync(std::move(sync), [held = std::shared_ptr<Exchange>(std::move(exchange))](
                                            const GroupSynced& synced) { answer(*held, synced); });
}

}  // namespace

Api sync_group_api() { return make_api<SyncGroupRequest, handle>(); }

}  // namespace millrace
