#include "runtime/worker_options.h"

#include <algorithm>
#include <array>

#include "core/invariant.h"
#include "runtime/component_catalog.h"
#include "runtime/worker_option_rows.h"

namespace millrace {
namespace {

ConfigKey to_key(const WorkerOptionRow& row, WorkerMode mode, int order) {
  ConfigKey key;
  key.name = row.name;
  key.type = row.type;
  key.importance = row.importance;
  key.documentation = row.documentation;
  key.group = row.section;
  key.order = order;
  if (row.validator != nullptr) key.validator = row.validator();
  const char* text = row.default_value;
  if (mode == WorkerMode::kStandalone && row.default_alone != nullptr) text = row.default_alone;
  if (text != nullptr) {
    key.default_value = text;
  } else if (row.scope == OptionScope::kRequired ||
             (row.scope == OptionScope::kRequiredInGroup && mode == WorkerMode::kDistributed)) {
    key.default_value = ConfigKey::Required{};
  } else {
    key.default_value = nullptr;
  }
  return key;
}

ConfigDef make_options(WorkerMode mode) {
  std::vector<ConfigKey> keys;
  std::string_view section;
  int order = 0;
  for (const WorkerOptionRow& row : worker_option_rows()) {
    order = row.section == section ? order + 1 : 1;
    section = row.section;
    keys.push_back(to_key(row, mode, order));
  }
  auto def = ConfigDef::create(std::move(keys),
                               [](std::string_view name) { return !BuiltInComponents().find_any(name).empty(); });
  invariant(def.has_value(), "the defaults of the worker's settings pass their own checks");
  return std::move(*def);
}

constexpr std::string_view kJvm = "It concerns a Java virtual machine, and there is none here. The line can go.";

constexpr auto kIdle = std::to_array<IdleSetting>({
    {"plugin.discovery", "Connectors are shared libraries; plugin.path alone says where they are."},
    {"metric.reporters", "Metrics are read over REST (GET /metrics); Java reporters cannot be loaded."},
    {"auto.include.jmx.reporter", "Metrics are read over REST (GET /metrics); there is no JMX."},
    {"ssl.provider", kJvm},
    {"ssl.keymanager.algorithm", kJvm},
    {"ssl.trustmanager.algorithm", kJvm},
    {"ssl.secure.random.implementation", kJvm},
    {"ssl.engine.factory.class", kJvm},
    {"sasl.client.callback.handler.class", kJvm},
    {"sasl.login.class", kJvm},
    {"sasl.login.callback.handler.class", kJvm},
    {"sasl.kerberos.", "GSSAPI is not offered; use PLAIN or SCRAM over TLS."},
    {"security.providers", kJvm},
    {"rest.host.name", "Kafka 3.0 removed it. Use listeners."},
    {"rest.port", "Kafka 3.0 removed it. Use listeners."},
    {"internal.key.converter", "Kafka 3.0 removed it; internal data is always JSON without schemas."},
    {"internal.value.converter", "Kafka 3.0 removed it; internal data is always JSON without schemas."},
    {"internal.key.converter.", "Kafka 3.0 removed it; internal data is always JSON without schemas."},
    {"internal.value.converter.", "Kafka 3.0 removed it; internal data is always JSON without schemas."},
});

constexpr auto kFamilies = std::to_array<SettingFamily>({
    {"key.converter.", "Settings of the key converter, handed over without the prefix."},
    {"value.converter.", "Settings of the value converter, handed over without the prefix."},
    {"header.converter.", "Settings of the header converter, handed over without the prefix."},
    {"producer.", "Defaults for the producers of source connectors and dead letter topics."},
    {"consumer.", "Defaults for the consumers of sink connectors."},
    {"admin.", "Defaults for the admin clients of connectors."},
    {"config.providers.", "`config.providers.<name>.class` and `config.providers.<name>.param.<parameter>`."},
    {"metrics.context.", "Labels added to every metric."},
    {"listeners.https.", "TLS of the REST listeners: when one is set, these replace all ssl.* there."},
    {"admin.listeners.https.", "TLS of the admin listeners."},
    {"config.storage.", "Settings of the topic that keeps connectors, as at its creation."},
    {"offset.storage.", "Settings of the topic that keeps source offsets, as at its creation."},
    {"status.storage.", "Settings of the topic that keeps states, as at its creation."},
    {"sasl.login.", "Timing of OAuth logins."},
    {"sasl.oauthbearer.", "OAuth tokens."},
    {"log.", "The embedded log: its settings of Kafka's server.properties that begin so, as they are there."},
    {"broker.", "Any other setting of server.properties for the embedded log, with this prefix."},
});

bool matches(std::string_view name, std::string_view pattern) {
  return pattern.ends_with('.') ? name.starts_with(pattern) : name == pattern;
}

const WorkerOptionRow* find_row(std::string_view name) {
  const auto rows = worker_option_rows();
  const auto found = std::ranges::find(rows, name, &WorkerOptionRow::name);
  return found == rows.end() ? nullptr : &*found;
}

}  // namespace

const ConfigDef& worker_options(WorkerMode mode) {
  static const ConfigDef alone = make_options(WorkerMode::kStandalone);
  static const ConfigDef distributed = make_options(WorkerMode::kDistributed);
  return mode == WorkerMode::kStandalone ? alone : distributed;
}

std::span<const IdleSetting> idle_worker_settings() { return kIdle; }
std::span<const SettingFamily> worker_setting_families() { return kFamilies; }

std::string_view why_idle(std::string_view name, WorkerMode mode) {
  const auto idle = std::ranges::find_if(kIdle, [&](const IdleSetting& each) { return matches(name, each.name); });
  if (idle != kIdle.end()) return idle->why;
  const WorkerOptionRow* row = find_row(name);
  if (row == nullptr) return {};
  if (row->only == OnlyIn::kGroup && mode == WorkerMode::kStandalone)
    return "It is for workers that form a group (distributed mode); this one runs alone.";
  if (row->only == OnlyIn::kAlone) {
    return mode == WorkerMode::kDistributed
               ? "It is for standalone mode; offsets are kept in offset.storage.topic."
               : "Source offsets are kept in a topic of the log (offset.storage.topic), which survives any crash. An "
                 "offset file of Kafka's is not read.";
  }
  return {};
}

bool is_worker_setting(std::string_view name, WorkerMode mode) {
  if (find_row(name) != nullptr || !why_idle(name, mode).empty()) return true;
  return std::ranges::any_of(kFamilies, [&](const SettingFamily& each) {
    return name.starts_with(each.prefix) && name.size() > each.prefix.size();
  });
}

std::vector<std::string_view> worker_setting_names() {
  std::vector<std::string_view> names;
  for (const WorkerOptionRow& row : worker_option_rows()) names.emplace_back(row.name);
  for (const IdleSetting& each : kIdle) {
    if (!each.name.ends_with('.')) names.push_back(each.name);
  }
  return names;
}

}  // namespace millrace
