// JoinGroup (11): enters a group or its next generation. Parked until the join phase is over.
#include "protocol/messages/join_group.h"
#include "broker/handlers/group_handlers.h"

namespace millrace {
namespace {

constexpr int16_t kHasRebalanceTimeout = 1;
constexpr int16_t kKnowsMemberIdRequired = 4;
constexpr int16_t kNullableProtocol = 7;
constexpr int16_t kKnowsSkipAssignment = 9;

void answer(Exchange& exchange, const GroupJoined& joined) {
  JoinGroupResponse response;
  response.error_code = code_of(joined.error);
  response.generation_id = joined.generation;
  response.protocol_type = viewed(joined.protocol_type);
  response.protocol_name = viewed(joined.protocol);
  if (!response.protocol_name && exchange.version() < kNullableProtocol) response.protocol_name = "";
  response.leader = joined.leader;
  response.member_id = joined.member_id;
  response.skip_assignment = joined.skip_assignment;
  for (const GroupJoined::Member& each : joined.members) {
    auto& member = response.members.emplace_back();
    member.member_id = each.member_id;
    member.group_instance_id = viewed(each.instance_id);
    member.metadata = each.metadata;
  }
  exchange.reply(response);
}

void handle(BrokerServices& services, const JoinGroupRequest& request, std::unique_ptr<Exchange> exchange) {
  if (!may_on_group(services, *exchange, AclOperation::kRead, request.group_id)) {
    GroupJoined refused;
    refused.error = KafkaError::kGroupAuthorizationFailed;
    return answer(*exchange, refused);
  }
  const int16_t version = exchange->version();
  GroupJoin join;
  join.group_id = request.group_id;
  join.member_id = request.member_id;
  join.instance_id = owned(request.group_instance_id);
  join.client_id = exchange->header().client_id;
  join.client_host = shown_host(exchange->session());
  join.session_timeout = std::chrono::milliseconds(request.session_timeout_ms);
  join.rebalance_timeout = std::chrono::milliseconds(version >= kHasRebalanceTimeout ? request.rebalance_timeout_ms
                                                                                     : request.session_timeout_ms);
  join.protocol_type = request.protocol_type;
  for (const auto& each : request.protocols)
    join.protocols.push_back({std::string(each.name), std::string(each.metadata)});
  join.knows_member_id_required = version >= kKnowsMemberIdRequired;
  join.knows_skip_assignment = version >= kKnowsSkipAssignment;
  services.groups.join(std::move(join), [held = std::shared_ptr<Exchange>(std::move(exchange))](
                                            const GroupJoined& joined) { answer(*held, joined); });
}

}  // namespace

Api join_group_api() { return make_api<JoinGroupRequest, handle>(); }

}  // namespace millrace
