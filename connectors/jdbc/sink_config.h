/// The sink's settings: the option table and its parsed form.
#pragma once

#include <set>
#include <span>
#include <string>
#include <vector>

#include "connectors/jdbc/common_config.h"
#include "connectors/jdbc/field_filter.h"

namespace millrace::jdbc {

enum class InsertMode { kInsert, kUpsert, kUpdate };
enum class KeyMode { kNone, kKafka, kRecordKey, kRecordValue, kRecordHeader };

std::span<const sdk::ConfigKey> sink_config_keys();

struct SinkConfig {
  ConnectionSettings connection;
  InsertMode insert_mode = InsertMode::kInsert;
  KeyMode key_mode = KeyMode::kNone;
  std::string key_mode_text;
  std::vector<std::string> key_fields;
  std::set<std::string> value_fields;  ///< fields.whitelist; empty = all
  std::set<std::string> timestamp_fields;
  bool timestamp_nanos = false;
  std::string table_name_format, string_column;
  std::vector<std::string> table_types;
  bool auto_create = false, auto_evolve = false, delete_enabled = false, replace_null = true;
  bool ignore_tombstones = false, truncate_enabled = false;
  bool event_types = false;       ///< Debezium's types and columns for all records, not only for change events
  bool underscore_topic = false;  ///< dots of a topic become underscores in the table's name
  FieldFilter field_filter;
  std::string unavailable = "__debezium_unavailable_value";  ///< a value that says: leave the column
  bool exactly_once = false;
  std::string offsets_table;  ///< as the user names it
  bool quote_identifiers = true;
  bool fold_identifiers = false;  ///< names as without quotes, though quoted
  size_t batch_size = 3000;
  size_t connections = 1;  ///< of one task
  int64_t retries_max = 10, retry_backoff_ms = 3000;
  WriteOptions write;

  /// Errors: kInvalidConfig, naming the setting.
  static Result<SinkConfig> parse(const sdk::Config& config);
};

/// Of millrace.connections: a number of connections, and what does not go with several of them (empty: nothing).
int32_t check_connections(mr_str value, mr_error* error);
std::string connections_problem(const sdk::Config& config);

Status validate_sink(sdk::ConnectorContext& context, const sdk::Config& config);

}  // namespace millrace::jdbc
