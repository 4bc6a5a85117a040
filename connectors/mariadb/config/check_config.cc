#include "connectors/mariadb/config/check_config.h"

#include <algorithm>
#include <array>

#include "connectors/mariadb/config/java_settings.h"
#include "connectors/mariadb/config/value_rules.h"

namespace millrace::mariadb {
namespace {

using sdk::Config;

void check_required(const Config& config, ConfigReport& report) {
  for (const char* key : {"topic.prefix", "database.hostname", "database.user", "database.server.id"}) {
    if (config.string(key).empty()) report.invalid(key, "A value is required");
  }
}

void check_values(Dialect dialect, const Config& config, ConfigReport& report) {
  for (const auto& [key, value] : config.all()) {
    if (value.empty() && key == "database.server.id") continue;  // told as missing
    for (const std::string& fault : value_faults(dialect, key, value)) report.invalid(key, fault);
  }
}

bool given(const Config& config, std::string_view key) { return !config.string(key).empty(); }

bool lists(const Config& config, std::string_view key, std::string_view word) {
  const auto words = config.list(key);
  return std::any_of(words.begin(), words.end(), [&](const std::string& each) { return lower(each) == word; });
}

void check_pairs(const Config& config, ConfigReport& report) {
  for (const char* what : {"database", "table", "column"}) {
    const std::string include = std::string(what) + ".include.list", exclude = std::string(what) + ".exclude.list";
    if (given(config, include) && given(config, exclude))
      report.invalid(exclude, "\"" + include + "\" is already specified");
  }
  if (given(config, "gtid.source.includes") && given(config, "gtid.source.excludes"))
    report.invalid("gtid.source.excludes", "Cannot specify GTID excludes when includes are provided.");
  if (config.int64("max.queue.size") <= config.int64("max.batch.size"))
    report.invalid("max.queue.size", "Must be larger than the maximum batch size");
  if (lists(config, "notification.enabled.channels", "sink") && !given(config, "notification.sink.topic.name")) {
    report.invalid("notification.sink.topic.name",
                   "Notification topic name must be provided when kafka notification channel is enabled");
  }
  if (lower(config.string("snapshot.mode")) == "custom" && !given(config, "snapshot.mode.custom.name")) {
    report.invalid("snapshot.mode.custom.name",
                   "snapshot.mode.custom.name cannot be empty when snapshot.mode 'custom' is defined");
  }
  const bool regex_topics = config.string("topic.naming.strategy").ends_with("DefaultRegexTopicNamingStrategy");
  for (const char* key : {"topic.regex", "topic.replacement"}) {
    if (regex_topics && !given(config, key)) report.invalid(key, "A value is required");
  }
}

void check_tls(const Config& config, ConfigReport& report) {
  const bool certificate = given(config, "database.ssl.cert"), key = given(config, "database.ssl.key");
  if (certificate != key) {
    report.invalid(certificate ? "database.ssl.key" : "database.ssl.cert",
                   "database.ssl.cert and database.ssl.key are needed together");
  }
  if (certificate && given(config, "database.ssl.keystore"))
    report.invalid("database.ssl.keystore", "\"database.ssl.cert\" is already specified");
  if (given(config, "database.ssl.ca") && given(config, "database.ssl.truststore"))
    report.invalid("database.ssl.truststore", "\"database.ssl.ca\" is already specified");
  const std::string mode = lower(config.string("database.ssl.mode"));
  const bool plain = mode.starts_with("disable");
  for (const char* store :
       {"database.ssl.truststore", "database.ssl.keystore", "database.ssl.ca", "database.ssl.cert"}) {
    if (plain && given(config, store))
      report.warn(store, "It has no effect with database.ssl.mode=" + mode + ". Set verify-full to use TLS.");
  }
}

/// Without effect, but a table that is named has no statement or the other way round.
void check_overrides(const Config& config, ConfigReport& report) {
  const std::string prefix = "snapshot.select.statement.overrides";
  const auto tables = config.list(prefix);
  for (const std::string& table : tables) {
    if (!table.empty() && !given(config, prefix + "." + table))
      report.warn(prefix, "There is no " + prefix + "." + table + ", so " + table + " is read as usual.");
  }
  for (const auto& [key, value] : config.all()) {
    if (!key.starts_with(prefix + ".")) continue;
    const std::string table = key.substr(prefix.size() + 1);
    if (std::find(tables.begin(), tables.end(), table) == tables.end())
      report.warn(key, "It has no effect until " + prefix + " lists " + table + ".");
  }
}

void check_signals(const Config& config, ConfigReport& report) {
  if (lists(config, "signal.enabled.channels", "kafka") && !given(config, "signal.kafka.bootstrap.servers") &&
      !given(config, "schema.history.internal.kafka.bootstrap.servers")) {
    report.warn("signal.kafka.bootstrap.servers", "Set it, or no signal comes over the channel kafka.");
  }
  for (const std::string& table : config.list("signal.data.collection")) {
    if (table.find('.') == std::string::npos)
      report.invalid("signal.data.collection", "'" + table + "' must be written as database.table");
  }
  if (config.int64("incremental.snapshot.chunk.size") == 0)
    report.warn("incremental.snapshot.chunk.size", "0 rows would never come to an end; 1024 are used.");
}

void check_old_names(const Config& config, ConfigReport& report) {
  const std::string mode = lower(config.string("snapshot.mode"));
  if (mode == "schema_only") report.warn("snapshot.mode", "schema_only is called no_data now.");
  if (mode == "schema_only_recovery") report.warn("snapshot.mode", "schema_only_recovery is called recovery now.");
  const auto word = [&](const char* key) { return lower(config.string(key)); };
  const char* const kOldFailures = "event.deserialization.failure.handling.mode";
  if (config.is_set(kOldFailures) && config.is_set("event.processing.failure.handling.mode") &&
      word(kOldFailures) != word("event.processing.failure.handling.mode")) {
    report.warn(kOldFailures, "It has no effect beside event.processing.failure.handling.mode.");
  }
}

}  // namespace

bool ConfigReport::fine(std::string_view key) const {
  return std::none_of(errors.begin(), errors.end(), [&](const Entry& entry) { return entry.key == key; });
}

void ConfigReport::invalid(std::string_view key, std::string_view why) {
  error(key, "The '" + std::string(key) + "' value is invalid: " + std::string(why));
}

void ConfigReport::error(std::string_view key, std::string message) {
  const bool told = std::any_of(errors.begin(), errors.end(),
                                [&](const Entry& entry) { return entry.key == key && entry.message == message; });
  if (!told) errors.push_back({std::string(key), std::move(message)});
}

ConfigReport check_config(Dialect dialect, const Config& config) {
  ConfigReport report;
  check_required(config, report);
  check_values(dialect, config, report);
  check_pairs(config, report);
  check_tls(config, report);
  check_overrides(config, report);
  check_signals(config, report);
  check_old_names(config, report);
  check_java_settings(dialect, config, report);
  return report;
}

connectors::Status first_error(const ConfigReport& report) {
  if (report.errors.empty()) return {};
  return {connectors::Code::kInvalidConfig, report.errors.front().message};
}

}  // namespace millrace::mariadb
