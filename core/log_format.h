/// The forms of a log line, without the end of the line.
#pragma once

#include <chrono>
#include <initializer_list>
#include <string>
#include <string_view>

#include "core/logger.h"

namespace millrace {

struct LogLine {
  std::chrono::system_clock::time_point time;
  LogLevel level = LogLevel::kInfo;
  std::string_view logger;
  std::string_view context;  ///< empty = none
  std::string_view event;
  std::initializer_list<LogField> fields;
};

/// `[context] event key=value key="a value"`.
std::string text_of(const LogLine& line);
/// {"ts":"2026-01-31T12:00:00.000Z","level":"INFO","logger":"…","context":"…","event":"…","fields":{"key":"value"}}.
/// Always valid UTF-8: bytes that are not become U+FFFD.
std::string json_of(const LogLine& line);

}  // namespace millrace
