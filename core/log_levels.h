/// Levels of loggers by their dotted names, changeable while the program runs.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace {

/// A line is written when its level is not below its logger's. kAll and kOff are levels of loggers only.
enum class LogLevel : int { kAll, kTrace, kDebug, kInfo, kWarn, kError, kFatal, kOff };

/// ALL TRACE DEBUG INFO WARN ERROR FATAL OFF.
std::string_view log_level_name(LogLevel level);
/// Any case. Nothing for other words.
std::optional<LogLevel> parse_log_level(std::string_view name);

/// What a logger looks at before each line. Read without a lock.
class LogThreshold {
 public:
  bool lets_through(LogLevel level) const { return level >= level_.load(std::memory_order_relaxed); }

 private:
  friend class LogLevels;
  std::atomic<LogLevel> level_{LogLevel::kInfo};
  bool own_ = false;  // set by name, not taken from the nearest name above
  std::optional<int64_t> last_modified_ms_;
};

/// All names that loggers have or users have set, with their levels; `root` is above all of them. A name of Kafka
/// Connect's (org.apache.kafka.connect.runtime.rest) stands also for our loggers that do the same work.
/// Threads: any.
class LogLevels {
 public:
  struct Level {
    LogLevel level = LogLevel::kInfo;
    std::optional<int64_t> last_modified_ms;  ///< of the last set(); nothing before the first
  };

  explicit LogLevels(LogLevel root);

  /// The threshold of a logger, made with the level of the nearest name above it that was set. Names that nobody set
  /// are forgotten some time after their last user.
  std::shared_ptr<const LogThreshold> threshold(const std::string& name);

  /// Nothing for a name that no logger has and nobody has set.
  std::optional<Level> level(const std::string& name) const;
  std::map<std::string, Level> all() const;

  /// Sets a name and, as Kafka Connect does, every known name that begins with it; `root` (any case): every known
  /// name. Returns these names, sorted. Those that have the level already keep the time of their change.
  std::vector<std::string> set(const std::string& name, LogLevel level, int64_t now_ms);
  /// As set(), but not shown as a change: for what was configured before the start.
  void configure(const std::string& name, LogLevel level);

 private:
  using Thresholds = std::map<std::string, std::shared_ptr<LogThreshold>>;
  LogThreshold& find_or_add(const std::string& name);
  LogLevel inherited(std::string_view name) const;
  void forget_unused();

  mutable std::mutex mutex_;
  LogThreshold root_;
  Thresholds known_;  // co-owned by the loggers
  size_t forget_at_;
};

}  // namespace millrace
