// FindCoordinator: on a single node always this broker.
#include "protocol/messages/find_coordinator.h"
#include "broker/handlers/data_handlers.h"

namespace millrace {
namespace {

enum class KeyType : int8_t { kGroup = 0, kTransaction = 1, kShare = 2 };
constexpr int16_t kManySince = 4;

KafkaError check_key(const BrokerServices& services, const Session& session, int8_t type, std::string_view key) {
  switch (static_cast<KeyType>(type)) {
    case KeyType::kGroup:
      return services.security.authorized(session, AclOperation::kDescribe, ResourceType::kGroup, key)
                 ? KafkaError::kNone
                 : KafkaError::kGroupAuthorizationFailed;
    case KeyType::kTransaction:
      return services.security.authorized(session, AclOperation::kDescribe, ResourceType::kTransactionalId, key)
                 ? KafkaError::kNone
                 : KafkaError::kTransactionalIdAuthorizationFailed;
    default:
      return KafkaError::kInvalidRequest;  // share groups are not served
  }
}

void handle_find_coordinator(BrokerServices& services, const FindCoordinatorRequest& request,
                             std::unique_ptr<Exchange> exchange) {
  const Session& session = exchange->session();
  const AdvertisedListener& here = advertised_to(services, session);
  FindCoordinatorResponse response;
  if (exchange->version() < kManySince) {
    const KafkaError error = check_key(services, session, request.key_type, request.key);
    response.error_code = code_of(error);
    response.error_message = kafka_error_name(error);
    response.node_id = error == KafkaError::kNone ? services.node_id : -1;
    if (error == KafkaError::kNone) {
      response.host = here.host;
      response.port = here.port;
    } else {
      response.port = -1;
    }
    return exchange->reply(response);
  }
  for (const std::string_view key : request.coordinator_keys) {
    FindCoordinatorResponse::Coordinator& found = response.coordinators.emplace_back();
    const KafkaError error = check_key(services, session, request.key_type, key);
    found.key = key;
    found.error_code = code_of(error);
    found.error_message = error == KafkaError::kNone ? std::string_view() : kafka_error_name(error);
    found.node_id = error == KafkaError::kNone ? services.node_id : -1;
    found.host = error == KafkaError::kNone ? std::string_view(here.host) : std::string_view();
    found.port = error == KafkaError::kNone ? here.port : -1;
  }
  exchange->reply(response);
}

}  // namespace

Api find_coordinator_api() { return make_api<FindCoordinatorRequest, handle_find_coordinator>(0, 6); }

}  // namespace millrace
