// DescribeClientQuotas (48), AlterClientQuotas (49).
#include "broker/handlers/admin_apis.h"
#include "broker/handlers/admin_common.h"
#include "protocol/messages/alter_client_quotas.h"
#include "protocol/messages/describe_client_quotas.h"

namespace millrace {
namespace {

std::optional<std::string> owned(std::optional<std::string_view> text) {
  if (!text) return std::nullopt;
  return std::string(*text);
}

using Quotas = std::vector<std::pair<QuotaEntity, QuotaValues>>;

Expected<Quotas> find_quotas(BrokerServices& services, const DescribeClientQuotasRequest& request,
                             const Exchange& exchange) {
  if (!may_on_cluster(services, exchange, AclOperation::kDescribeConfigs))
    return fail(error_of(KafkaError::kClusterAuthorizationFailed, std::string(kClusterRefused)));
  std::vector<QuotaFilter> filter;
  for (const auto& component : request.components) {
    filter.push_back({std::string(component.entity_type), static_cast<QuotaFilter::Match>(component.match_type),
                      owned(component.match)});
  }
  return services.security.quotas(filter, request.strict);
}

void describe_client_quotas(BrokerServices& services, const DescribeClientQuotasRequest& request, Exchange& exchange) {
  DescribeClientQuotasResponse response;
  auto found = find_quotas(services, request, exchange);
  if (!found) {
    const AdminError error = admin_error(exchange, found.error());
    response.error_code = error.code;
    response.error_message = error.message;
    response.entries = std::nullopt;
    return exchange.reply(response);
  }
  response.error_message = "";
  for (const auto& [entity, values] : *found) {
    auto& entry = response.entries->emplace_back();
    for (const auto& [type, name] : entity) {
      std::optional<std::string_view> shown;
      if (name) shown = *name;
      entry.entity.push_back({type, shown});
    }
    for (const auto& [key, value] : values) entry.values.push_back({key, value});
  }
  exchange.reply(response);
}

Status alter_one(BrokerServices& services, const Exchange& exchange, const AlterClientQuotasRequest::EntryData& entry,
                 bool validate_only) {
  if (!may_on_cluster(services, exchange, AclOperation::kAlterConfigs))
    return fail(error_of(KafkaError::kClusterAuthorizationFailed, std::string(kClusterRefused)));
  QuotaEntity entity;
  for (const auto& part : entry.entity) entity[std::string(part.entity_type)] = owned(part.entity_name);
  std::vector<QuotaChange> changes;
  for (const auto& op : entry.ops) {
    changes.push_back({std::string(op.key), op.remove ? std::nullopt : std::optional<double>(op.value)});
  }
  return services.security.alter_quotas(entity, changes, validate_only);
}

void alter_client_quotas(BrokerServices& services, const AlterClientQuotasRequest& request, Exchange& exchange) {
  AlterClientQuotasResponse response;
  for (const auto& entry : request.entries) {
    const AdminError error = admin_error(exchange, alter_one(services, exchange, entry, request.validate_only));
    auto& result = response.entries.emplace_back();
    result.error_code = error.code;
    result.error_message = error.message;
    for (const auto& part : entry.entity) result.entity.push_back({part.entity_type, part.entity_name});
  }
  exchange.reply(response);
}

}  // namespace

Api describe_client_quotas_api() {
  return make_api<DescribeClientQuotasRequest, at_once<DescribeClientQuotasRequest, describe_client_quotas>>();
}
Api alter_client_quotas_api() {
  return make_api<AlterClientQuotasRequest, in_background<AlterClientQuotasRequest, alter_client_quotas>>();
}

}  // namespace millrace
