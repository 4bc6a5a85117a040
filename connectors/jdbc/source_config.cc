#include "connectors/jdbc/source_config.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>

#include "connectors/jdbc/sql.h"

namespace millrace::jdbc {
namespace {

using sdk::Importance;
using sdk::kNull;
using sdk::Type;
using sdk::Width;

constexpr std::string_view kDatabase = "Database", kConnectorGroup = "Connector", kModeGroup = "Mode";
constexpr std::string_view kUrlDependents[] = {"table.whitelist", "table.blacklist"};
constexpr std::string_view kModeDependents[] = {"incrementing.column.name",  "timestamp.column.name",
                                                "timestamp.columns.mapping", "incrementing.column.mapping",
                                                "timestamp.initial",         "validate.non.null"};

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

constexpr std::pair<std::string_view, TimestampGranularity> kGranularities[] = {
    {"connect_logical", TimestampGranularity::kConnectLogical},
    {"micros_long", TimestampGranularity::kMicrosLong},
    {"nanos_long", TimestampGranularity::kNanosLong},
    {"micros_string", TimestampGranularity::kMicrosString},
    {"nanos_string", TimestampGranularity::kNanosString},
    {"micros_iso_datetime_string", TimestampGranularity::kMicrosIso},
    {"nanos_iso_datetime_string", TimestampGranularity::kNanosIso},
};

constexpr std::pair<std::string_view, NumericMapping> kNumericMappings[] = {
    {"none", NumericMapping::kNone},
    {"precision_only", NumericMapping::kPrecisionOnly},
    {"best_fit", NumericMapping::kBestFit},
    {"best_fit_eager_double", NumericMapping::kBestFitEagerDouble},
};

int32_t check_granularity(mr_str value, mr_error* error) {
  return check_enumerator(value,
                          {"connect_logical", "micros_long", "nanos_long", "micros_string", "nanos_string",
                           "micros_iso_datetime_string", "nanos_iso_datetime_string"},
                          error);
}

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
});

Result<std::pair<std::string, std::string>> split_mapping(std::string_view text, const char* format) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return Status(Code::kInvalidConfig, format);
  const std::string expression(text.substr(0, colon));
  const RE2 compiled(expression, RE2::Quiet);
  if (!compiled.ok()) return Status(Code::kInvalidConfig, "Invalid regular expression: " + compiled.error());
  return std::pair(expression, std::string(text.substr(colon + 1)));
}

Result<std::string> isolation_of(const sdk::Config& config) {
  const std::string mode = config.string("transaction.isolation.mode");
  if (mode == "DEFAULT") return std::string();
  for (const std::string_view known : {"READ_UNCOMMITTED", "READ_COMMITTED", "REPEATABLE_READ", "SERIALIZABLE"}) {
    if (mode != known) continue;
    std::string sql = mode;
    std::replace(sql.begin(), sql.end(), '_', ' ');
    return sql;
  }
  return Status(
      Code::kInvalidConfig,
      "No enum constant io.confluent.connect.jdbc.source.JdbcSourceConnectorConfig.TransactionIsolationMode." + mode +
          "; transaction.isolation.mode is DEFAULT, READ_UNCOMMITTED, READ_COMMITTED, REPEATABLE_READ or SERIALIZABLE");
}

Result<Mode> mode_of(const std::string& text) {
  if (text == "bulk") return Mode::kBulk;
  if (text == "timestamp") return Mode::kTimestamp;
  if (text == "incrementing") return Mode::kIncrementing;
  if (text == "timestamp+incrementing") return Mode::kTimestampIncrementing;
  return Status(Code::kInvalidConfig, text.empty() ? "Query mode must be specified" : "Invalid mode: " + text);
}

template <class Parse>
Status parse_mappings(const std::string& text, Parse parse, std::vector<ColumnMapping>& mappings) {
  for (const std::string& part : split_list(text)) {
    auto mapping = parse(part);
    if (!mapping.ok()) return mapping.status();
    mappings.push_back(std::move(*mapping));
  }
  return sdk::ok();
}

}  // namespace

std::span<const sdk::ConfigKey> source_config_keys() { return kKeys; }

Result<ColumnMapping> parse_timestamp_mapping(std::string_view text) {
  auto parts = split_mapping(text, "Invalid format. Expected 'regex:[col1|col2|...]'");
  if (!parts.ok()) return parts.status();
  const std::string_view columns = parts->second;
  if (columns.size() < 2 || !columns.starts_with('[') || !columns.ends_with(']')) {
    return Status(Code::kInvalidConfig, "Columns list must be enclosed in square brackets");
  }
  ColumnMapping mapping{parts->first, {}};
  const std::string_view inner = columns.substr(1, columns.size() - 2);
  if (inner.empty()) return Status(Code::kInvalidConfig, "Columns list cannot be empty");
  for (size_t begin = 0; begin <= inner.size();) {
    const size_t bar = std::min(inner.find('|', begin), inner.size());
    if (bar == begin) return Status(Code::kInvalidConfig, "Every column name should be non-empty string");
    mapping.columns.emplace_back(inner.substr(begin, bar - begin));
    begin = bar + 1;
  }
  return mapping;
}

Result<ColumnMapping> parse_incrementing_mapping(std::string_view text) {
  auto parts = split_mapping(text, "Invalid format. Expected 'regex:columnName'");
  if (!parts.ok()) return parts.status();
  if (parts->second.empty()) return Status(Code::kInvalidConfig, "Column name cannot be empty");
  return ColumnMapping{parts->first, {parts->second}};
}

std::string source_query(const sdk::Config& config) {
  const std::string query = config.string("query");
  return query.empty() ? config.string("query.masked") : query;
}

Result<SourceConfig> SourceConfig::parse(const sdk::Config& config) {
  SourceConfig out;
  auto connection = connection_settings(config);
  if (!connection.ok()) return connection.status();
  out.connection = std::move(*connection);
  auto mode = mode_of(config.string("mode"));
  if (!mode.ok()) return mode.status();
  out.mode = *mode;
  auto quotes = quotes_identifiers(config);
  if (!quotes.ok()) return quotes.status();
  out.quote_identifiers = *quotes;
  auto isolation = isolation_of(config);
  if (!isolation.ok()) return isolation.status();
  out.isolation = std::move(*isolation);
  auto clock = wall_clock(config);
  if (!clock.ok()) return clock.status();
  out.read.clock = std::move(*clock);
  out.read.numeric =
      config.boolean("numeric.precision.mapping") ? NumericMapping::kPrecisionOnly : NumericMapping::kNone;
  for (const auto& [name, mapping] : kNumericMappings) {
    if (lower(config.string("numeric.mapping")) == name) out.read.numeric = mapping;
  }
  for (const auto& [name, granularity] : kGranularities) {
    if (lower(config.string("timestamp.granularity")) == name) out.read.granularity = granularity;
  }
  if (config.int64("batch.max.rows") < 1)
    return Status(Code::kInvalidConfig, "Maximum batch size must be positive; set batch.max.rows to 1 or more");
  out.batch_rows_max = static_cast<size_t>(config.int64("batch.max.rows"));
  out.query = source_query(config);
  out.query_suffix = config.string("query.suffix");
  out.topic_prefix = config.string("topic.prefix");
  out.incrementing_column = config.string("incrementing.column.name");
  out.timestamp_columns = split_list(config.string("timestamp.column.name"));
  if (!config.string("table.include.list").empty()) {
    if (Status s =
            parse_mappings(config.string("timestamp.columns.mapping"), parse_timestamp_mapping, out.timestamp_mappings);
        !s.ok())
      return s;
    if (Status s = parse_mappings(config.string("incrementing.column.mapping"), parse_incrementing_mapping,
                                  out.incrementing_mappings);
        !s.ok())
      return s;
  }
  out.validate_non_null = config.boolean("validate.non.null");
  out.poll_interval_ms = config.int64("poll.interval.ms");
  out.timestamp_delay_ms = config.int64("timestamp.delay.interval.ms");
  if (const auto initial = config.get("timestamp.initial"); initial.has_value())
    out.timestamp_initial = config.int64("timestamp.initial");
  out.retry_attempts = config.int64("query.retry.attempts");
  return out;
}

namespace {

constexpr std::string_view kFilters[] = {"table.whitelist", "table.blacklist", "table.include.list",
                                         "table.exclude.list"};
constexpr std::string_view kLegacyKeys[] = {"table.whitelist", "table.blacklist", "incrementing.column.name",
                                            "timestamp.column.name"};
constexpr std::string_view kNewKeys[] = {"table.include.list", "table.exclude.list", "timestamp.columns.mapping",
                                         "incrementing.column.mapping"};

/// Collects messages; remembers whether a step found something.
class Findings {
 public:
  explicit Findings(sdk::ConnectorContext& context) : context_(context) {}
  void add(std::string_view key, std::string_view message) {
    context_.add_config_error(key, message);
    any_ = true;
  }
  bool any() const { return any_; }

 private:
  sdk::ConnectorContext& context_;
  bool any_ = false;
};

void check_table_keys(const sdk::Config& config, Findings& findings, sdk::ConnectorContext& context) {
  const auto set = [&](std::string_view key) { return !config.string(key).empty(); };
  const bool legacy = std::any_of(std::begin(kLegacyKeys), std::end(kLegacyKeys), set);
  const bool modern = std::any_of(std::begin(kNewKeys), std::end(kNewKeys), set);
  if (legacy && modern) {
    for (const auto& keys : {kLegacyKeys, kNewKeys}) {
      for (size_t i = 0; i < 4; ++i) {
        if (!set(keys[i])) continue;
        findings.add(keys[i],
                     "Cannot mix legacy and new configuration approaches. Legacy configurations (table.whitelist, "
                     "table.blacklist, "
                     "timestamp.column.name, incrementing.column.name) cannot be used together with new configurations "
                     "(table.include.list, "
                     "table.exclude.list, timestamp.columns.mapping, incrementing.column.mapping). Please choose one "
                     "approach: either use all "
                     "legacy configurations or all new configurations.");
      }
    }
    return;
  }
  if (legacy || modern) return;
  for (const std::string_view key : kFilters) {
    findings.add(
        key,
        "At least one table filtering configuration is required. Provide one of: table.whitelist, table.blacklist, "
        "table.include.list, or table.exclude.list.");
  }
  (void)context;
}

void check_query_keys(const sdk::Config& config, Findings& findings) {
  const bool filtered = std::any_of(std::begin(kFilters), std::end(kFilters),
                                    [&](std::string_view key) { return !config.string(key).empty(); });
  if (filtered) {
    constexpr std::string_view kMessage =
        "Do not specify table filtering configs with 'query'. Remove table.whitelist / table.blacklist / "
        "table.include.list / "
        "table.exclude.list when using query mode or 'query' when using table filtering mode.";
    for (const std::string_view key : kFilters) {
      if (!config.string(key).empty()) findings.add(key, kMessage);
    }
    findings.add("query", kMessage);
    findings.add("query.masked", kMessage);
    return;
  }
  const std::string mode = config.string("mode");
  if ((mode == "incrementing" || mode == "timestamp+incrementing") &&
      config.string("incrementing.column.name").empty()) {
    findings.add("incrementing.column.name",
                 "'incrementing.column.name' must be provided when using mode 'incrementing' or "
                 "'timestamp+incrementing' with a custom query. "
                 "The incrementing column cannot be auto-discovered in query mode because there is no table to "
                 "inspect. Note that "
                 "'incrementing.column.mapping' is not applied in query mode (it maps columns by table-name regex, and "
                 "a custom query has no "
                 "underlying table to match), so 'incrementing.column.name' must be set explicitly.");
  }
}

void check_connection(const sdk::Config& config, Findings& findings) {
  auto session = trial_session(config);
  if (!session.ok()) {
    findings.add("connection.url", "Could not connect to database. " + session.status().message());
    return;
  }
  const std::string query = source_query(config);
  if (query.empty()) return;
  if (Status s = (*session)->check_query(query); !s.ok()) {
    const DatabaseError& error = (*session)->last_error();
    findings.add(config.string("query").empty() ? "query.masked" : "query",
                 "The configured query is not valid and has database/connection errors. Please provide the correct "
                 "query by validating the "
                 "query syntax and the existing table/column names with the database being connected (SQLState: " +
                     error.sqlstate + (error.number == 0 ? "" : ", errorCode: " + std::to_string(error.number)) + ")");
  }
}

void check_mapping_use(const sdk::Config& config, bool needed, std::string_view key, std::string_view name,
                       std::string_view modes, Findings& findings) {
  const bool given = !config.string(key).empty();
  if (needed && !given) {
    findings.add("mode", std::string(name) + " column configuration must be provided when using mode " +
                             std::string(modes) + ". Provide '" + std::string(key) + "'.");
  } else if (!needed && given) {
    findings.add("mode", std::string(name) + " column configurations should not be provided if mode is not " +
                             std::string(modes) + ". Remove '" + std::string(key) + "'.");
  }
}

}  // namespace

Status validate_source(sdk::ConnectorContext& context, const sdk::Config& config) {
  Findings findings(context);
  const std::string mode = config.string("mode");
  if (auto parsed = mode_of(mode); !parsed.ok()) {
    for (const std::string_view key : kModeDependents) findings.add(key, parsed.status().message());
    return sdk::ok();
  }
  const std::string isolation = config.string("transaction.isolation.mode");
  if (isolation == "SQL_SERVER_SNAPSHOT") {
    findings.add("transaction.isolation.mode",
                 "Isolation mode of `SQL_SERVER_SNAPSHOT` can only be configured with a Sql Server Dialect");
    return sdk::ok();
  }
  const std::string query = config.string("query"), masked = config.string("query.masked");
  if (!query.empty() && !masked.empty()) {
    for (const std::string_view key : {"query", "query.masked"}) {
      findings.add(
          key, "Both 'query' and 'query.masked' configs cannot be set at the same time. Please use only one of them.");
    }
    return sdk::ok();
  }
  if (query.empty() && masked.empty()) {
    check_table_keys(config, findings, context);
  } else {
    check_query_keys(config, findings);
  }
  if (findings.any()) return sdk::ok();
  if (!config.string("connection.url").empty()) check_connection(config, findings);
  if (findings.any()) return sdk::ok();
  const bool include = !config.string("table.include.list").empty(),
             exclude = !config.string("table.exclude.list").empty();
  if (exclude && !include) {
    findings.add("table.exclude.list",
                 "table.exclude.list cannot be used without table.include.list. Exclude list only applies to tables "
                 "that match the include list.");
    return sdk::ok();
  }
  const bool modern = std::any_of(std::begin(kNewKeys), std::end(kNewKeys),
                                  [&](std::string_view key) { return !config.string(key).empty(); });
  if (modern) {
    const Mode parsed = *mode_of(mode);
    check_mapping_use(config, uses_timestamp(parsed), "timestamp.columns.mapping", "Timestamp",
                      "'timestamp' or 'timestamp+incrementing'", findings);
    check_mapping_use(config, uses_incrementing(parsed), "incrementing.column.mapping", "Incrementing",
                      "'incrementing' or 'timestamp+incrementing'", findings);
  }
  return sdk::ok();
}

}  // namespace millrace::jdbc
