#include "connectors/jdbc/source_config.h"

#include <re2/re2.h>

#include <algorithm>

#include "connectors/jdbc/sql.h"

namespace millrace::jdbc {
namespace {

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

struct MappingParts {
  std::shared_ptr<const RE2> compiled;
  std::string first, second;
};

Result<MappingParts> split_mapping(std::string_view text, const char* format) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return Status(Code::kInvalidConfig, format);
  const std::string expression(text.substr(0, colon));
  auto compiled = std::make_shared<const RE2>(expression, RE2::Quiet);
  if (!compiled->ok()) return Status(Code::kInvalidConfig, "Invalid regular expression: " + compiled->error());
  return MappingParts{std::move(compiled), expression, std::string(text.substr(colon + 1))};
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

/// A page ends anywhere, so only a unique column tells where the next one begins.
Status check_pages(const sdk::Config& config, Mode mode) {
  if (config.int64("millrace.page.rows") <= 0) return sdk::ok();
  if (!uses_incrementing(mode)) {
    return {Code::kInvalidConfig,
            "millrace.page.rows needs mode incrementing or timestamp+incrementing: pages are told apart by the "
            "incrementing column"};
  }
  if (config.string("query.suffix").empty()) return sdk::ok();
  return {Code::kInvalidConfig, "millrace.page.rows ends the statement with a LIMIT of its own; remove query.suffix"};
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

Result<ColumnMapping> parse_timestamp_mapping(std::string_view text) {
  auto parts = split_mapping(text, "Invalid format. Expected 'regex:[col1|col2|...]'");
  if (!parts.ok()) return parts.status();
  const std::string_view columns = parts->second;
  if (columns.size() < 2 || !columns.starts_with('[') || !columns.ends_with(']')) {
    return Status(Code::kInvalidConfig, "Columns list must be enclosed in square brackets");
  }
  ColumnMapping mapping{parts->first, parts->compiled, {}};
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
  return ColumnMapping{parts->first, parts->compiled, {parts->second}};
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
  if (Status s = check_pages(config, out.mode); !s.ok()) return s;
  out.page_rows = static_cast<size_t>(std::max<int64_t>(config.int64("millrace.page.rows"), 0));
  out.key_from_primary = lower(config.string("millrace.key")) == "primary_key";
  out.read.others_as_text = lower(config.string("millrace.other.types")) == "text";
  out.query = source_query(config);
  out.query_masked = config.string("query").empty();
  out.query_suffix = config.string("query.suffix");
  out.topic_prefix = config.string("topic.prefix");
  out.topic_format = config.string("millrace.topic.format");
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

void check_table_keys(const sdk::Config& config, Findings& findings) {
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
  auto session = trial_session(config, false);
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
    check_table_keys(config, findings);
  } else {
    check_query_keys(config, findings);
  }
  if (Status s = check_pages(config, *mode_of(mode)); !s.ok()) findings.add("millrace.page.rows", s.message());
  if (config.string("millrace.key") != "none" && !(query.empty() && masked.empty()))
    findings.add("millrace.key", "A query has no primary key; set the key with the transform ValueToKey");
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
