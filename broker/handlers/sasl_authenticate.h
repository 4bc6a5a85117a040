/// Used by sasl_apis() alone.
#pragma once

#include <memory>

#include "broker/server/exchange.h"
#include "broker/server/services.h"
#include "protocol/messages/sasl_authenticate.h"

namespace millrace {

void handle_sasl_authenticate(BrokerServices& services, const SaslAuthenticateRequest& request,
                              std::unique_ptr<Exchange> exchange);

}  // namespace millrace
