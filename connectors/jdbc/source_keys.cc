/// The source's option table: what each setting is called, means, and may be.
#include <array>

#include "connectors/jdbc/source_config.h"
#include "connectors/jdbc/source_naming.h"

namespace millrace::jdbc {
namespace {

using sdk::Importance;
using sdk::kNull;
using sdk::Type;
using sdk::Width;

constexpr std::string_view kDatabase = "Database", kConnectorGroup = "Connector", kModeGroup = "Mode";
constexpr std::string_view kUrlDependents[] = {"table.whitelist", "table.blacklist"};

int32_t check_mode(mr_str value, mr_error* error) {
  for (const std::string_view mode : {"", "bulk", "timestamp", "incrementing", "timestamp+incrementing"}) {
    if (sdk::view(value) == mode) return MR_OK;
  }
  return sdk::set_error(error, MR_INVALID_CONFIG,
                        "String must be one of: , bulk, timestamp, incrementing, timestamp+incrementing");
}

int32_t check_numeric_mapping(mr_str value, mr_error* error) {
  return check_enumerator(value, {"none", "precision_only", "best_fit", "best_fit_eager_double"}, error);
}

int32_t check_granularity(mr_str value, mr_error* error) {
  return check_enumerator(value,
                          {"connect_logical", "micros_long", "nanos_long", "micros_string", "nanos_string",
                           "micros_iso_datetime_string", "nanos_iso_datetime_string"},
                          error);
}

int32_t check_key(mr_str value, mr_error* error) { return check_enumerator(value, {"none", "primary_key"}, error); }

int32_t check_other_types(mr_str value, mr_error* error) { return check_enumerator(value, {"skip", "text"}, error); }

template <auto kParse>
int32_t check_mappings(mr_str value, mr_error* error) {
  for (const std::string& part : split_list(sdk::view(value))) {
    if (auto mapping = kParse(part); !mapping.ok())
      return sdk::set_error(error, MR_INVALID_CONFIG, mapping.status().message());
  }
  return MR_OK;
}

constexpr std::array kKeys = std::to_array<sdk::ConfigKey>({
    {"connection.url", Type::kString, "", Importance::kHigh,
     "JDBC connection URL, for example jdbc:mariadb://localhost:3306/shop, jdbc:mysql://localhost:3306/shop or "
     "jdbc:postgresql://localhost:5432/shop.",
     kDatabase, 1, Width::kLong, "JDBC URL", nullptr, kUrlDependents},
    {"connection.user", Type::kString, kNull, Importance::kHigh, "Database user.", kDatabase, 2, Width::kLong,
     "JDBC User"},
    {"connection.password", Type::kPassword, kNull, Importance::kHigh, "Database password.", kDatabase, 3,
     Width::kShort, "JDBC Password"},
    {"jdbc.credentials.provider.class", Type::kClass, kDefaultCredentialsProvider, Importance::kLow,
     "Only the default is accepted: user and password come from the settings.", kDatabase, 4, Width::kLong,
     "JDBC Credentials Provider Class", check::credentials_provider},
    {"connection.attempts", Type::kInt, "3", Importance::kLow, "Tries to connect before giving up.", kDatabase, 5,
     Width::kShort, "JDBC connection attempts", sdk::checks::at_least<1>},
    {"connection.backoff.ms", Type::kInt64, "10000", Importance::kLow, "Milliseconds between two tries to connect.",
     kDatabase, 6, Width::kShort, "JDBC connection backoff in milliseconds"},
    {"table.whitelist", Type::kList, "", Importance::kMedium,
     "Tables to copy: table, database.table or, in PostgreSQL, schema.table.", kDatabase, 7, Width::kLong,
     "Table Whitelist"},
    {"table.blacklist", Type::kList, "", Importance::kMedium, "Tables not to copy; all others are.", kDatabase, 8,
     Width::kLong, "Table Blacklist"},
    {"table.include.list", Type::kList, "", Importance::kMedium,
     "Regular expressions that database.table (in PostgreSQL schema.table) must match in full.", kDatabase, 9,
     Width::kLong, "Table Include List", check::regex_list},
    {"table.exclude.list", Type::kList, "", Importance::kMedium,
     "Regular expressions of tables to leave out of table.include.list.", kDatabase, 10, Width::kLong,
     "Table Exclude List", check::regex_list},
    {"catalog.pattern", Type::kString, kNull, Importance::kMedium,
     "Database whose tables are listed; absent = the database of connection.url.", kDatabase, 11, Width::kShort,
     "Schema pattern"},
    {"schema.pattern", Type::kString, kNull, Importance::kHigh,
     "LIKE pattern of the schemas whose tables are listed; without effect on MariaDB.", kDatabase, 12, Width::kShort,
     "Schema pattern"},
    {"numeric.precision.mapping", Type::kBoolean, "false", Importance::kLow, "Deprecated; see numeric.mapping.",
     kDatabase, 13, Width::kShort, "Map Numeric Values By Precision (deprecated)"},
    {"numeric.mapping", Type::kString, kNull, Importance::kLow,
     "How NUMERIC columns of PostgreSQL appear: none, precision_only, best_fit, best_fit_eager_double. Without effect "
     "on MariaDB, whose columns are DECIMAL.",
     kDatabase, 14, Width::kShort, "Map Numeric Values, Integral or Decimal, By Precision and Scale",
     check_numeric_mapping},
    {"dialect.name", Type::kString, "", Importance::kLow, "Database dialect; empty = by connection.url.", kDatabase, 15,
     Width::kLong, "Database Dialect", check::dialect_name},
    {"date.calendar.system", Type::kString, "LEGACY", Importance::kLow,
     "LEGACY is Julian before 1582-10-15; or PROLEPTIC_GREGORIAN.", kDatabase, 16, Width::kShort, "Calendar system",
     check::calendar_system},
    {"mode", Type::kString, "", Importance::kHigh, "bulk, incrementing, timestamp or timestamp+incrementing.",
     kModeGroup, 1, Width::kMedium, "Table Loading Mode", check_mode, kModeDependents},
    {"incrementing.column.name", Type::kString, "", Importance::kMedium,
     "The strictly increasing column; empty = the table's auto-increment column.", kModeGroup, 2, Width::kMedium,
     "Incrementing Column Name"},
    {"timestamp.column.name", Type::kList, "", Importance::kMedium,
     "Timestamp columns; the first that is not null counts.", kModeGroup, 3, Width::kMedium, "Timestamp Column Name"},
    {"timestamp.columns.mapping", Type::kList, "", Importance::kMedium, "regex:[column|column] per group of tables.",
     kModeGroup, 4, Width::kMedium, "Timestamp Columns Mapping", check_mappings<parse_timestamp_mapping>},
    {"incrementing.column.mapping", Type::kList, "", Importance::kMedium, "regex:column per group of tables.",
     kModeGroup, 5, Width::kMedium, "Incrementing Column Mapping", check_mappings<parse_incrementing_mapping>},
    {"timestamp.initial", Type::kInt64, kNull, Importance::kLow, "Epoch milliseconds to start from; -1 = now.",
     kModeGroup, 6, Width::kMedium, "Unix time value of initial timestamp"},
    {"validate.non.null", Type::kBoolean, "true", Importance::kLow,
     "Refuse nullable incrementing and timestamp columns.", kModeGroup, 7, Width::kShort, "Validate Non Null"},
    {"query", Type::kString, "", Importance::kMedium, "A SELECT to run instead of copying tables.", kModeGroup, 8,
     Width::kShort, "Query", check::select_statement},
    {"query.masked", Type::kPassword, "", Importance::kMedium, "As query, hidden in logs and answers.", kModeGroup, 9,
     Width::kShort, "Query", check::select_statement},
    {"quote.sql.identifiers", Type::kString, "ALWAYS", Importance::kMedium, "always or never.", kModeGroup, 10,
     Width::kMedium, "Quote Identifiers"},
    {"query.suffix", Type::kString, "", Importance::kLow, "Text appended to every statement, for example LIMIT 1000.",
     kModeGroup, 11, Width::kShort, "Query suffix"},
    {"transaction.isolation.mode", Type::kString, "DEFAULT", Importance::kLow,
     "DEFAULT, READ_UNCOMMITTED, READ_COMMITTED, REPEATABLE_READ or SERIALIZABLE.", kModeGroup, 12, Width::kMedium,
     "Transaction Isolation Mode"},
    {"query.retry.attempts", Type::kInt, "-1", Importance::kLow, "Tries of a failing query; 0 or less = for ever.",
     kModeGroup, 13, Width::kShort, "Query Retry Attempts"},
    {"table.types", Type::kList, "TABLE", Importance::kLow,
     "TABLE, VIEW; in PostgreSQL also PARTITIONED TABLE, MATERIALIZED VIEW, FOREIGN TABLE.", kConnectorGroup, 1,
     Width::kMedium, "Table Types"},
    {"poll.interval.ms", Type::kInt, "5000", Importance::kHigh,
     "Milliseconds from the end of a table's query to its next.", kConnectorGroup, 2, Width::kShort,
     "Poll Interval (ms)"},
    {"batch.max.rows", Type::kInt, "1000", Importance::kLow, "Most rows in one batch.", kConnectorGroup, 3,
     Width::kShort, "Max Rows Per Batch"},
    {"max.buffer.size", Type::kInt, "0", Importance::kLow, "Accepted; the worker bounds its queues in bytes.",
     kConnectorGroup, 4, Width::kShort, "Max Buffer Size"},
    {"poll.linger.ms", Type::kInt64, "5000", Importance::kLow, "Accepted; rows are handed on at once.", kConnectorGroup,
     5, Width::kShort, "Poll Linger (ms)"},
    {"table.poll.interval.ms", Type::kInt64, "60000", Importance::kLow,
     "Milliseconds between two looks for new tables.", kConnectorGroup, 6, Width::kShort,
     "Metadata Change Monitoring Interval (ms)"},
    {"table.monitoring.startup.polling.limit.ms", Type::kInt64, "10000", Importance::kLow,
     "Longest wait for the first table list.", kConnectorGroup, 7, Width::kShort, "Startup polling limit (ms)"},
    {"topic.prefix", Type::kString, "", Importance::kHigh,
     "Before the table name in topic names; with a query, the topic.", kConnectorGroup, 8, Width::kMedium,
     "Topic Prefix", check::topic_prefix},
    {"timestamp.delay.interval.ms", Type::kInt64, "0", Importance::kHigh,
     "How far behind the database's clock rows are read, so that late transactions are not missed.", kConnectorGroup, 9,
     Width::kMedium, "Delay Interval (ms)"},
    {"db.timezone", Type::kString, "UTC", Importance::kMedium, "Zone of the wall clock values in the database.",
     kConnectorGroup, 10, Width::kMedium, "DB time zone", check::time_zone},
    {"timestamp.granularity", Type::kString, "connect_logical", Importance::kLow,
     "Form of timestamp columns in records.", kConnectorGroup, 11, Width::kMedium,
     "Timestamp granularity for timestamp columns", check_granularity},
    {"millrace.page.rows", Type::kInt, "0", Importance::kLow,
     "In the modes incrementing and timestamp+incrementing: read a table in statements of so many rows, each from "
     "where "
     "the last ended, instead of all at once. Keeps transactions short in large tables. 0 = one statement.",
     kModeGroup, 14, Width::kShort, "Rows Per Page", sdk::checks::at_least<0>},
    {"millrace.key", Type::kString, "none", Importance::kMedium,
     "Key of the records: none, or primary_key for a struct of the table's primary key columns.", kConnectorGroup, 12,
     Width::kShort, "Record Key", check_key},
    {"millrace.topic.format", Type::kString, kTopicFormat, Importance::kMedium,
     "What follows topic.prefix in topic names, with ${table}, ${schema} (in MariaDB the database) and ${database}. "
     "Tables of one name in several schemas can be copied with ${schema}.${table}.",
     kConnectorGroup, 13, Width::kMedium, "Topic Format", check::topic_format},
    {"millrace.other.types", Type::kString, "skip", Importance::kMedium,
     "PostgreSQL's columns of types that records have no form for: skip leaves them out with a warning, text has them "
     "as "
     "strings: arrays, hstore and row types as JSON, all others (inet, interval, ranges …) as the database writes "
     "them.",
     kConnectorGroup, 14, Width::kShort, "Other Types", check_other_types},
});

}  // namespace

std::span<const sdk::ConfigKey> source_config_keys() { return kKeys; }

}  // namespace millrace::jdbc
