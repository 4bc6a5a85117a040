#include "rest/answers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "rest/http_answer.h"
#include "rest/json_views.h"

namespace millrace {
namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::chrono::milliseconds kRetryAfter{100};

int status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kNotFound:
      return 404;
    case ErrorCode::kAlreadyExists:
    case ErrorCode::kConflict:
      return 409;
    case ErrorCode::kInvalidConfig:
      return 400;
    default:
      return 500;
  }
}

/// What Kafka Connect says while its workers regroup.
bool says_that_it_passes(std::string_view message) {
  constexpr std::array<std::string_view, 3> kTexts = {
      "Cannot complete request momentarily due to no known leader URL",
      "Cannot complete request because of a conflicting operation (e.g. worker rebalance)",
      "Cannot complete request momentarily due to stale configuration"};
  return std::ranges::any_of(kTexts, [&](std::string_view text) { return message.starts_with(text); });
}

}  // namespace

RestResponse json_response(const Json& body, int status) { return json_text_response(json_text(body), status); }

RestResponse json_text_response(std::string body, int status) {
  return {.status = status, .content_type = std::string(kJson), .body = std::move(body)};
}

RestResponse empty_response(int status) { return {.status = status}; }

RestResponse error_response(int status, std::string_view message) {
  return json_response(error_to_json(status, message), status);
}

RestResponse error_response(const Error& error) {
  RestResponse response = error_response(status_of(error.code), error.message);
  if (error.code == ErrorCode::kConflict && (error.retry_after.count() > 0 || says_that_it_passes(error.message)))
    response.retry_after = error.retry_after.count() > 0 ? error.retry_after : kRetryAfter;
  return response;
}

RestResponse routing_error(int status) {
  RestResponse response = error_response(status, fmt::format("HTTP {} {}", status, reason_phrase(status)));
  response.content_type.clear();
  return response;
}

}  // namespace millrace
