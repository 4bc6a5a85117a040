#include "connectors/jdbc/debezium_sink_config.h"

#include <algorithm>
#include <array>

namespace millrace::jdbc {
namespace {

using sdk::Importance;
using sdk::kNoDefault;
using sdk::kNull;
using sdk::Type;
using sdk::Width;

constexpr std::string_view kConnection = "Connection", kConnector = "Connector", kAdvanced = "Connector Advanced",
                           kAccepted = "Accepted, without effect here";
constexpr const char *kDefaultNaming = "io.debezium.sink.naming.DefaultCollectionNamingStrategy",
                     *kDefaultColumns = "io.debezium.connector.jdbc.naming.DefaultColumnNamingStrategy";

int32_t check_insert_mode(mr_str value, mr_error* error) {
  return check_enumerator(value, {"insert", "upsert", "update"}, error);
}
int32_t check_key_mode(mr_str value, mr_error* error) {
  return check_enumerator(value, {"none", "kafka", "record_key", "record_value", "record_header"}, error);
}
int32_t check_evolution(mr_str value, mr_error* error) { return check_enumerator(value, {"none", "basic"}, error); }
int32_t check_default_naming(mr_str value, mr_error* error) {
  const std::string_view text = sdk::view(value);
  // The second name is that of releases before 3.0.
  if (text == std::string_view(kDefaultNaming) || text == std::string_view(kDefaultColumns) ||
      text == "io.debezium.connector.jdbc.naming.DefaultTableNamingStrategy") {
    return MR_OK;
  }
  return sdk::set_error(error, MR_INVALID_CONFIG,
                        "naming strategies are Java classes and cannot be loaded here; use collection.name.format, or "
                        "a transform that renames topics or fields");
}

constexpr std::array kKeys = std::to_array<sdk::ConfigKey>({
    {"connection.url", Type::kString, kNoDefault, Importance::kHigh,
     "JDBC connection URL, for example jdbc:mariadb://localhost:3306/shop.", kConnection, 1, Width::kLong, "URL"},
    {"connection.username", Type::kString, kNull, Importance::kHigh, "Database user.", kConnection, 2, Width::kShort,
     "User"},
    {"connection.password", Type::kPassword, kNull, Importance::kHigh, "Database password.", kConnection, 3,
     Width::kShort, "Password"},
    {"insert.mode", Type::kString, "insert", Importance::kLow, "insert, upsert or update.", kConnector, 1,
     Width::kShort, "Insert mode", check_insert_mode},
    {"delete.enabled", Type::kBoolean, "false", Importance::kMedium,
     "Delete events and null values delete the row of their key; needs primary.key.mode=record_key.", kConnector, 2,
     Width::kShort, "Deletes"},
    {"truncate.enabled", Type::kBoolean, "false", Importance::kMedium, "Truncate events empty their table.", kConnector,
     3, Width::kShort, "Truncates"},
    {"primary.key.mode", Type::kString, "none", Importance::kHigh,
     "Where the primary key comes from: none, kafka, record_key, record_value or record_header.", kConnector, 4,
     Width::kShort, "Primary key mode", check_key_mode},
    {"primary.key.fields", Type::kList, "", Importance::kMedium, "Names of the primary key's columns.", kConnector, 5,
     Width::kLong, "Primary key fields"},
    {"use.time.zone", Type::kString, "UTC", Importance::kMedium,
     "Zone of the wall clock that timestamps with a zone are written in.", kConnector, 6, Width::kShort, "Time zone",
     check::time_zone},
    {"database.time_zone", Type::kString, kNull, Importance::kLow, "Old name of use.time.zone.", kConnector, 7,
     Width::kShort, "Time zone (old)"},
    {"schema.evolution", Type::kString, "none", Importance::kLow, "none, or basic: create tables and add columns.",
     kConnector, 8, Width::kShort, "Schema evolution", check_evolution},
    {"collection.name.format", Type::kString, "${topic}", Importance::kMedium,
     "Table of a record: ${topic}, whose dots become underscores, and ${source.db}, ${source.table} …", kConnector, 9,
     Width::kLong, "Collection name format", sdk::checks::non_empty},
    {"table.name.format", Type::kString, kNull, Importance::kLow, "Old name of collection.name.format.", kConnector, 10,
     Width::kLong, "Table name format (old)"},
    {"field.include.list", Type::kList, "", Importance::kLow,
     "Value fields to write: names or topic:name, each part a regular expression.", kConnector, 11, Width::kLong,
     "Included fields"},
    {"field.exclude.list", Type::kList, "", Importance::kLow, "Value fields to leave out.", kConnector, 12,
     Width::kLong, "Excluded fields"},
    {"batch.size", Type::kInt, "500", Importance::kMedium, "Most records in one statement.", kConnector, 13,
     Width::kShort, "Batch size", sdk::checks::at_least<1>},
    {"quote.identifiers", Type::kBoolean, "false", Importance::kLow,
     "false: names are written as without quotes, which PostgreSQL puts in lower case.", kConnector, 14, Width::kShort,
     "Quote identifiers"},
    {"unavailable.value.placeholder", Type::kString, "__debezium_unavailable_value", Importance::kLow,
     "A text in place of an unknown value: an update leaves the column as it is.", kConnector, 15, Width::kMedium,
     "Unavailable value placeholder"},
    {"millrace.exactly.once", Type::kBoolean, "false", Importance::kMedium,
     "Keep the offsets in a table of the database, in the transactions that write the rows: each record is written "
     "once, also with insert.mode=insert and after a crash.",
     kConnector, 16, Width::kShort, "Exactly once"},
    {"millrace.exactly.once.table", Type::kString, "millrace_offsets", Importance::kLow,
     "The table for these offsets; created when it is missing.", kConnector, 17, Width::kMedium, "Table of offsets",
     sdk::checks::non_empty},
    {"millrace.connections", Type::kInt, "1", Importance::kMedium,
     "Connections of one task that write at the same time. Records of one key keep their order, rows of different keys "
     "may be written in another; so not for tables with a second unique key or foreign keys among their rows.",
     kConnector, 18, Width::kShort, "Connections", check_connections},
    {"flush.max.retries", Type::kInt, "5", Importance::kLow, "Tries of a failing write before the task fails.",
     kAdvanced, 1, Width::kShort, "Maximum retries", sdk::checks::at_least<0>},
    {"flush.retry.delay.ms", Type::kInt64, "1000", Importance::kLow, "Milliseconds between two tries.", kAdvanced, 2,
     Width::kShort, "Retry delay", sdk::checks::at_least<0>},
    {"collection.naming.strategy", Type::kClass, kDefaultNaming, Importance::kLow, "Only the default is accepted.",
     kAdvanced, 3, Width::kLong, "Collection naming strategy", check_default_naming},
    {"table.naming.strategy", Type::kClass, kNull, Importance::kLow, "Old name of collection.naming.strategy.",
     kAdvanced, 4, Width::kLong, "Table naming strategy (old)", check_default_naming},
    {"column.naming.strategy", Type::kClass, kDefaultColumns, Importance::kLow, "Only the default is accepted.",
     kAdvanced, 5, Width::kLong, "Column naming strategy", check_default_naming},
    {"use.reduction.buffer", Type::kBoolean, "false", Importance::kLow, "Every change is applied, in order.", kAccepted,
     1},
    {"connection.provider", Type::kString, kNull, Importance::kLow, "One connection a task.", kAccepted, 2},
    {"connection.pool.min_size", Type::kInt, "5", Importance::kLow, "One connection a task.", kAccepted, 3},
    {"connection.pool.max_size", Type::kInt, "32", Importance::kLow, "One connection a task.", kAccepted, 4},
    {"connection.pool.acquire_increment", Type::kInt, "32", Importance::kLow, "One connection a task.", kAccepted, 5},
    {"connection.pool.timeout", Type::kInt64, "1800", Importance::kLow, "One connection a task.", kAccepted, 6},
    {"connection.restart.on.errors", Type::kBoolean, "false", Importance::kLow, "A lost connection is opened again.",
     kAccepted, 7},
    {"dialect.postgres.postgis.schema", Type::kString, "public", Importance::kLow,
     "Accepted; PostGIS is found through the search path.", kAccepted, 8},
    {"dialect.postgres.unnest.insert.enabled", Type::kBoolean, "false", Importance::kLow,
     "Accepted; PostgreSQL always gets arrays of rows.", kAccepted, 9},
    {"dialect.sqlserver.identity.insert", Type::kBoolean, "false", Importance::kLow, "For another database.", kAccepted,
     10},
});

/// Settings that only change their name; the second one of a pair wins when both are set.
struct Renamed {
  std::string_view from, to;
};
constexpr Renamed kRenamed[] = {
    {"connection.url", "connection.url"},
    {"connection.username", "connection.user"},
    {"connection.password", "connection.password"},
    {"insert.mode", "insert.mode"},
    {"delete.enabled", "delete.enabled"},
    {"truncate.enabled", "truncate.enabled"},
    {"primary.key.mode", "pk.mode"},
    {"primary.key.fields", "pk.fields"},
    {"use.time.zone", "db.timezone"},
    {"batch.size", "batch.size"},
    {"unavailable.value.placeholder", "unavailable.value.placeholder"},
    {"flush.max.retries", "max.retries"},
    {"millrace.exactly.once", "millrace.exactly.once"},
    {"millrace.exactly.once.table", "millrace.exactly.once.table"},
    {"millrace.connections", "millrace.connections"},
    {"flush.retry.delay.ms", "retry.backoff.ms"},
    {"collection.name.format", "table.name.format"},
};
constexpr Renamed kOldNames[] = {{"database.time_zone", "use.time.zone"},
                                 {"table.name.format", "collection.name.format"}};

/// The same settings under the names of our own sink.
class Translation {
 public:
  explicit Translation(const sdk::Config& config) {
    for (const Renamed& key : kRenamed) {
      if (auto value = config.get(key.from)) values_[key.to] = std::move(*value);
    }
    for (const Renamed& old : kOldNames) {
      if (config.is_set(old.from) && !config.is_set(old.to)) set_old(old.to, config.string(old.from));
    }
    const bool evolve = lower(config.string("schema.evolution")) == "basic";
    values_["auto.create"] = values_["auto.evolve"] = evolve ? "true" : "false";
    values_["date.timezone"] = "UTC";  // a date is a date
    values_["date.calendar.system"] = "PROLEPTIC_GREGORIAN";
    values_["replace.null.with.default"] = "false";
    values_["millrace.tombstones"] = "ignore";
    values_["millrace.debezium.types"] = "always";
  }
  sdk::Config config() const {
    std::vector<mr_pair> pairs;
    for (const auto& [key, value] : values_) pairs.push_back({sdk::to_mr(key), sdk::to_mr(value)});
    return {mr_config{pairs.data(), pairs.size()}, sink_config_keys()};
  }

 private:
  void set_old(std::string_view name, std::string value) {
    const auto* key = std::find_if(std::begin(kRenamed), std::end(kRenamed),
                                   [&](const Renamed& renamed) { return renamed.from == name; });
    values_[key->to] = std::move(value);
  }
  std::map<std::string_view, std::string> values_;
};

std::vector<std::string> entries(const sdk::Config& config, std::string_view key) {
  std::vector<std::string> list = config.list(key);
  std::erase(list, "");
  return list;
}

}  // namespace

std::span<const sdk::ConfigKey> debezium_sink_config_keys() { return kKeys; }

Result<SinkConfig> parse_debezium_sink(const sdk::Config& config) {
  auto out = SinkConfig::parse(Translation(config).config());
  if (!out.ok()) return out;
  auto filter = FieldFilter::make(entries(config, "field.include.list"), entries(config, "field.exclude.list"));
  if (!filter.ok()) return filter.status();
  out->field_filter = std::move(*filter);
  out->underscore_topic = true;
  out->fold_identifiers = !config.boolean("quote.identifiers");
  return out;
}

Status validate_debezium_sink(sdk::ConnectorContext& context, const sdk::Config& config) {
  const std::string key_mode = lower(config.string("primary.key.mode"));
  if (config.boolean("delete.enabled") && key_mode != "record_key") {
    context.add_config_error("delete.enabled", "Deletes need primary.key.mode=record_key");
    return sdk::ok();
  }
  if (lower(config.string("insert.mode")) == "upsert" && key_mode == "none") {
    context.add_config_error("insert.mode", "insert.mode=upsert needs a primary.key.mode other than none");
    return sdk::ok();
  }
  if (auto filter = FieldFilter::make(entries(config, "field.include.list"), entries(config, "field.exclude.list"));
      !filter.ok()) {
    context.add_config_error("field.include.list", filter.status().message());
    return sdk::ok();
  }
  const Translation translation(config);
  if (const std::string problem = connections_problem(translation.config()); !problem.empty()) {
    context.add_config_error("millrace.connections", problem);
    return sdk::ok();
  }
  if (auto session = trial_session(translation.config(), true); !session.ok()) {
    context.add_config_error("connection.url", "Could not connect to database. " + session.status().message());
  }
  return sdk::ok();
}

}  // namespace millrace::jdbc
