#include "core/logger.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

namespace millrace {

struct Logger::Sink {
  spdlog::logger output{"millrace", std::make_shared<spdlog::sinks::stderr_sink_mt>()};
};

namespace {
spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::kTrace:
      return spdlog::level::trace;
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
    case LogLevel::kOff:
      return spdlog::level::off;
  }
  return spdlog::level::info;
}

void append_value(std::string& line, std::string_view value) {
  const bool plain = !value.empty() && value.find_first_of(" \"\n\t=") == std::string_view::npos;
  if (plain) {
    line += value;
    return;
  }
  line += '"';
  for (const char c : value) {
    if (c == '"' || c == '\\') line += '\\';
    if (c == '\n') {
      line += "\\n";
    } else {
      line += c;
    }
  }
  line += '"';
}
}  // namespace

Logger Logger::to_stderr(LogLevel level) {
  Logger logger;
  logger.sink_ = std::make_shared<Sink>();
  logger.sink_->output.set_pattern("%Y-%m-%d %H:%M:%S.%e %^%L%$ %v");
  logger.sink_->output.set_level(level_of(level));
  logger.sink_->output.flush_on(spdlog::level::debug);
  return logger;
}

Logger Logger::named(std::string name) const {
  Logger logger = *this;
  logger.name_ = std::move(name);
  return logger;
}

void Logger::write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) const {
  if (!sink_ || !sink_->output.should_log(level_of(level))) return;
  std::string line;
  if (!name_.empty()) line = fmt::format("[{}] ", name_);
  line += event;
  for (const LogField& field : fields) {
    line += ' ';
    line += field.key;
    line += '=';
    append_value(line, field.value);
  }
  sink_->output.log(level_of(level), line);
}

}  // namespace millrace
