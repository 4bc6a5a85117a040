#include "broker/node_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "broker/config_catalogue.h"
#include "core/java_text.h"

namespace millrace {
namespace {

using std::chrono::milliseconds;

// As a worker's, so that both find the same log when they are started in one folder.
constexpr const char* kDirectoryDefault = "./millrace-data";

/// Reads values one by one and remembers the first that is wrong.
class SettingReader {
 public:
  explicit SettingReader(const ConfigMap& settings) : settings_(settings) {}

  template <class T>
  void number(const std::string& key, int64_t min, int64_t max, T& value) {
    if (const auto parsed = integer(key, min, max)) value = static_cast<T>(*parsed);
  }
  void time(const std::string& key, int64_t min_ms, milliseconds& value, int64_t unit_ms = 1) {
    if (const auto parsed = integer(key, min_ms, INT64_MAX / 2 / unit_ms)) value = milliseconds(*parsed * unit_ms);
  }
  void boolean(const std::string& key, bool& value) {
    const std::string* text = find(key);
    if (text == nullptr) return;
    const std::string_view trimmed = java_trim(*text);
    if (trimmed == "true" || trimmed == "false") {
      value = trimmed == "true";
    } else {
      refuse(key, *text, "Expected value to be either true or false");
    }
  }
  const std::string* find(const std::string& key) const {
    const auto found = settings_.find(key);
    return found == settings_.end() ? nullptr : &found->second;
  }
  Status status() const { return status_; }

 private:
  std::optional<int64_t> integer(const std::string& key, int64_t min, int64_t max) {
    const std::string* text = find(key);
    if (text == nullptr) return std::nullopt;
    const auto parsed = parse_java_integer(java_trim(*text), INT64_MIN, INT64_MAX);
    if (!parsed) {
      refuse(key, *text, max <= INT32_MAX ? "Not a number of type INT" : "Not a number of type LONG");
      return std::nullopt;
    }
    if (*parsed < min) return refuse(key, *text, fmt::format("Value must be at least {}", min)), std::nullopt;
    if (*parsed > max) return refuse(key, *text, fmt::format("Value must be no more than {}", max)), std::nullopt;
    return parsed;
  }
  void refuse(const std::string& key, const std::string& value, std::string_view why) {
    if (status_) status_ = fail(ErrorCode::kInvalidConfig, invalid_config_value(key, value, why));
  }

  const ConfigMap& settings_;
  Status status_;
};

Expected<Path> log_directory(const ConfigMap& settings) {
  for (const char* key : {"log.dirs", "log.dir"}) {
    const auto found = settings.find(key);
    if (found == settings.end()) continue;
    const std::string_view value = java_trim(found->second);
    if (value.empty()) continue;
    if (value.find(',') != std::string_view::npos) {
      return fail(ErrorCode::kInvalidConfig,
                  fmt::format("{}={} names several folders, and a millrace log has one: join the disks below the file "
                              "system and name one folder",
                              key, value));
    }
    return Path(value);
  }
  return Path(kDirectoryDefault);
}

void read_broker(SettingReader& reader, BrokerOptions& options) {
  constexpr int32_t kPartitionsMax = 100'000;
  reader.number("num.partitions", 1, kPartitionsMax, options.partitions_default);
  reader.boolean("auto.create.topics.enable", options.auto_create_topics);
  reader.number("offsets.topic.num.partitions", 1, kPartitionsMax, options.offsets_partitions);
  reader.number("transaction.state.log.num.partitions", 1, kPartitionsMax, options.transactions_partitions);
  reader.number("producer.id.expiration.ms", 1, INT64_MAX, options.log_defaults.producer_expiration_ms);
}

void read_groups(SettingReader& reader, GroupCoordinatorOptions& options) {
  constexpr int64_t kMinuteMs = 60'000;
  reader.time("group.initial.rebalance.delay.ms", 0, options.initial_rebalance_delay);
  reader.time("group.min.session.timeout.ms", 0, options.session_timeout_min);
  reader.time("group.max.session.timeout.ms", 1, options.session_timeout_max);
  reader.number("group.max.size", 1, INT32_MAX, options.size_max);
  reader.number("offset.metadata.max.bytes", 0, INT32_MAX, options.metadata_bytes_max);
  reader.time("offsets.retention.minutes", 1, options.offsets_retention, kMinuteMs);
  reader.time("offsets.retention.check.interval.ms", 1, options.retention_check_interval);
}

void read_transactions(SettingReader& reader, TransactionOptions& options) {
  reader.number("transaction.max.timeout.ms", 1, INT32_MAX, options.timeout_ms_max);
  reader.time("transaction.abort.timed.out.transaction.cleanup.interval.ms", 1, options.timeout_scan_interval);
  reader.number("transactional.id.expiration.ms", 1, INT64_MAX, options.id_expiration_ms);
  reader.time("transaction.remove.expired.transaction.cleanup.interval.ms", 1, options.expiration_scan_interval);
}

bool starts_with_any(std::string_view key, std::span<const std::string_view> prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(), [&](std::string_view each) { return key.starts_with(each); });
}

// Whole families that a single node has no use for.
constexpr std::array<std::string_view, 33> kWithoutEffect = {"zookeeper.",
                                                             "controller.",
                                                             "process.roles",
                                                             "broker.rack",
                                                             "broker.heartbeat.",
                                                             "broker.session.",
                                                             "broker.id.generation",
                                                             "initial.broker.registration.",
                                                             "metadata.",
                                                             "replica.",
                                                             "follower.",
                                                             "leader.",
                                                             "auto.leader.",
                                                             "inter.broker.",
                                                             "security.inter.",
                                                             "num.io.threads",
                                                             "num.replica.",
                                                             "num.recovery.threads",
                                                             "background.threads",
                                                             "queued.",
                                                             "socket.send.",
                                                             "socket.receive.",
                                                             "socket.listen.",
                                                             "default.replication.factor",
                                                             "offsets.topic.replication.factor",
                                                             "transaction.state.log.replication.factor",
                                                             "transaction.state.log.min.isr",
                                                             "min.insync.replicas",
                                                             "unclean.leader.",
                                                             "remote.",
                                                             "share.",
                                                             "group.share.",
                                                             "quota."};
constexpr std::array<std::string_view, 22> kWithoutEffectToo = {"controlled.shutdown.",
                                                                "delegation.token.",
                                                                "password.encoder.",
                                                                "metric",
                                                                "kafka.metrics.",
                                                                "kafka.csv.",
                                                                "auto.include.jmx",
                                                                "client.quota.",
                                                                "telemetry.",
                                                                "early.start.listeners",
                                                                "log.message.format.",
                                                                "log.message.downconversion.",
                                                                "request.timeout.ms",
                                                                "eligible.leader.",
                                                                "reserved.broker.",
                                                                "streams.",
                                                                "group.streams.",
                                                                "group.coordinator.",
                                                                "transaction.partition.verification.",
                                                                "log.dir.failure",
                                                                "unstable.",
                                                                "producer.id.expiration.check."};
// Read elsewhere, in families: listeners, TLS and SASL, logs, groups and transactions.
constexpr std::array<std::string_view, 15> kFamilies = {"listener.",
                                                        "ssl.",
                                                        "sasl.",
                                                        "log.",
                                                        "group.",
                                                        "offsets.",
                                                        "transaction.",
                                                        "connections.",
                                                        "max.connection",
                                                        "connection.failed.",
                                                        "principal.",
                                                        "security.",
                                                        "delete.records.",
                                                        "fetch.purgatory.",
                                                        "producer.purgatory."};

}  // namespace

Expected<NodeOptions> parse_node_settings(const ConfigMap& settings) {
  NodeOptions options;
  options.settings = settings;
  auto directory = log_directory(settings);
  if (!directory) return fail(std::move(directory.error()));
  options.broker.directory = std::move(*directory);
  auto security = SecurityOptions::parse(settings);
  if (!security) return fail(std::move(security.error()));
  options.security = std::move(*security);

  SettingReader reader(settings);
  read_broker(reader, options.broker);
  read_groups(reader, options.groups);
  read_transactions(reader, options.transactions);
  options.transactions.offsets_partitions = options.broker.offsets_partitions;
  options.transactions.partitions = options.broker.transactions_partitions;
  reader.number("fetch.max.bytes", 1024, INT32_MAX, options.fetch_bytes_max);
  reader.number("max.incremental.fetch.session.cache.slots", 0, INT32_MAX, options.fetch_sessions_max);
  constexpr int32_t kSelf = 1;
  options.node_id = kSelf;
  reader.number("broker.id", -1, INT32_MAX, options.node_id);  // -1 = to be chosen
  reader.number("node.id", -1, INT32_MAX, options.node_id);
  if (options.node_id < 0) options.node_id = kSelf;
  if (!reader.status()) return fail(reader.status().error());
  return options;
}

std::vector<std::string> settings_without_effect(const ConfigMap& settings) {
  std::vector<std::string> names;
  for (const auto& [key, value] : settings) {
    if (starts_with_any(key, kWithoutEffect) || starts_with_any(key, kWithoutEffectToo)) names.push_back(key);
  }
  return names;
}

std::vector<std::string> unknown_settings(const ConfigMap& settings) {
  std::vector<std::string> names;
  for (const auto& [key, value] : settings) {
    const bool known = broker_config(key) != nullptr || starts_with_any(key, kWithoutEffect) ||
                       starts_with_any(key, kWithoutEffectToo) || starts_with_any(key, kFamilies);
    if (!known) names.push_back(key);
  }
  return names;
}

}  // namespace millrace
