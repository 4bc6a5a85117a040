// DeleteGroups (42): groups without members, with their offsets. Answered when all of it is durable.
#include <atomic>

#include "broker/handlers/group_handlers.h"
#include "protocol/messages/delete_groups.h"

namespace millrace {
namespace {

/// The answer as its parts come in. Co-owned by the callbacks.
struct Pending {
  std::shared_ptr<Exchange> exchange;  // co-owned with nobody: a function that is copied holds this
  DeleteGroupsResponse response;
  std::atomic<size_t> missing;

  void settle(size_t index, KafkaError error) {
    response.results[index].error_code = code_of(error);
    if (--missing == 0) exchange->reply(response);
  }
};

void handle(BrokerServices& services, const DeleteGroupsRequest& request, std::unique_ptr<Exchange> exchange) {
  auto pending = std::make_shared<Pending>();
  for (const std::string_view id : request.groups_names) pending->response.results.push_back({.group_id = id});
  pending->exchange = std::move(exchange);
  // One more than groups, so that the answer cannot leave while they are still being asked.
  pending->missing = request.groups_names.size() + 1;
  for (size_t i = 0; i < request.groups_names.size(); ++i) {
    const std::string_view id = request.groups_names[i];
    if (!may_on_group(services, *pending->exchange, AclOperation::kDelete, id)) {
      pending->settle(i, KafkaError::kGroupAuthorizationFailed);
      continue;
    }
    services.groups.delete_group(std::string(id), [pending, i](KafkaError error) { pending->settle(i, error); });
  }
  if (--pending->missing == 0) pending->exchange->reply(pending->response);
}

}  // namespace

Api delete_groups_api() { return make_api<DeleteGroupsRequest, handle>(); }

}  // namespace millrace
