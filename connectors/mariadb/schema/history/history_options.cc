#include <algorithm>

#include "connectors/mariadb/schema/history/history_store.h"

namespace millrace::mariadb {
namespace {

constexpr std::string_view kPrefix = "schema.history.internal";

/// The class without its package, which has moved between releases.
std::string_view class_name(std::string_view name) { return name.substr(name.rfind('.') + 1); }

void client_settings(const sdk::Config& config, std::string_view group, KafkaOptions& options) {
  const std::string prefix = std::string(kPrefix) + "." + std::string(group) + ".";
  for (const auto& [key, value] : config.all())
    if (key.starts_with(prefix)) options.client.insert_or_assign(key.substr(prefix.size()), value);
}

Status missing(std::string_view key) {
  return Status(Code::kInvalidConfig,
                "Missing required configuration \"" + std::string(key) + "\" of the schema history");
}

int64_t milliseconds(const sdk::Config& config, const std::string& key, int64_t otherwise) {
  const int64_t given = config.int64(key);
  return given > 0 ? given : otherwise;
}

/// Without topic or servers there is no history: none is needed to read the binlog.
void kafka_options(const sdk::Config& config, HistoryOptions& options) {
  const std::string servers = std::string(kPrefix) + ".kafka.bootstrap.servers";
  const std::string topic = std::string(kPrefix) + ".kafka.topic";
  options.kafka.bootstrap_servers = config.string(servers);
  options.topic = config.string(topic);
  if (options.topic.empty() || options.kafka.bootstrap_servers.empty()) return;
  options.kind = HistoryOptions::Kind::kKafka;
  options.kafka.timeout_ms = milliseconds(config, std::string(kPrefix) + ".kafka.create.timeout.ms", 30'000);
  options.consumer = options.producer = options.kafka;
  client_settings(config, "consumer", options.consumer);
  client_settings(config, "producer", options.producer);
}

}  // namespace

Result<HistoryOptions> HistoryOptions::parse(const sdk::Config& config) {
  HistoryOptions options;
  const std::string given = config.string(kPrefix);
  const std::string_view name = class_name(given);
  options.store_only_captured_tables = config.boolean("schema.history.internal.store.only.captured.tables.ddl");
  options.store_only_captured_databases = config.boolean("schema.history.internal.store.only.captured.databases.ddl");
  if (given.empty() || name == "KafkaSchemaHistory" || name == "KafkaDatabaseHistory") {
    kafka_options(config, options);
  } else if (name == "FileSchemaHistory" || name == "FileDatabaseHistory") {
    options.kind = Kind::kFile;
    const std::string key = std::string(kPrefix) + ".file.filename";
    options.file = config.string(key);
    if (options.file.empty()) return missing(key);
  } else if (name != "MemorySchemaHistory" && name != "MemoryDatabaseHistory") {
    options.warnings.push_back("schema.history.internal=" + given +
                               " is not supported: the schema history is kept in memory, and the tables are read from "
                               "the server after a restart");
  }
  return options;
}

}  // namespace millrace::mariadb
