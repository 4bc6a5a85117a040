// DescribeGroups (15): state, protocol and members of classic groups.
#include "protocol/messages/describe_groups.h"
#include "broker/handlers/group_handlers.h"

namespace millrace {
namespace {

constexpr int16_t kKnowsGroupIdNotFound = 6;

void describe(Exchange& exchange, const GroupDescription& group, DescribeGroupsResponse::DescribedGroup& out) {
  out.group_state = exchange.keep(group.state);
  out.protocol_type = exchange.keep(group.protocol_type);
  out.protocol_data = exchange.keep(group.protocol);
  for (const GroupDescription::Member& each : group.members) {
    auto& member = out.members.emplace_back();
    member.member_id = exchange.keep(each.member_id);
    if (each.instance_id) member.group_instance_id = exchange.keep(*each.instance_id);
    member.client_id = exchange.keep(each.client_id);
    member.client_host = exchange.keep(each.client_host);
    member.member_metadata = exchange.keep(each.metadata);
    member.member_assignment = exchange.keep(each.assignment);
  }
  if (!group.found && exchange.version() >= kKnowsGroupIdNotFound) {
    out.error_code = code_of(KafkaError::kGroupIdNotFound);
    out.error_message = exchange.keep("Group " + std::string(out.group_id) + " not found.");
  }
}

void handle(BrokerServices& services, const DescribeGroupsRequest& request, std::unique_ptr<Exchange> exchange) {
  DescribeGroupsResponse response;
  for (const std::string_view id : request.groups) {
    auto& out = response.groups.emplace_back();
    out.group_id = id;
    if (!may_on_group(services, *exchange, AclOperation::kDescribe, id)) {
      out.error_code = code_of(KafkaError::kGroupAuthorizationFailed);
      continue;
    }
    describe(*exchange, services.groups.describe(std::string(id)), out);
    if (request.include_authorized_operations && out.error_code == 0) {
      out.authorized_operations =
          services.security.authorized_operations(exchange->session(), ResourceType::kGroup, id);
    }
  }
  exchange->reply(response);
}

}  // namespace

Api describe_groups_api() { return make_api<DescribeGroupsRequest, handle>(); }

}  // namespace millrace
