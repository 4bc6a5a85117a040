#include "core/log_levels.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace millrace {
namespace {

constexpr size_t kNamesBeforeForgetting = 256;
constexpr std::string_view kRoot = "root";
constexpr std::array<std::string_view, 8> kNames = {"ALL", "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL", "OFF"};

bool same_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](unsigned char x, unsigned char y) { return std::toupper(x) == std::toupper(y); });
}

struct Counterpart {
  std::string_view theirs;
  std::string_view ours;
};
// Other names of Kafka Connect's are kept when they are set, but stand for nothing here.
constexpr Counterpart kCounterparts[] = {
    {"org.apache.kafka.connect.runtime.WorkerSourceTask", "millrace.runtime.task"},
    {"org.apache.kafka.connect.runtime.WorkerSinkTask", "millrace.runtime.task"},
    {"org.apache.kafka.connect.runtime.WorkerTask", "millrace.runtime.task"},
    {"org.apache.kafka.connect.runtime.WorkerConnector", "millrace.runtime.connector"},
    {"org.apache.kafka.connect.runtime.rest", "millrace.rest"},
    {"org.apache.kafka.connect.runtime", "millrace.runtime"},
    {"org.apache.kafka.connect", "millrace"},
    {"org.apache.kafka.clients", "millrace.client"},
    {"org.eclipse.jetty", "millrace.rest"},
    {"kafka", "millrace.broker"},
};

std::string_view counterpart_of(std::string_view name) {
  for (const Counterpart& each : kCounterparts) {
    if (each.theirs == name) return each.ours;
  }
  return {};
}

}  // namespace

std::string_view log_level_name(LogLevel level) { return kNames[static_cast<size_t>(level)]; }

std::optional<LogLevel> parse_log_level(std::string_view name) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (same_ignoring_case(name, kNames[i])) return static_cast<LogLevel>(i);
  }
  return {};
}

LogLevels::LogLevels(LogLevel root) : forget_at_(kNamesBeforeForgetting) {
  root_.level_ = root;
  root_.own_ = true;
}

std::shared_ptr<const LogThreshold> LogLevels::threshold(const std::string& name) {
  std::lock_guard lock(mutex_);
  if (known_.size() >= forget_at_) forget_unused();
  find_or_add(name);
  return known_.at(name);
}

std::optional<LogLevels::Level> LogLevels::level(const std::string& name) const {
  std::lock_guard lock(mutex_);
  if (same_ignoring_case(name, kRoot)) return Level{root_.level_, root_.last_modified_ms_};
  const auto found = known_.find(name);
  if (found == known_.end()) return {};
  return Level{found->second->level_, found->second->last_modified_ms_};
}

std::map<std::string, LogLevels::Level> LogLevels::all() const {
  std::lock_guard lock(mutex_);
  std::map<std::string, Level> levels;
  for (const auto& [name, known] : known_) levels[name] = {known->level_, known->last_modified_ms_};
  levels[std::string(kRoot)] = {root_.level_, root_.last_modified_ms_};
  return levels;
}

std::vector<std::string> LogLevels::set(const std::string& name, LogLevel level, int64_t now_ms) {
  std::lock_guard lock(mutex_);
  const bool root = same_ignoring_case(name, kRoot);
  const std::string ours(counterpart_of(name));
  if (!root) find_or_add(name);
  if (!ours.empty()) find_or_add(ours);
  std::vector<std::string> affected;
  const auto change = [&](const std::string& each, LogThreshold& threshold) {
    affected.push_back(each);
    threshold.own_ = true;
    if (threshold.level_ == level) return;
    threshold.level_ = level;
    threshold.last_modified_ms_ = now_ms;
  };
  for (const auto& [each, threshold] : known_) {
    if (root || each.starts_with(name) || (!ours.empty() && each.starts_with(ours))) change(each, *threshold);
  }
  if (root) change(std::string(kRoot), root_);
  std::ranges::sort(affected);
  return affected;
}

void LogLevels::configure(const std::string& name, LogLevel level) {
  std::lock_guard lock(mutex_);
  const std::string_view ours = counterpart_of(name);
  LogThreshold& threshold =
      same_ignoring_case(name, kRoot) ? root_ : find_or_add(ours.empty() ? name : std::string(ours));
  threshold.level_ = level;
  threshold.own_ = true;
  for (const auto& [each, known] : known_) {
    if (!known->own_) known->level_ = inherited(each);
  }
}

LogThreshold& LogLevels::find_or_add(const std::string& name) {
  auto& known = known_[name];
  if (known == nullptr) {
    known = std::make_shared<LogThreshold>();
    known->level_ = inherited(name);
  }
  return *known;
}

LogLevel LogLevels::inherited(std::string_view name) const {
  for (size_t dot = name.rfind('.'); dot != name.npos; dot = name.rfind('.')) {
    name = name.substr(0, dot);
    const auto above = known_.find(std::string(name));
    if (above != known_.end() && above->second->own_) return above->second->level_;
  }
  return root_.level_;
}

void LogLevels::forget_unused() {
  std::erase_if(known_, [](const auto& entry) { return !entry.second->own_ && entry.second.use_count() == 1; });
  forget_at_ = std::max(kNamesBeforeForgetting, known_.size() * 2);
}

}  // namespace millrace
