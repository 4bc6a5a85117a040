// DescribeAcls (29), CreateAcls (30), DeleteAcls (31).
#include "broker/handlers/admin_apis.h"
#include "broker/handlers/admin_common.h"
#include "protocol/messages/create_acls.h"
#include "protocol/messages/delete_acls.h"
#include "protocol/messages/describe_acls.h"

namespace millrace {
namespace {

std::optional<std::string> owned(std::optional<std::string_view> text) {
  if (!text) return std::nullopt;
  return std::string(*text);
}

/// Of DescribeAclsRequest and of DeleteAclsFilter, which have the same fields.
template <class Wire>
AclFilter filter_of(const Wire& wire) {
  return {resource_type(wire.resource_type_filter),
          owned(wire.resource_name_filter),
          pattern_type(wire.pattern_type_filter),
          owned(wire.principal_filter),
          owned(wire.host_filter),
          acl_operation(wire.operation),
          acl_permission(wire.permission_type)};
}

Error not_allowed() { return error_of(KafkaError::kClusterAuthorizationFailed, std::string(kClusterRefused)); }

Expected<std::vector<AclBinding>> matching(BrokerServices& services, const Exchange& exchange,
                                           const AclFilter& filter) {
  if (services.security.authorizer_enabled() && !may_on_cluster(services, exchange, AclOperation::kDescribe))
    return fail(not_allowed());
  return services.security.list_acls(filter);
}

void describe_acls(BrokerServices& services, const DescribeAclsRequest& request, Exchange& exchange) {
  DescribeAclsResponse response;
  response.error_message = std::nullopt;
  auto found = matching(services, exchange, filter_of(request));
  if (!found) {
    const AdminError error = admin_error(exchange, found.error());
    response.error_code = error.code;
    response.error_message = error.message;
    return exchange.reply(response);
  }
  // Bindings are sorted by resource, so those of one resource follow each other.
  const AclBinding* before = nullptr;
  for (const AclBinding& acl : *found) {
    if (before == nullptr || before->type != acl.type || before->name != acl.name || before->pattern != acl.pattern) {
      auto& resource = response.resources.emplace_back();
      resource.resource_type = static_cast<int8_t>(acl.type);
      resource.resource_name = acl.name;
      resource.pattern_type = static_cast<int8_t>(acl.pattern);
    }
    response.resources.back().acls.push_back(
        {acl.principal, acl.host, static_cast<int8_t>(acl.operation), static_cast<int8_t>(acl.permission)});
    before = &acl;
  }
  exchange.reply(response);
}

void create_acls(BrokerServices& services, const CreateAclsRequest& request, Exchange& exchange) {
  std::vector<AclBinding> bindings;
  for (const auto& wire : request.creations) {
    bindings.push_back({resource_type(wire.resource_type), std::string(wire.resource_name),
                        pattern_type(wire.resource_pattern_type), std::string(wire.principal), std::string(wire.host),
                        acl_operation(wire.operation), acl_permission(wire.permission_type)});
  }
  auto added = [&]() -> Expected<std::vector<Status>> {
    if (services.security.authorizer_enabled() && !may_on_cluster(services, exchange, AclOperation::kAlter))
      return fail(not_allowed());
    return services.security.add_acls(bindings);
  }();
  CreateAclsResponse response;
  for (size_t i = 0; i < bindings.size(); ++i) {
    const AdminError error = added ? admin_error(exchange, (*added)[i]) : admin_error(exchange, added.error());
    response.results.push_back({error.code, error.message});
  }
  exchange.reply(response);
}

void add_removed(const AclBinding& acl, Exchange& exchange, DeleteAclsResponse::DeleteAclsFilterResult& result) {
  auto& out = result.matching_acls.emplace_back();
  out.error_message = std::nullopt;
  out.resource_type = static_cast<int8_t>(acl.type);
  out.resource_name = exchange.keep(acl.name);
  out.pattern_type = static_cast<int8_t>(acl.pattern);
  out.principal = exchange.keep(acl.principal);
  out.host = exchange.keep(acl.host);
  out.operation = static_cast<int8_t>(acl.operation);
  out.permission_type = static_cast<int8_t>(acl.permission);
}

void delete_acls(BrokerServices& services, const DeleteAclsRequest& request, Exchange& exchange) {
  std::vector<AclFilter> filters;
  for (const auto& wire : request.filters) filters.push_back(filter_of(wire));
  auto removed = [&]() -> Expected<std::vector<Expected<std::vector<AclBinding>>>> {
    if (services.security.authorizer_enabled() && !may_on_cluster(services, exchange, AclOperation::kAlter))
      return fail(not_allowed());
    return services.security.remove_acls(filters);
  }();
  DeleteAclsResponse response;
  for (size_t i = 0; i < filters.size(); ++i) {
    auto& result = response.filter_results.emplace_back();
    result.error_message = std::nullopt;
    const Error* error = !removed ? &removed.error() : !(*removed)[i] ? &(*removed)[i].error() : nullptr;
    if (error != nullptr) {
      const AdminError shown = admin_error(exchange, *error);
      result.error_code = shown.code;
      result.error_message = shown.message;
      continue;
    }
    for (const AclBinding& acl : *(*removed)[i]) add_removed(acl, exchange, result);
  }
  exchange.reply(response);
}

}  // namespace

Api describe_acls_api() { return make_api<DescribeAclsRequest, at_once<DescribeAclsRequest, describe_acls>>(); }
Api create_acls_api() { return make_api<CreateAclsRequest, in_background<CreateAclsRequest, create_acls>>(); }
Api delete_acls_api() { return make_api<DeleteAclsRequest, in_background<DeleteAclsRequest, delete_acls>>(); }

}  // namespace millrace
