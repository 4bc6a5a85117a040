#include "connectors/jdbc/sink_config.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace millrace::jdbc {
namespace {

using sdk::Importance;
using sdk::kNoDefault;
using sdk::kNull;
using sdk::Type;
using sdk::Width;

constexpr std::string_view kConnection = "Connection", kWrites = "Writes", kMapping = "Data Mapping",
                           kDdl = "DDL Support", kRetries = "Retries";

int32_t check_insert_mode(mr_str value, mr_error* error) {
  return check_enumerator(value, {"insert", "upsert", "update", "multi"}, error);
}
int32_t check_key_mode(mr_str value, mr_error* error) {
  return check_enumerator(value, {"none", "kafka", "record_key", "record_value"}, error);
}
int32_t check_date_zone(mr_str value, mr_error* error) {
  return check_enumerator(value, {"db_timezone", "utc"}, error);
}
int32_t check_precision(mr_str value, mr_error* error) {
  return check_enumerator(value, {"microseconds", "nanoseconds"}, error);
}
int32_t check_tombstones(mr_str value, mr_error* error) { return check_enumerator(value, {"fail", "ignore"}, error); }

int32_t check_event_types(mr_str value, mr_error* error) {
  return check_enumerator(value, {"envelope", "always"}, error);
}

int32_t check_table_types(mr_str value, mr_error* error) {
  const std::vector<std::string> types = split_list(sdk::view(value));
  if (types.empty()) {
    return sdk::set_error(error, MR_INVALID_CONFIG,
                          "At least one value must be specified. Valid values are: [table, partitioned table, view]");
  }
  for (const std::string& type : types) {
    if (check_enumerator(sdk::to_mr(type), {"table", "partitioned table", "view"}, error) != MR_OK)
      return MR_INVALID_CONFIG;
  }
  return MR_OK;
}

constexpr std::array kKeys = std::to_array<sdk::ConfigKey>({
    {"connection.url", Type::kString, kNoDefault, Importance::kHigh,
     "JDBC connection URL, for example jdbc:mariadb://localhost:3306/shop or jdbc:mysql://localhost:3306/shop.",
     kConnection, 1, Width::kLong, "JDBC URL"},
    {"connection.user", Type::kString, kNull, Importance::kHigh, "Database user.", kConnection, 2, Width::kMedium,
     "JDBC User"},
    {"connection.password", Type::kPassword, kNull, Importance::kHigh, "Database password.", kConnection, 3,
     Width::kMedium, "JDBC Password"},
    {"jdbc.credentials.provider.class", Type::kClass, kDefaultCredentialsProvider, Importance::kLow,
     "Only the default is accepted: user and password come from the settings.", kConnection, 4, Width::kLong,
     "JDBC Credentials Provider Class", check::credentials_provider},
    {"dialect.name", Type::kString, "", Importance::kLow, "Database dialect; empty = by connection.url.", kConnection,
     5, Width::kLong, "Database Dialect", check::dialect_name},
    {"connection.attempts", Type::kInt, "3", Importance::kLow, "Tries to connect before giving up.", kConnection, 6,
     Width::kShort, "JDBC connection attempts", sdk::checks::at_least<1>},
    {"connection.backoff.ms", Type::kInt64, "10000", Importance::kLow, "Milliseconds between two tries to connect.",
     kConnection, 7, Width::kShort, "JDBC connection backoff in milliseconds"},
    {"insert.mode", Type::kString, "insert", Importance::kHigh, "insert, upsert or update.", kWrites, 1, Width::kMedium,
     "Insert Mode", check_insert_mode},
    {"batch.size", Type::kInt, "3000", Importance::kMedium, "Most records in one statement.", kWrites, 2, Width::kShort,
     "Batch Size", sdk::checks::at_least<0>},
    {"delete.enabled", Type::kBoolean, "false", Importance::kMedium,
     "A null value deletes the row of its key; needs pk.mode=record_key.", kWrites, 3, Width::kShort, "Enable deletes"},
    {"table.types", Type::kList, "TABLE", Importance::kLow,
     "Kinds of tables to write into: TABLE, PARTITIONED TABLE, VIEW.", kWrites, 4, Width::kMedium, "Table Types",
     check_table_types},
    {"replace.null.with.default", Type::kBoolean, "true", Importance::kMedium,
     "Write a field's default where its value is null.", kWrites, 5, Width::kShort, "Replace null with default"},
    {"millrace.tombstones", Type::kString, "fail", Importance::kLow,
     "Records with a null value while delete.enabled=false: fail the task or ignore them.", kWrites, 6, Width::kShort,
     "Tombstones", check_tombstones},
    {"table.name.format", Type::kString, "${topic}", Importance::kMedium,
     "Table for a topic; ${topic} stands for its name.", kMapping, 1, Width::kLong, "Table Name Format",
     sdk::checks::non_empty},
    {"pk.mode", Type::kString, "none", Importance::kHigh,
     "Where the primary key comes from: none, kafka, record_key or record_value.", kMapping, 2, Width::kMedium,
     "Primary Key Mode", check_key_mode},
    {"pk.fields", Type::kList, "", Importance::kMedium, "Names of the primary key's columns.", kMapping, 3,
     Width::kLong, "Primary Key Fields"},
    {"fields.whitelist", Type::kList, "", Importance::kMedium, "Value fields to write; empty = all.", kMapping, 4,
     Width::kLong, "Fields Whitelist"},
    {"string.output.value.column.name", Type::kString, "record_value", Importance::kLow,
     "Column for values that are plain text.", kMapping, 5, Width::kMedium, "String value column",
     sdk::checks::non_empty},
    {"db.timezone", Type::kString, "UTC", Importance::kMedium, "Zone of the wall clock values in the database.",
     kMapping, 6, Width::kMedium, "DB Time Zone", check::time_zone},
    {"date.timezone", Type::kString, "DB_TIMEZONE", Importance::kMedium,
     "Zone in which a Date is written: DB_TIMEZONE or UTC.", kMapping, 7, Width::kMedium, "Date Time Zone",
     check_date_zone},
    {"timestamp.fields.list", Type::kList, "", Importance::kMedium,
     "Value fields with epoch numbers to write as timestamps.", kMapping, 8, Width::kLong, "Timestamp Fields"},
    {"timestamp.precision.mode", Type::kString, "MICROSECONDS", Importance::kMedium,
     "Unit of those fields: MICROSECONDS or NANOSECONDS.", kMapping, 9, Width::kMedium, "Timestamp Precision",
     check_precision},
    {"date.calendar.system", Type::kString, "LEGACY", Importance::kLow,
     "LEGACY is Julian before 1582-10-15; or PROLEPTIC_GREGORIAN.", kMapping, 10, Width::kShort, "Calendar system",
     check::calendar_system},
    {"auto.create", Type::kBoolean, "false", Importance::kMedium, "Create missing tables.", kDdl, 1, Width::kShort,
     "Auto-Create"},
    {"auto.evolve", Type::kBoolean, "false", Importance::kMedium, "Add missing columns.", kDdl, 2, Width::kShort,
     "Auto-Evolve"},
    {"quote.sql.identifiers", Type::kString, "ALWAYS", Importance::kMedium, "always or never.", kDdl, 3, Width::kMedium,
     "Quote Identifiers"},
    {"max.retries", Type::kInt, "10", Importance::kMedium, "Tries of a failing write before the task fails.", kRetries,
     1, Width::kShort, "Maximum Retries", sdk::checks::at_least<0>},
    {"retry.backoff.ms", Type::kInt, "3000", Importance::kMedium, "Milliseconds between two tries.", kRetries, 2,
     Width::kShort, "Retry Backoff (millis)", sdk::checks::at_least<0>},
    {"mssql.use.merge.holdlock", Type::kBoolean, "true", Importance::kLow, "Accepted; for another database.", kWrites,
     7, Width::kShort, "SQL Server - Use HOLDLOCK in MERGE"},
    {"truncate.enabled", Type::kBoolean, "false", Importance::kMedium, "A change event with op t empties its table.",
     kWrites, 9, Width::kShort, "Enable truncates"},
    {"unavailable.value.placeholder", Type::kString, "__debezium_unavailable_value", Importance::kLow,
     "A text that a change event has in place of an unknown value: an update leaves the column as it is.", kMapping, 11,
     Width::kMedium, "Unavailable value placeholder"},
    {"millrace.debezium.types", Type::kString, "envelope", Importance::kLow,
     "Debezium's semantic types become dates, times, bits and geometries in change events (envelope) or in all "
     "records (always).",
     kMapping, 12, Width::kShort, "Debezium types", check_event_types},
    {"millrace.exactly.once", Type::kBoolean, "false", Importance::kMedium,
     "Keep the offsets in a table of the database, in the transactions that write the rows: each record is written "
     "once, also with insert.mode=insert and after a crash.",
     kWrites, 10, Width::kShort, "Exactly once"},
    {"millrace.exactly.once.table", Type::kString, "millrace_offsets", Importance::kLow,
     "The table for these offsets; created when it is missing.", kWrites, 11, Width::kMedium, "Table of offsets",
     sdk::checks::non_empty},
    {"millrace.connections", Type::kInt, "1", Importance::kMedium,
     "Connections of one task that write at the same time. Records of one key keep their order, rows of different keys "
     "may be written in another; so not for tables with a second unique key or foreign keys among their rows.",
     kWrites, 12, Width::kShort, "Connections", check_connections},
    {"trim.sensitive.log", Type::kBoolean, "false", Importance::kLow, "Accepted; records' values are not logged.",
     kWrites, 8, Width::kShort, "Trim sensitive logs"},
});

std::vector<std::string> names_of(const sdk::Config& config, std::string_view key) {
  std::vector<std::string> names = config.list(key);
  std::erase(names, "");
  return names;
}

KeyMode key_mode_of(const std::string& text) {
  if (text == "kafka") return KeyMode::kKafka;
  if (text == "record_key") return KeyMode::kRecordKey;
  if (text == "record_header") return KeyMode::kRecordHeader;
  return text == "record_value" ? KeyMode::kRecordValue : KeyMode::kNone;
}

}  // namespace

std::span<const sdk::ConfigKey> sink_config_keys() { return kKeys; }

Result<SinkConfig> SinkConfig::parse(const sdk::Config& config) {
  SinkConfig out;
  auto connection = connection_settings(config);
  if (!connection.ok()) return connection.status();
  out.connection = std::move(*connection);
  const std::string mode = lower(config.string("insert.mode"));
  out.insert_mode = mode == "upsert"   ? InsertMode::kUpsert
                    : mode == "update" ? InsertMode::kUpdate
                                       : InsertMode::kInsert;
  out.key_mode_text = lower(config.string("pk.mode"));
  out.key_mode = key_mode_of(out.key_mode_text);
  out.key_fields = names_of(config, "pk.fields");
  for (std::string& name : names_of(config, "fields.whitelist")) out.value_fields.insert(std::move(name));
  for (std::string& name : names_of(config, "timestamp.fields.list")) out.timestamp_fields.insert(std::move(name));
  out.timestamp_nanos = lower(config.string("timestamp.precision.mode")) == "nanoseconds";
  out.table_name_format = config.string("table.name.format");
  out.string_column = config.string("string.output.value.column.name");
  for (const std::string& type : names_of(config, "table.types")) out.table_types.push_back(lower(type));
  out.auto_create = config.boolean("auto.create");
  out.auto_evolve = config.boolean("auto.evolve");
  out.delete_enabled = config.boolean("delete.enabled");
  out.replace_null = config.boolean("replace.null.with.default");
  out.ignore_tombstones = lower(config.string("millrace.tombstones")) == "ignore";
  out.truncate_enabled = config.boolean("truncate.enabled");
  out.unavailable = config.string("unavailable.value.placeholder");
  out.event_types = lower(config.string("millrace.debezium.types")) == "always";
  out.exactly_once = config.boolean("millrace.exactly.once");
  out.connections = static_cast<size_t>(config.int64("millrace.connections"));
  out.offsets_table = config.string("millrace.exactly.once.table");
  out.batch_size = static_cast<size_t>(std::max<int64_t>(config.int64("batch.size"), 1));
  out.retries_max = config.int64("max.retries");
  out.retry_backoff_ms = config.int64("retry.backoff.ms");
  auto quotes = quotes_identifiers(config);
  if (!quotes.ok()) return quotes.status();
  out.quote_identifiers = *quotes;
  auto clock = wall_clock(config);
  if (!clock.ok()) return clock.status();
  out.write.clock = std::move(*clock);
  if (lower(config.string("date.timezone")) != "utc") out.write.date_zone = out.write.clock.zone;
  if (out.delete_enabled && out.key_mode != KeyMode::kRecordKey) {
    return Status(Code::kInvalidConfig, "Primary key mode must be 'record_key' when delete support is enabled");
  }
  if (out.insert_mode == InsertMode::kUpdate && out.key_mode == KeyMode::kNone) {
    // An UPDATE without a key would rewrite every row of the table with each record.
    return Status(Code::kInvalidConfig,
                  "insert.mode=update needs a key to find the row; set pk.mode to record_key, record_value or kafka");
  }
  if (const std::string problem = connections_problem(config); !problem.empty())
    return Status(Code::kInvalidConfig, problem);
  return out;
}

int32_t check_connections(mr_str value, mr_error* error) {
  const std::string_view text = sdk::view(value);
  int number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec == std::errc() && number >= 1 && number <= 64) return MR_OK;
  return sdk::set_error(error, MR_INVALID_CONFIG, "Value must be from 1 to 64");
}

std::string connections_problem(const sdk::Config& config) {
  if (config.int64("millrace.connections") < 2) return "";
  if (config.boolean("millrace.exactly.once"))
    return "millrace.exactly.once=true keeps offsets and rows in one transaction; set millrace.connections=1";
  if (lower(config.string("pk.mode")) == "record_header")
    return "Keys in headers are written over one connection; set millrace.connections=1 or another pk.mode";
  return "";
}

Status validate_sink(sdk::ConnectorContext& context, const sdk::Config& config) {
  if (const std::string problem = connections_problem(config); !problem.empty()) {
    context.add_config_error("millrace.connections", problem);
    return sdk::ok();
  }
  if (config.boolean("delete.enabled") && lower(config.string("pk.mode")) != "record_key") {
    for (const std::string_view key : {"delete.enabled", "pk.mode"}) {
      context.add_config_error(key, "Deletes are only supported for pk.mode record_key");
    }
    return sdk::ok();
  }
  if (auto session = trial_session(config, true); !session.ok()) {
    context.add_config_error("connection.url", "Could not connect to database. " + session.status().message());
  }
  return sdk::ok();
}

}  // namespace millrace::jdbc
