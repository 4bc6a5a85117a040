// LeaveGroup (13): one member by its id, or (v3) several by member or instance id.
#include "protocol/messages/leave_group.h"
#include "broker/handlers/group_handlers.h"

namespace millrace {
namespace {

constexpr int16_t kManyMembers = 3;

KafkaError check(const BrokerServices& services, const Exchange& exchange, std::string_view group_id) {
  if (!may_on_group(services, exchange, AclOperation::kRead, group_id)) return KafkaError::kGroupAuthorizationFailed;
  return group_id.empty() ? KafkaError::kInvalidGroupId : KafkaError::kNone;
}

void handle(BrokerServices& services, const LeaveGroupRequest& request, std::unique_ptr<Exchange> exchange) {
  LeaveGroupResponse response;
  const KafkaError refused = check(services, *exchange, request.group_id);
  if (refused != KafkaError::kNone) {
    response.error_code = code_of(refused);
    return exchange->reply(response);
  }
  const std::string group(request.group_id);
  if (exchange->version() < kManyMembers) {
    const std::vector<GroupLeaver> one{{std::string(request.member_id), {}}};
    response.error_code = code_of(services.groups.leave(group, one).front());
    return exchange->reply(response);
  }
  std::vector<GroupLeaver> leavers;
  for (const auto& each : request.members)
    leavers.push_back({std::string(each.member_id), owned(each.group_instance_id)});
  const std::vector<KafkaError> errors = services.groups.leave(group, leavers);
  for (size_t i = 0; i < leavers.size(); ++i) {
    auto& member = response.members.emplace_back();
    member.member_id = request.members[i].member_id;
    member.group_instance_id = request.members[i].group_instance_id;
    member.error_code = code_of(errors[i]);
  }
  exchange->reply(response);
}

}  // namespace

Api leave_group_api() { return make_api<LeaveGroupRequest, handle>(); }

}  // namespace millrace
