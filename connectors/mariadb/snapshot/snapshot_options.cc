#include "connectors/mariadb/snapshot/snapshot_options.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>

namespace millrace::mariadb {
namespace {

using connectors::Code;
using connectors::Result;
using connectors::Status;

template <class T>
struct Name {
  std::string_view name;
  T value;
};

// The second of each pair is what older versions called it.
constexpr auto kModes = std::to_array<Name<SnapshotMode>>({
    {"always", SnapshotMode::kAlways},
    {"initial", SnapshotMode::kInitial},
    {"initial_only", SnapshotMode::kInitialOnly},
    {"no_data", SnapshotMode::kNoData},
    {"schema_only", SnapshotMode::kNoData},
    {"recovery", SnapshotMode::kRecovery},
    {"schema_only_recovery", SnapshotMode::kRecovery},
    {"when_needed", SnapshotMode::kWhenNeeded},
    {"never", SnapshotMode::kNever},
    {"configuration_based", SnapshotMode::kConfigurationBased},
});
// Percona's backup locks do not exist in MariaDB; a global read lock of milliseconds does what they are for.
constexpr auto kLockings = std::to_array<Name<SnapshotLocking>>({
    {"minimal", SnapshotLocking::kMinimal},
    {"minimal_percona", SnapshotLocking::kMinimal},
    {"minimal_percona_no_table_locks", SnapshotLocking::kMinimal},
    {"minimal_at_least_once", SnapshotLocking::kMinimalAtLeastOnce},
    {"extended", SnapshotLocking::kExtended},
    {"none", SnapshotLocking::kNone},
});
constexpr auto kOrders = std::to_array<Name<SnapshotOptions::Order>>({
    {"disabled", SnapshotOptions::Order::kDisabled},
    {"ascending", SnapshotOptions::Order::kAscending},
    {"descending", SnapshotOptions::Order::kDescending},
});

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return text;
}

template <class T, size_t kCount>
Status parse_name(const sdk::Config& config, std::string_view key, const std::array<Name<T>, kCount>& names, T& value) {
  const std::string given = lower(config.string(key));
  if (given.empty()) return sdk::ok();
  std::string known;
  for (const Name<T>& candidate : names) {
    if (candidate.name == given) {
      value = candidate.value;
      return sdk::ok();
    }
    known += (known.empty() ? "" : ", ") + std::string(candidate.name);
  }
  const std::string why = given == "custom" ? "needs a Java class, which cannot be loaded here" : "is unknown";
  return {Code::kInvalidConfig, std::string(key) + ": '" + given + "' " + why + "; use one of " + known};
}

template <class T>
Status parse_number(const sdk::Config& config, std::string_view key, T least, T& value) {
  const std::string text = config.string(key);
  if (text.empty()) return sdk::ok();
  T number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() || number < least) {
    return {Code::kInvalidConfig,
            std::string(key) + ": '" + text + "' is not a number of at least " + std::to_string(least)};
  }
  value = number;
  return sdk::ok();
}

Status parse_overrides(const sdk::Config& config, std::map<std::string, std::string>& overrides) {
  const std::string key = "snapshot.select.statement.overrides";
  for (const std::string& table : config.list(key)) {
    if (table.empty()) continue;
    const std::string select = config.string(key + "." + table);
    if (select.empty()) {
      return {Code::kInvalidConfig, key + " names " + table + ", but " + key + "." + table + " gives no SELECT for it"};
    }
    overrides[table] = select;
  }
  return sdk::ok();
}

}  // namespace

Result<SnapshotOptions> SnapshotOptions::parse(const sdk::Config& config) {
  SnapshotOptions options;
  if (Status s = parse_name(config, "snapshot.mode", kModes, options.mode); !s.ok()) return s;
  const std::string based = "snapshot.mode.configuration.based.";
  options.based = {config.boolean(based + "snapshot.data"), config.boolean(based + "snapshot.schema"),
                   config.boolean(based + "start.stream"), config.boolean(based + "snapshot.on.schema.error"),
                   config.boolean(based + "snapshot.on.data.error")};
  // Debezium's default is `minimal`; what it promises holds without its lock.
  if (config.is_set("snapshot.locking.mode")) {
    if (Status s = parse_name(config, "snapshot.locking.mode", kLockings, options.locking); !s.ok()) return s;
  }
  if (Status s = parse_name(config, "snapshot.tables.order.by.row.count", kOrders, options.order); !s.ok()) return s;
  if (Status s = parse_number<int64_t>(config, "snapshot.lock.timeout.ms", 0, options.lock_timeout_ms); !s.ok())
    return s;
  if (Status s = parse_number<int64_t>(config, "snapshot.delay.ms", 0, options.delay_ms); !s.ok()) return s;
  if (Status s = parse_number<int64_t>(config, "streaming.delay.ms", 0, options.streaming_delay_ms); !s.ok()) return s;
  if (Status s = parse_number<int>(config, "snapshot.max.threads", 1, options.max_threads); !s.ok()) return s;
  constexpr int kThreadsMax = 64;
  options.max_threads = std::min(options.max_threads, kThreadsMax);
  if (const std::string query_mode = lower(config.string("snapshot.query.mode"));
      !query_mode.empty() && query_mode != "select_all") {
    return Status(Code::kInvalidConfig, "snapshot.query.mode: '" + query_mode +
                                            "' is unknown; use select_all, and snapshot.select.statement.overrides "
                                            "for SELECTs of your own");
  }
  auto include =
      RegexList::parse("snapshot.include.collection.list", config.string("snapshot.include.collection.list"));
  if (!include.ok()) return include.status();
  options.include = std::move(include.value());
  if (Status s = parse_overrides(config, options.overrides); !s.ok()) return s;
  return options;
}

}  // namespace millrace::mariadb
