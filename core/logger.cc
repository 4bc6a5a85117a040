#include "core/logger.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <atomic>

#include "core/log_format.h"

namespace millrace {

enum class LogFormat { kText, kJson };

struct Logger::Sink {
  Sink(spdlog::sink_ptr to, LogLevel root)
      : output("millrace", std::move(to)), levels(std::make_shared<LogLevels>(root)) {
    set_format(LogFormat::kText);
    output.set_level(spdlog::level::trace);  // what is written has been decided before
    output.flush_on(spdlog::level::trace);
  }
  void set_format(LogFormat to) {
    format = to;
    output.set_pattern(to == LogFormat::kText ? "%Y-%m-%d %H:%M:%S.%e %^%L%$ %v" : "%v");
  }

  spdlog::logger output;
  std::atomic<LogFormat> format = LogFormat::kText;
  const std::shared_ptr<LogLevels> levels;  // co-owned by those who change them
};

namespace {

constexpr const char* kProgram = "millrace";
constexpr std::string_view kFormatKey = "millrace.log.format";
constexpr std::string_view kLevelKey = "millrace.log.level";

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::kAll:
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
    case LogLevel::kFatal:
    case LogLevel::kOff:
      return spdlog::level::critical;
  }
  return spdlog::level::info;
}

/// `.task.orders-0` of `orders|task-0`; empty for other forms.
std::string name_of_context(std::string_view context) {
  constexpr std::string_view kTask = "task-";
  const size_t bar = context.rfind('|');
  if (bar == context.npos) return {};
  const std::string_view owner = context.substr(0, bar);
  const std::string_view part = context.substr(bar + 1);
  if (part.starts_with(kTask)) return fmt::format(".task.{}-{}", owner, part.substr(kTask.size()));
  return part == "worker" ? fmt::format(".connector.{}", owner) : std::string();
}

}  // namespace

Logger Logger::over(std::shared_ptr<Sink> sink) {
  Logger logger;
  logger.sink_ = std::move(sink);
  return logger.module(kProgram);
}

Logger Logger::to_stderr(LogLevel level) {
  return over(std::make_shared<Sink>(std::make_shared<spdlog::sinks::stderr_sink_mt>(), level));
}

Logger Logger::to_stream(std::ostream& out, LogLevel level) {
  return over(std::make_shared<Sink>(std::make_shared<spdlog::sinks::ostream_sink_mt>(out), level));
}

Logger Logger::module(std::string name) const {
  Logger logger = *this;
  logger.name_ = std::move(name);
  if (sink_ != nullptr) logger.threshold_ = sink_->levels->threshold(logger.name_);
  return logger;
}

Logger Logger::named(std::string context) const {
  const std::string below = name_of_context(context);
  Logger logger = below.empty() ? *this : module(name_ + below);
  logger.context_ = std::move(context);
  return logger;
}

Status Logger::configure(const std::map<std::string, std::string>& settings) const {
  if (sink_ == nullptr) return {};
  for (const auto& [key, value] : settings) {
    if (key == kFormatKey) {
      if (value != "text" && value != "json")
        return fail(ErrorCode::kInvalidConfig, fmt::format("{}: '{}' is unknown; it can be text or json", key, value));
      sink_->set_format(value == "json" ? LogFormat::kJson : LogFormat::kText);
    } else if (key == kLevelKey || (key.starts_with(kLevelKey) && key[kLevelKey.size()] == '.')) {
      const auto level = parse_log_level(value);
      if (!level) {
        return fail(ErrorCode::kInvalidConfig,
                    fmt::format("{}: '{}' is unknown; it can be OFF, FATAL, ERROR, WARN, INFO, DEBUG, TRACE or ALL",
                                key, value));
      }
      sink_->levels->configure(key == kLevelKey ? "root" : key.substr(kLevelKey.size() + 1), *level);
    }
  }
  return {};
}

std::shared_ptr<LogLevels> Logger::levels() const { return sink_ == nullptr ? nullptr : sink_->levels; }

void Logger::write_line(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) const {
  const LogLine line{std::chrono::system_clock::now(), level, name_, context_, event, fields};
  sink_->output.log(level_of(level), sink_->format == LogFormat::kText ? text_of(line) : json_of(line));
}

}  // namespace millrace
