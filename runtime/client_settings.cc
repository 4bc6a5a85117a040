#include "runtime/client_settings.h"

namespace millrace {
namespace {

using enum ConfigType;

/// The settings of one kind of client, the connector's over the worker's, without their prefixes.
ConfigMap merged(const ConfigMap& worker, const ConfigMap& connector, const std::string& kind) {
  ConfigMap settings;
  const auto take = [&](const ConfigMap& from, const std::string& prefix) {
    for (auto at = from.lower_bound(prefix); at != from.end() && at->first.starts_with(prefix); ++at)
      settings[at->first.substr(prefix.size())] = at->second;
  };
  take(worker, kind + ".");
  take(connector, kind + ".override.");
  return settings;
}

ConfigKey key(std::string name, ConfigType type, const char* fallback, ConfigValidator validator = {}) {
  ConfigKey made;
  made.name = std::move(name);
  made.type = type;
  made.default_value = fallback == nullptr ? ConfigKey::Default(nullptr) : ConfigKey::Default(fallback);
  made.validator = std::move(validator);
  return made;
}

std::vector<ConfigKey> shared_keys() {
  using validators::at_least;
  return {key("client.id", kString, ""),
          key("connections.max.idle.ms", kLong, "540000"),
          key("metadata.max.age.ms", kLong, "300000", at_least(int64_t{0})),
          key("receive.buffer.bytes", kInt, "32768", at_least(int64_t{-1})),
          key("send.buffer.bytes", kInt, "131072", at_least(int64_t{-1})),
          key("reconnect.backoff.ms", kLong, "50", at_least(int64_t{0})),
          key("reconnect.backoff.max.ms", kLong, "1000", at_least(int64_t{0})),
          key("retry.backoff.ms", kLong, "100", at_least(int64_t{0})),
          key("request.timeout.ms", kInt, "30000", at_least(int64_t{0}))};
}

ConfigDef with_shared(std::vector<ConfigKey> keys) {
  for (ConfigKey& each : shared_keys()) keys.push_back(std::move(each));
  return *ConfigDef::create(std::move(keys));
}

const ConfigDef& producer_def() {
  using namespace validators;
  static const ConfigDef def = with_shared({
      key("acks", kString, "all", one_of({"all", "-1", "0", "1"})),
      key("batch.size", kInt, "16384", at_least(int64_t{0})),
      key("buffer.memory", kLong, "33554432", at_least(int64_t{0})),
      key("compression.type", kString, "none", one_of({"none", "gzip", "snappy", "lz4", "zstd"})),
      key("compression.gzip.level", kInt, "-1", between(int64_t{-1}, int64_t{9})),
      key("compression.lz4.level", kInt, "9", between(int64_t{1}, int64_t{17})),
      key("compression.zstd.level", kInt, "3", between(int64_t{-131072}, int64_t{22})),
      key("delivery.timeout.ms", kInt, "2147483647", at_least(int64_t{0})),
      key("enable.idempotence", kBoolean, "false"),
      key("linger.ms", kLong, "0", at_least(int64_t{0})),
      key("max.block.ms", kLong, "9223372036854775807", at_least(int64_t{0})),
      key("max.in.flight.requests.per.connection", kInt, "1", at_least(int64_t{1})),
      key("max.request.size", kInt, "1048576", at_least(int64_t{0})),
      key("retries", kInt, "2147483647", between(int64_t{0}, int64_t{INT32_MAX})),
      key("transaction.timeout.ms", kInt, "60000"),
  });
  return def;
}

const ConfigDef& consumer_def() {
  using namespace validators;
  static const ConfigDef def = with_shared({
      key("auto.offset.reset", kString, "earliest", one_of({"latest", "earliest", "none"})),
      key("fetch.max.bytes", kInt, "52428800", at_least(int64_t{0})),
      key("fetch.max.wait.ms", kInt, "500", at_least(int64_t{0})),
      key("fetch.min.bytes", kInt, "1", at_least(int64_t{0})),
      key("group.id", kString, nullptr),
      key("heartbeat.interval.ms", kInt, "3000"),
      key("isolation.level", kString, "read_uncommitted", one_of({"read_committed", "read_uncommitted"})),
      key("max.partition.fetch.bytes", kInt, "1048576", at_least(int64_t{0})),
      key("max.poll.interval.ms", kInt, "300000", at_least(int64_t{1})),
      // More than Kafka's 500: a put of a few hundred rows leaves a database mostly waiting.
      key("max.poll.records", kInt, "5000", at_least(int64_t{1})),
      key("session.timeout.ms", kInt, "45000"),
  });
  return def;
}

const ConfigDef& admin_def() {
  static const ConfigDef def = with_shared({
      key("default.api.timeout.ms", kInt, "60000", validators::at_least(int64_t{0})),
      key("retries", kInt, "2147483647", validators::between(int64_t{0}, int64_t{INT32_MAX})),
  });
  return def;
}

/// A codec's level only where somebody chose one: the codecs' own defaults are not Kafka's, and faster.
std::optional<int> level_of(const ConfigMap& set, const ParsedConfig& parsed, std::string_view codec) {
  const std::string name = "compression." + std::string(codec) + ".level";
  if (!set.contains(name)) return std::nullopt;
  return static_cast<int>(parsed.integer(name));
}

size_t size_of(const ParsedConfig& parsed, std::string_view name) { return static_cast<size_t>(parsed.integer(name)); }

}  // namespace

Expected<ProducerSettings> ProducerSettings::from(const ConfigMap& worker, const ConfigMap& connector,
                                                  std::string client_id) {
  const ConfigMap set = merged(worker, connector, "producer");
  auto parsed = producer_def().parse(set);
  if (!parsed) return fail(std::move(parsed.error()));
  ProducerSettings settings;
  settings.client_id = parsed->text("client.id").empty() ? std::move(client_id) : parsed->text("client.id");
  settings.compression.codec = codec_from_name(parsed->text("compression.type")).value_or(Codec::kNone);
  if (settings.compression.codec == Codec::kGzip || settings.compression.codec == Codec::kLz4 ||
      settings.compression.codec == Codec::kZstd)
    settings.compression.level = level_of(set, *parsed, parsed->text("compression.type"));
  if (set.contains("batch.size")) settings.batch_bytes = size_of(*parsed, "batch.size");
  if (set.contains("max.request.size")) settings.request_bytes_max = size_of(*parsed, "max.request.size");
  settings.transaction_timeout = std::chrono::milliseconds(parsed->integer("transaction.timeout.ms"));
  return settings;
}

Expected<ConsumerConfig> consumer_settings(const ConfigMap& worker, const ConfigMap& connector, std::string group,
                                           std::string client_id) {
  // A put of 1 MiB leaves a database mostly committing. Whoever sets the size of fetches has the size of puts in hand.
  constexpr size_t kPollBytes = 4 << 20;
  const ConfigMap set = merged(worker, connector, "consumer");
  auto parsed = consumer_def().parse(set);
  if (!parsed) return fail(std::move(parsed.error()));
  ConsumerConfig config;
  config.group_id = parsed->text("group.id").empty() ? std::move(group) : parsed->text("group.id");
  config.client_id = parsed->text("client.id").empty() ? std::move(client_id) : parsed->text("client.id");
  config.from_earliest = parsed->text("auto.offset.reset") != "latest";
  config.reset = parsed->text("auto.offset.reset") != "none";
  config.read_committed = parsed->text("isolation.level") == "read_committed";
  config.max_poll_records = size_of(*parsed, "max.poll.records");
  config.fetch_bytes_max = std::max<size_t>(size_of(*parsed, "fetch.max.bytes"), 1);
  config.partition_fetch_bytes_max = std::max<size_t>(size_of(*parsed, "max.partition.fetch.bytes"), 1);
  config.poll_bytes = set.contains("max.partition.fetch.bytes") ? 0 : kPollBytes;
  return config;
}

Status check_admin_settings(const ConfigMap& worker, const ConfigMap& connector) {
  auto parsed = admin_def().parse(merged(worker, connector, "admin"));
  return parsed ? Status{} : fail(std::move(parsed.error()));
}

}  // namespace millrace
