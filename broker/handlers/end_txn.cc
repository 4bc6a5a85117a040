// EndTxn (26): commits or aborts. From version 5 on the producer goes on with the epoch in the answer.
#include "protocol/messages/end_txn.h"
#include "broker/handlers/transaction_handlers.h"

namespace millrace {
namespace {

constexpr int16_t kKnowsFenced = 2;
constexpr int16_t kTransactionsV2Since = 5;

void answer(Exchange& exchange, KafkaError error, ProducerIdAndEpoch producer) {
  EndTxnResponse response;
  response.error_code = producer_error_code(error, exchange.version(), kKnowsFenced);
  response.producer_id = producer.id;
  response.producer_epoch = producer.epoch;
  exchange.reply(response);
}

void handle(BrokerServices& services, const EndTxnRequest& request, std::unique_ptr<Exchange> exchange) {
  if (!may_on_transactional_id(services, *exchange, AclOperation::kWrite, request.transactional_id))
    return answer(*exchange, KafkaError::kTransactionalIdAuthorizationFailed, {});
  const std::string id(request.transactional_id);
  const int16_t client_version = exchange->version() >= kTransactionsV2Since ? kTransactionsV2 : kTransactionsV1;
  services.transactions.end_transaction(
      id, {request.producer_id, request.producer_epoch}, request.committed, client_version,
      [held = std::shared_ptr<Exchange>(std::move(exchange))](KafkaError error, ProducerIdAndEpoch producer) {
        answer(*held, error, producer);
      });
}

}  // namespace

Api end_txn_api() { return make_api<EndTxnRequest, handle>(); }

}  // namespace millrace
