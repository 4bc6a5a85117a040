#include "protocol/messages/sasl_handshake.h"

#include <array>

#include "broker/handlers/sasl_apis.h"
#include "broker/handlers/sasl_authenticate.h"
#include "broker/security/sasl_session.h"
#include "protocol/kafka_error.h"

namespace millrace {
namespace {

void handle_sasl_handshake(BrokerServices&, const SaslHandshakeRequest& request, std::unique_ptr<Exchange> exchange) {
  SaslSession* const sasl = exchange->connection() == nullptr ? nullptr : exchange->connection()->sasl();
  SaslHandshakeResponse response;
  if (sasl == nullptr || sasl->authenticated()) {
    response.error_code = static_cast<int16_t>(KafkaError::kIllegalSaslState);
    return exchange->reply(response);
  }
  for (const std::string& mechanism : sasl->mechanisms()) response.mechanisms.push_back(mechanism);
  const bool raw_tokens = exchange->version() == 0;
  if (sasl->handshake(request.mechanism, raw_tokens)) return exchange->reply(response);
  response.error_code = static_cast<int16_t>(KafkaError::kUnsupportedSaslMechanism);
  exchange->reply_and_close(response);
}

constexpr std::array kApis = {
    [] {
      Api api = make_api<SaslHandshakeRequest, handle_sasl_handshake>();
      api.before_authentication = true;
      return api;
    }(),
    [] {
      Api api = make_api<SaslAuthenticateRequest, handle_sasl_authenticate>();
      api.before_authentication = true;
      return api;
    }(),
};

}  // namespace

std::span<const Api> sasl_apis() { return kApis; }

}  // namespace millrace
