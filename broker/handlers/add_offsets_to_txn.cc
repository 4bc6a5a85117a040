// AddOffsetsToTxn (25): the partition of __consumer_offsets that holds the group joins the transaction.
#include "protocol/messages/add_offsets_to_txn.h"
#include "broker/handlers/transaction_handlers.h"

namespace millrace {
namespace {

constexpr int16_t kKnowsFenced = 2;

void answer(Exchange& exchange, KafkaError error) {
  AddOffsetsToTxnResponse response;
  response.error_code = producer_error_code(error, exchange.version(), kKnowsFenced);
  exchange.reply(response);
}

void handle(BrokerServices& services, const AddOffsetsToTxnRequest& request, std::unique_ptr<Exchange> exchange) {
  if (!may_on_transactional_id(services, *exchange, AclOperation::kWrite, request.transactional_id))
    return answer(*exchange, KafkaError::kTransactionalIdAuthorizationFailed);
  if (!services.security.authorized(exchange->session(), AclOperation::kRead, ResourceType::kGroup, request.group_id))
    return answer(*exchange, KafkaError::kGroupAuthorizationFailed);
  TransactionCoordinator& transactions = services.transactions;
  const std::string id(request.transactional_id);
  transactions.add_partitions(
      id, {request.producer_id, request.producer_epoch}, {transactions.offsets_partition(request.group_id)},
      kTransactionsV1,
      [held = std::shared_ptr<Exchange>(std::move(exchange))](KafkaError error) { answer(*held, error); });
}

}  // namespace

Api add_offsets_to_txn_api() { return make_api<AddOffsetsToTxnRequest, handle>(); }

}  // namespace millrace
