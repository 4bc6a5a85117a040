#include "core/error.h"

namespace millrace {

std::string_view error_code_name(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUnavailable:
      return "unavailable";
    case ErrorCode::kBadRecord:
      return "bad_record";
    case ErrorCode::kInvalidConfig:
      return "invalid_config";
    case ErrorCode::kNotFound:
      return "not_found";
    case ErrorCode::kAlreadyExists:
      return "already_exists";
    case ErrorCode::kConflict:
      return "conflict";
    case ErrorCode::kFenced:
      return "fenced";
    case ErrorCode::kCorruption:
      return "corruption";
    case ErrorCode::kStopped:
      return "stopped";
    case ErrorCode::kInternal:
      return "internal";
  }
  return "internal";
}

namespace {
std::string_view exception_name(const Error& error) {
  if (!error.exception.empty()) return error.exception;
  switch (error.code) {
    case ErrorCode::kUnavailable:
      return "org.apache.kafka.connect.errors.RetriableException";
    case ErrorCode::kBadRecord:
      return "org.apache.kafka.connect.errors.DataException";
    case ErrorCode::kInvalidConfig:
      return "org.apache.kafka.common.config.ConfigException";
    default:
      return "org.apache.kafka.connect.errors.ConnectException";
  }
}
}  // namespace

std::string error_trace(const Error& error) {
  std::string text;
  for (const Error* at = &error; at != nullptr; at = at->cause.empty() ? nullptr : &at->cause.front()) {
    if (at != &error) text += "Caused by: ";
    text += exception_name(*at);
    text += ": ";
    text += at->message;
    text += '\n';
  }
  return text;
}

}  // namespace millrace
