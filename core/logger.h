/// Log lines: a stable event word, then key=value pairs. Passwords never come here: callers pass masked values.
#pragma once

#include <fmt/format.h>

#include <memory>
#include <string>
#include <string_view>

namespace millrace {

enum class LogLevel { kTrace, kDebug, kInfo, kWarn, kError, kOff };

struct LogField {
  std::string_view key;
  std::string value;

  template <class T>
  LogField(std::string_view field_key, const T& field_value) : key(field_key), value(fmt::format("{}", field_value)) {}
};

/// Threads: any. Copies share one sink; `named` loggers add `[name]` before the event, as Connect's log context does.
class Logger {
 public:
  /// Writes nothing.
  Logger() = default;
  /// Writes to standard error, at `level` and above.
  static Logger to_stderr(LogLevel level = LogLevel::kInfo);

  Logger named(std::string name) const;

  void debug(std::string_view event, std::initializer_list<LogField> fields = {}) const {
    write(LogLevel::kDebug, event, fields);
  }
  void info(std::string_view event, std::initializer_list<LogField> fields = {}) const {
    write(LogLevel::kInfo, event, fields);
  }
  void warn(std::string_view event, std::initializer_list<LogField> fields = {}) const {
    write(LogLevel::kWarn, event, fields);
  }
  void error(std::string_view event, std::initializer_list<LogField> fields = {}) const {
    write(LogLevel::kError, event, fields);
  }
  void write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) const;

 private:
  struct Sink;
  std::shared_ptr<Sink> sink_;  // shared by all loggers made from one to_stderr() call
  std::string name_;
};

}  // namespace millrace
