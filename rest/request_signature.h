/// The signatures by which workers of a group know each other's requests.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rest/message.h"

namespace millrace {

struct SignatureRules {
  std::vector<std::string> algorithms = {"HmacSHA256"};  ///< inter.worker.verification.algorithms
  std::optional<std::string> session_key;                ///< bytes; nothing until it has been read
};

/// The headers of a signed request: what a worker sends to another. Nothing for an unknown algorithm.
std::optional<HttpHeaders> sign_request(std::string_view algorithm, std::string_view session_key,
                                        std::string_view body);

/// Nothing if the request is signed as it must be, else the answer that refuses it.
std::optional<RestResponse> refuse_signature(const SignatureRules& rules, const RestRequest& request);

}  // namespace millrace
