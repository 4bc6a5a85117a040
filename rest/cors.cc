#include "rest/cors.h"

#include <fmt/format.h>

#include <algorithm>

namespace millrace {
namespace {

constexpr std::string_view kHeaders = "X-Requested-With,Content-Type,Accept,Origin,Authorization";
constexpr std::string_view kMaxAgeSeconds = "1800";

/// `*` stands for any text.
bool matches(std::string_view pattern, std::string_view text) {
  const size_t star = pattern.find('*');
  if (star == pattern.npos) return pattern == text;
  if (!text.starts_with(pattern.substr(0, star))) return false;
  const std::string_view rest = pattern.substr(star + 1);
  for (size_t i = star; i <= text.size(); ++i) {
    if (matches(rest, text.substr(i))) return true;
  }
  return false;
}

const std::string* allowed_origin(const CorsConfig& cors, const RestRequest& request) {
  const std::string* origin = request.header("origin");
  if (origin == nullptr) return nullptr;
  const bool allowed =
      std::ranges::any_of(cors.origins, [&](const std::string& pattern) { return matches(pattern, *origin); });
  return allowed ? origin : nullptr;
}

}  // namespace

std::optional<RestResponse> cors_preflight(const CorsConfig& cors, const RestRequest& request) {
  const std::string* method = request.header("access-control-request-method");
  if (request.method != "OPTIONS" || method == nullptr || allowed_origin(cors, request) == nullptr) return {};
  RestResponse response{.status = 200};
  if (std::ranges::find(cors.methods, *method) != cors.methods.end()) {
    response.headers = {{"Access-Control-Allow-Methods", fmt::format("{}", fmt::join(cors.methods, ","))},
                        {"Access-Control-Allow-Headers", std::string(kHeaders)},
                        {"Access-Control-Max-Age", std::string(kMaxAgeSeconds)}};
  }
  return response;
}

void add_cors_headers(const CorsConfig& cors, const RestRequest& request, RestResponse& response) {
  if (cors.origins.empty()) return;
  // Answers differ by origin, also those without the header: caches must know.
  response.headers.emplace_back("Vary", "Origin");
  const std::string* origin = allowed_origin(cors, request);
  if (origin == nullptr) return;
  response.headers.emplace_back("Access-Control-Allow-Origin", *origin);
  response.headers.emplace_back("Access-Control-Allow-Credentials", "true");
}

}  // namespace millrace
