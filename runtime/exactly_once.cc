#include "runtime/exactly_once.h"

#include <fmt/format.h>

#include <algorithm>

namespace millrace {
namespace {

using namespace std::chrono_literals;

// A worker that runs alone has no group.
constexpr const char* kStandaloneGroup = "connect-standalone";
constexpr std::chrono::milliseconds kTimeoutMax = 15min;  // transaction.max.timeout.ms

std::string text_of(const ConfigMap& config, const std::string& key, std::string fallback = {}) {
  const auto at = config.find(key);
  return at == config.end() ? fallback : at->second;
}

const ConfigDef& boundary_def() {
  static const ConfigDef def = [] {
    ConfigKey boundary;
    boundary.name = "transaction.boundary";
    boundary.default_value = "poll";
    boundary.validator = validators::one_of_ignoring_case({"poll", "interval", "connector"});
    ConfigKey interval;
    interval.name = "transaction.boundary.interval.ms";
    interval.type = ConfigType::kLong;
    interval.default_value = nullptr;
    interval.validator = [at_least = validators::at_least(int64_t{0})](std::string_view key, const ConfigValue& value) {
      return std::holds_alternative<std::monostate>(value) ? std::nullopt : at_least(key, value);
    };
    return *ConfigDef::create({boundary, interval});
  }();
  return def;
}

}  // namespace

bool exactly_once_enabled(const ConfigMap& worker) {
  std::string support = text_of(worker, "exactly.once.source.support");
  std::ranges::transform(support, support.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return support == "enabled";
}

Expected<std::optional<ExactlyOnce>> ExactlyOnce::from(const ConfigMap& worker, const ConfigMap& connector,
                                                       const std::string& name, int task,
                                                       const ProducerSettings& producer) {
  if (!exactly_once_enabled(worker)) return std::nullopt;
  auto parsed = boundary_def().parse(connector);
  if (!parsed) return fail(std::move(parsed.error()));
  ExactlyOnce made;
  made.transactional_id = fmt::format("{}-{}-{}", text_of(worker, "group.id", kStandaloneGroup), name, task);
  std::string boundary = parsed->text("transaction.boundary");
  std::ranges::transform(boundary, boundary.begin(), [](char c) { return c < 'a' ? static_cast<char>(c + 32) : c; });
  made.boundary = boundary == "interval"    ? TransactionBoundary::kInterval
                  : boundary == "connector" ? TransactionBoundary::kConnector
                                            : TransactionBoundary::kPoll;
  if (!parsed->is_null("transaction.boundary.interval.ms")) {
    made.interval = std::chrono::milliseconds(parsed->integer("transaction.boundary.interval.ms"));
  } else if (const std::string flush = text_of(worker, "offset.flush.interval.ms"); !flush.empty()) {
    made.interval = std::chrono::milliseconds(std::atoll(flush.c_str()));
  }
  made.timeout = producer.transaction_timeout;
  // A transaction that is meant to last for a minute must not be cut off after one.
  const bool chosen = connector.contains("producer.override.transaction.timeout.ms") ||
                      worker.contains("producer.transaction.timeout.ms");
  if (made.boundary == TransactionBoundary::kInterval && !chosen)
    made.timeout = std::clamp(2 * made.interval, made.timeout, kTimeoutMax);
  return made;
}

}  // namespace millrace
