/// Log lines: a stable event word, then key=value pairs. Passwords never come here: callers pass masked values.
#pragma once

#include <fmt/format.h>

#include <iosfwd>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

#include "core/error.h"
#include "core/log_levels.h"

namespace millrace {

/// Refers to its value, which is turned into text only when the line is written: not to be kept beyond the call.
class LogField {
 public:
  template <class T>
  LogField(std::string_view field_key, const T& value)
      : key(field_key),
        bare(std::is_arithmetic_v<T> && !std::is_same_v<T, char>),
        value_(&value),
        append_([](const void* from, std::string& to) {
          fmt::format_to(std::back_inserter(to), "{}", *static_cast<const T*>(from));
        }) {}

  void append_value(std::string& to) const { append_(value_, to); }

  const std::string_view key;
  const bool bare;  ///< a number or a truth value

 private:
  const void* value_;
  void (*append_)(const void*, std::string&);
};

/// Threads: any. Copies share one sink and one table of levels. A logger has a dotted name, by which its level is
/// found (millrace, millrace.rest, millrace.runtime.task.orders-0); and perhaps a context, shown as `[context]` before
/// the event as Connect's log context is. A line that is not to be written costs one relaxed load.
class Logger {
 public:
  /// Writes nothing.
  Logger() = default;
  /// Writes to standard error; `level` is the root logger's.
  static Logger to_stderr(LogLevel level = LogLevel::kInfo);
  /// `out` must outlive all copies.
  static Logger to_stream(std::ostream& out, LogLevel level = LogLevel::kInfo);

  /// The logger of a part of the program, by its full name.
  Logger module(std::string name) const;
  /// The same with a context. Contexts of Connect's form get a name of their own below the logger's: `orders|task-0`
  /// is .task.orders-0, `orders|worker` is .connector.orders.
  Logger named(std::string context) const;

  /// Reads `millrace.log.format` (text, json), `millrace.log.level` (the root logger's) and
  /// `millrace.log.level.<logger>` of a worker's settings. Errors: kInvalidConfig naming the key and what it may be.
  Status configure(const std::map<std::string, std::string>& settings) const;
  /// Null for the logger that writes nothing.
  std::shared_ptr<LogLevels> levels() const;

  bool enabled(LogLevel level) const { return threshold_ != nullptr && threshold_->lets_through(level); }
  void trace(std::string_view event, std::initializer_list<LogField> fields = {}) const {
    write(LogLevel::kTrace, event, fields);
  }
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
  void write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) const {
    if (enabled(level)) write_line(level, event, fields);
  }

 private:
  struct Sink;
  static Logger over(std::shared_ptr<Sink> sink);
  void write_line(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) const;

  std::shared_ptr<Sink> sink_;  // shared by all loggers made from one to_stderr() call
  std::shared_ptr<const LogThreshold> threshold_;
  std::string name_;
  std::string context_;
};

}  // namespace millrace
