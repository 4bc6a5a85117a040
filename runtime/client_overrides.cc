#include "runtime/client_overrides.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "runtime/connector_config.h"

namespace millrace {
namespace {

/// A client setting whose type matters here: what is not listed passes as text.
struct ClientSetting {
  std::string_view name;
  ConfigType type;
  const char* default_value;  ///< nullptr = null
  ConfigImportance importance;
};

using enum ConfigType;
using enum ConfigImportance;

constexpr auto kSharedSettings = std::to_array<ClientSetting>({
    {"bootstrap.servers", ConfigType::kList, "", kHigh},
    {"client.dns.lookup", kString, "use_all_dns_ips", kMedium},
    {"client.id", kString, "", kMedium},
    {"connections.max.idle.ms", kLong, "540000", kMedium},
    {"metadata.max.age.ms", kLong, "300000", kLow},
    {"receive.buffer.bytes", kInt, "32768", kMedium},
    {"reconnect.backoff.max.ms", kLong, "1000", kLow},
    {"reconnect.backoff.ms", kLong, "50", kLow},
    {"request.timeout.ms", kInt, "30000", kMedium},
    {"retry.backoff.max.ms", kLong, "1000", kLow},
    {"retry.backoff.ms", kLong, "100", kLow},
    {"sasl.jaas.config", kPassword, nullptr, kMedium},
    {"sasl.mechanism", kString, "GSSAPI", kMedium},
    {"security.protocol", kString, "PLAINTEXT", kMedium},
    {"send.buffer.bytes", kInt, "131072", kMedium},
    {"socket.connection.setup.timeout.max.ms", kLong, "30000", kMedium},
    {"socket.connection.setup.timeout.ms", kLong, "10000", kMedium},
    {"ssl.endpoint.identification.algorithm", kString, "https", kLow},
    {"ssl.key.password", kPassword, nullptr, kHigh},
    {"ssl.keystore.certificate.chain", kPassword, nullptr, kHigh},
    {"ssl.keystore.key", kPassword, nullptr, kHigh},
    {"ssl.keystore.location", kString, nullptr, kHigh},
    {"ssl.keystore.password", kPassword, nullptr, kHigh},
    {"ssl.keystore.type", kString, "JKS", kMedium},
    {"ssl.truststore.certificates", kPassword, nullptr, kHigh},
    {"ssl.truststore.location", kString, nullptr, kHigh},
    {"ssl.truststore.password", kPassword, nullptr, kHigh},
    {"ssl.truststore.type", kString, "JKS", kMedium},
});

constexpr auto kProducerSettings = std::to_array<ClientSetting>({
    {"acks", kString, "all", kLow},
    {"batch.size", kInt, "16384", kMedium},
    {"buffer.memory", kLong, "33554432", kHigh},
    {"compression.type", kString, "none", kHigh},
    {"delivery.timeout.ms", kInt, "120000", kMedium},
    {"enable.idempotence", kBoolean, "true", kLow},
    {"linger.ms", kLong, "0", kMedium},
    {"max.block.ms", kLong, "60000", kMedium},
    {"max.in.flight.requests.per.connection", kInt, "5", kLow},
    {"max.request.size", kInt, "1048576", kMedium},
    {"retries", kInt, "2147483647", kHigh},
    {"transaction.timeout.ms", kInt, "60000", kLow},
    {"transactional.id", kString, nullptr, kLow},
});

constexpr auto kConsumerSettings = std::to_array<ClientSetting>({
    {"allow.auto.create.topics", kBoolean, "true", kMedium},
    {"auto.commit.interval.ms", kInt, "5000", kLow},
    {"auto.offset.reset", kString, "latest", kMedium},
    {"check.crcs", kBoolean, "true", kLow},
    {"default.api.timeout.ms", kInt, "60000", kMedium},
    {"enable.auto.commit", kBoolean, "true", kMedium},
    {"exclude.internal.topics", kBoolean, "true", kMedium},
    {"fetch.max.bytes", kInt, "52428800", kMedium},
    {"fetch.max.wait.ms", kInt, "500", kLow},
    {"fetch.min.bytes", kInt, "1", kHigh},
    {"group.id", kString, nullptr, kHigh},
    {"group.instance.id", kString, nullptr, kMedium},
    {"heartbeat.interval.ms", kInt, "3000", kHigh},
    {"isolation.level", kString, "read_uncommitted", kMedium},
    {"max.partition.fetch.bytes", kInt, "1048576", kHigh},
    {"max.poll.interval.ms", kInt, "300000", kMedium},
    {"max.poll.records", kInt, "500", kMedium},
    {"session.timeout.ms", kInt, "45000", kHigh},
});

constexpr auto kAdminSettings = std::to_array<ClientSetting>({
    {"default.api.timeout.ms", kInt, "60000", kMedium},
    {"retries", kInt, "2147483647", kLow},
});

std::span<const ClientSetting> own_settings(ClientKind client) {
  switch (client) {
    case ClientKind::kProducer:
      return kProducerSettings;
    case ClientKind::kConsumer:
      return kConsumerSettings;
    case ClientKind::kAdmin:
      return kAdminSettings;
  }
  return {};
}

std::optional<ConfigKey> find_setting(ClientKind client, std::string_view name) {
  for (const auto settings : {own_settings(client), std::span<const ClientSetting>(kSharedSettings)}) {
    const auto found = std::ranges::find(settings, name, &ClientSetting::name);
    if (found == settings.end()) continue;
    ConfigKey key;
    key.name = name;
    key.type = found->type;
    key.importance = found->importance;
    key.default_value =
        found->default_value == nullptr ? ConfigKey::Default(nullptr) : ConfigKey::Default(found->default_value);
    key.documentation = fmt::format("The setting {} of the Kafka client.", name);
    return key;
  }
  return {};
}

std::optional<std::string> refused_by(OverridePolicy policy, std::string_view setting) {
  constexpr std::array<std::string_view, 3> kPrincipalSettings = {"sasl.jaas.config", "sasl.mechanism",
                                                                  "security.protocol"};
  if (policy == OverridePolicy::kAll) return {};
  const bool identity = std::ranges::find(kPrincipalSettings, setting) != kPrincipalSettings.end();
  if (policy == OverridePolicy::kPrincipal && identity) return {};
  return fmt::format("The '{}' policy does not allow '{}' to be overridden in the connector configuration.",
                     policy == OverridePolicy::kNone ? "None" : "Principal", setting);
}

}  // namespace

std::string_view client_override_prefix(ClientKind client) {
  switch (client) {
    case ClientKind::kProducer:
      return "producer.override.";
    case ClientKind::kConsumer:
      return "consumer.override.";
    case ClientKind::kAdmin:
      return "admin.override.";
  }
  return {};
}

std::vector<std::string_view> client_setting_names(ClientKind client) {
  std::vector<std::string_view> names;
  for (const auto settings : {own_settings(client), std::span<const ClientSetting>(kSharedSettings)}) {
    for (const ClientSetting& each : settings) names.push_back(each.name);
  }
  return names;
}

Expected<std::vector<ConfigInfo>> check_client_overrides(ClientKind client, OverridePolicy policy,
                                                         const RawConfig& settings) {
  static const ConfigDef parser = *ConfigDef::create({});
  const std::string_view prefix = client_override_prefix(client);
  std::vector<ConfigInfo> infos;
  for (auto entry = settings.lower_bound(std::string(prefix));
       entry != settings.end() && entry->first.starts_with(prefix); ++entry) {
    const std::string setting = entry->first.substr(prefix.size());
    const auto key = find_setting(client, setting);
    ConfigInfo& info = infos.emplace_back();
    info.value.name = entry->first;
    info.value.value = entry->second;
    if (key) {
      const auto value = parser.parse_value(setting, entry->second, key->type);
      if (!value) return fail(ErrorCode::kInternal, value.error().message);
      info.value.value = config_text(*value);
      info.definition = key_info(*key, prefix);
    }
    if (auto refusal = refused_by(policy, setting)) info.value.errors.push_back(std::move(*refusal));
  }
  return infos;
}

}  // namespace millrace
