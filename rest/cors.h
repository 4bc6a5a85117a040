/// Requests from pages of other origins, as browsers ask for them.
#pragma once

#include <optional>

#include "rest/message.h"
#include "rest/rest_config.h"

namespace millrace {

/// The answer to a preflight request of an origin that may ask. Nothing for other requests.
std::optional<RestResponse> cors_preflight(const CorsConfig& cors, const RestRequest& request);

/// Lets the page of an allowed origin read the answer.
void add_cors_headers(const CorsConfig& cors, const RestRequest& request, RestResponse& response);

}  // namespace millrace
