/// SaslHandshake and SaslAuthenticate: how a client of a SASL listener authenticates.
#pragma once

#include <span>

#include "broker/server/api.h"

namespace millrace {

std::span<const Api> sasl_apis();

}  // namespace millrace
