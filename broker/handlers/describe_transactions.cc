// DescribeTransactions (65).
#include "protocol/messages/describe_transactions.h"
#include "broker/handlers/transaction_handlers.h"

namespace millrace {
namespace {

using Response = DescribeTransactionsResponse;

KafkaError describe(const BrokerServices& services, std::string_view id, Exchange& exchange,
                    Response::TransactionState& result) {
  if (!may_on_transactional_id(services, exchange, AclOperation::kDescribe, id))
    return KafkaError::kTransactionalIdAuthorizationFailed;
  if (id.empty()) return KafkaError::kInvalidRequest;
  const auto found = services.transactions.describe(id);
  if (!found) return KafkaError::kTransactionalIdNotFound;
  const TransactionState& state = found->state;
  result.transaction_state = transaction_status_name(state.status);
  result.transaction_timeout_ms = state.timeout_ms;
  result.transaction_start_time_ms = state.start_ms;
  result.producer_id = state.producer.id;
  result.producer_epoch = state.producer.epoch;
  for (const auto& [topic, partition] : state.partitions) {
    if (!services.security.authorized(exchange.session(), AclOperation::kDescribe, ResourceType::kTopic, topic))
      continue;
    if (result.topics.empty() || result.topics.back().topic != topic)
      result.topics.emplace_back().topic = exchange.keep(topic);
    result.topics.back().partitions.push_back(partition);
  }
  return KafkaError::kNone;
}

void handle(BrokerServices& services, const DescribeTransactionsRequest& request, std::unique_ptr<Exchange> exchange) {
  Response response;
  for (const std::string_view id : request.transactional_ids) {
    auto& result = response.transaction_states.emplace_back();
    result.transactional_id = id;
    result.error_code = code_of(describe(services, id, *exchange, result));
  }
  exchange->reply(response);
}

}  // namespace

Api describe_transactions_api() { return make_api<DescribeTransactionsRequest, handle>(); }

}  // namespace millrace
