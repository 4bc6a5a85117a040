// ListGroups (16): all groups, or those of some states (v4) and types (v5).
#include <algorithm>

#include "broker/handlers/group_handlers.h"
#include "protocol/messages/list_groups.h"

namespace millrace {
namespace {

bool same_word(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

bool passes(const std::vector<std::string_view>& filter, std::string_view word) {
  return filter.empty() ||
         std::any_of(filter.begin(), filter.end(), [&](std::string_view each) { return same_word(each, word); });
}

void handle(BrokerServices& services, const ListGroupsRequest& request, std::unique_ptr<Exchange> exchange) {
  ListGroupsResponse response;
  const bool sees_all = services.security.authorized_on_cluster(exchange->session(), AclOperation::kDescribe);
  for (const GroupListing& each : services.groups.list()) {
    if (!passes(request.states_filter, each.state) || !passes(request.types_filter, each.type)) continue;
    if (!sees_all && !may_on_group(services, *exchange, AclOperation::kDescribe, each.group_id)) continue;
    auto& group = response.groups.emplace_back();
    group.group_id = exchange->keep(each.group_id);
    group.protocol_type = exchange->keep(each.protocol_type);
    group.group_state = exchange->keep(each.state);
    group.group_type = exchange->keep(each.type);
  }
  exchange->reply(response);
}

}  // namespace

Api list_groups_api() { return make_api<ListGroupsRequest, handle>(); }

}  // namespace millrace
