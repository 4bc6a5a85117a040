#include "broker/handlers/sasl_authenticate.h"

#include "broker/security/security.h"
#include "protocol/kafka_error.h"

namespace millrace {
namespace {

void reply_failed(Exchange& exchange, std::string_view message) {
  SaslAuthenticateResponse response;
  response.error_code = static_cast<int16_t>(KafkaError::kSaslAuthenticationFailed);
  response.error_message = message;
  exchange.reply_and_close(response);
}

}  // namespace

void handle_sasl_authenticate(BrokerServices& services, const SaslAuthenticateRequest& request,
                              std::unique_ptr<Exchange> exchange) {
  ConnectionControl* const connection = exchange->connection();
  SaslSession* const sasl = connection == nullptr ? nullptr : connection->sasl();
  SaslAuthenticateResponse response;
  if (sasl == nullptr || sasl->authenticated()) {
    response.error_code = static_cast<int16_t>(KafkaError::kIllegalSaslState);
    response.error_message = "SaslAuthenticate request received after successful authentication";
    return exchange->reply(response);
  }
  SaslMechanism::Step step = sasl->token(request.auth_bytes);
  if (step.outcome == SaslMechanism::Outcome::kFailed) {
    services.logger.info("authentication_failed", {{"client", exchange->session().client_host},
                                                   {"listener", exchange->session().listener},
                                                   {"error", step.error}});
    const auto delay = services.security.options().failed_authentication_delay;
    if (delay.count() == 0) return reply_failed(*exchange, step.error);
    // The wait makes guessing passwords slow; the connection handles nothing else meanwhile.
    services.executor.run_after(delay, [exchange = std::shared_ptr<Exchange>(std::move(exchange)),
                                        error = std::move(step.error)] { reply_failed(*exchange, error); });
    return;
  }
  if (step.outcome == SaslMechanism::Outcome::kAuthenticated) {
    Session known = exchange->session();
    known.principal = std::move(step.principal);
    connection->replace_session(std::move(known));
  }
  response.auth_bytes = step.token;
  exchange->reply(response);
}

}  // namespace millrace
