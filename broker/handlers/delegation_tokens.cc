// CreateDelegationToken (38), RenewDelegationToken (39), ExpireDelegationToken (40), DescribeDelegationToken (41): off,
// answered as by a Kafka broker without delegation.token.secret.key.
#include "broker/handlers/admin_apis.h"
#include "broker/handlers/admin_common.h"
#include "protocol/messages/create_delegation_token.h"
#include "protocol/messages/describe_delegation_token.h"
#include "protocol/messages/expire_delegation_token.h"
#include "protocol/messages/renew_delegation_token.h"

namespace millrace {
namespace {

/// Who is nobody in particular cannot have tokens even where they are on.
int16_t token_error(const Exchange& exchange) {
  return code_of(exchange.session().principal == "User:ANONYMOUS" ? KafkaError::kDelegationTokenRequestNotAllowed
                                                                  : KafkaError::kDelegationTokenAuthDisabled);
}

template <class Request, class Response>
void refuse(BrokerServices&, const Request&, Exchange& exchange) {
  Response response;
  response.error_code = token_error(exchange);
  if constexpr (requires { response.expiry_timestamp_ms; }) response.expiry_timestamp_ms = -1;
  if constexpr (requires { response.issue_timestamp_ms; }) response.issue_timestamp_ms = response.max_timestamp_ms = -1;
  exchange.reply(response);
}

template <class Request, class Response>
Api refusing() {
  return make_api<Request, at_once<Request, refuse<Request, Response>>>();
}

}  // namespace

Api create_delegation_token_api() { return refusing<CreateDelegationTokenRequest, CreateDelegationTokenResponse>(); }
Api renew_delegation_token_api() { return refusing<RenewDelegationTokenRequest, RenewDelegationTokenResponse>(); }
Api expire_delegation_token_api() { return refusing<ExpireDelegationTokenRequest, ExpireDelegationTokenResponse>(); }
Api describe_delegation_token_api() {
  return refusing<DescribeDelegationTokenRequest, DescribeDelegationTokenResponse>();
}

}  // namespace millrace
