// InitProducerId (22).
#include "protocol/messages/init_producer_id.h"
#include "broker/handlers/transaction_handlers.h"

namespace millrace {
namespace {

constexpr int16_t kVersionMax = 5;  // 6 is about two-phase commits, which are not served
constexpr int16_t kKnowsFenced = 4;

void answer(Exchange& exchange, KafkaError error, ProducerIdAndEpoch producer = {}) {
  InitProducerIdResponse response;
  response.error_code = producer_error_code(error, exchange.version(), kKnowsFenced);
  response.producer_id = producer.id;
  response.producer_epoch = producer.epoch;
  exchange.reply(response);
}

KafkaError check_access(const BrokerServices& services, const InitProducerIdRequest& request,
                        const Exchange& exchange) {
  if (request.transactional_id) {
    return may_on_transactional_id(services, exchange, AclOperation::kWrite, *request.transactional_id)
               ? KafkaError::kNone
               : KafkaError::kTransactionalIdAuthorizationFailed;
  }
  const Security& security = services.security;
  const bool may = security.authorized_on_cluster(exchange.session(), AclOperation::kIdempotentWrite) ||
                   security.authorized_somewhere(exchange.session(), AclOperation::kWrite, ResourceType::kTopic);
  return may ? KafkaError::kNone : KafkaError::kClusterAuthorizationFailed;
}

void handle(BrokerServices& services, const InitProducerIdRequest& request, std::unique_ptr<Exchange> exchange) {
  if (const KafkaError refused = check_access(services, request, *exchange); refused != KafkaError::kNone)
    return answer(*exchange, refused);
  std::optional<ProducerIdAndEpoch> expected;
  if (request.producer_id != -1 || request.producer_epoch != -1) {
    if (request.producer_id == -1 || request.producer_epoch == -1)
      return answer(*exchange, KafkaError::kInvalidRequest);
    expected = {request.producer_id, request.producer_epoch};
  }
  const auto id = request.transactional_id;
  // Shared only because std::function must be copyable.
  auto done = [held = std::shared_ptr<Exchange>(std::move(exchange))](KafkaError error, ProducerIdAndEpoch producer) {
    answer(*held, error, producer);
  };
  if (!id) return services.transactions.init_idempotent_producer(std::move(done));
  services.transactions.init_producer_id(*id, request.transaction_timeout_ms, expected, std::move(done));
}

}  // namespace

Api init_producer_id_api() { return make_api<InitProducerIdRequest, handle>(0, kVersionMax); }

}  // namespace millrace
