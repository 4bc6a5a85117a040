/// The columns of Debezium's semantic types in PostgreSQL.
#include <algorithm>
#include <array>

#include "connectors/jdbc/debezium_types.h"
#include "connectors/jdbc/postgres_sql.h"

namespace millrace::jdbc {
namespace {

constexpr int kCharactersMax = 10'485'760;
constexpr int kDigitsMax = 1000;
constexpr int kFractionMax = 6;

std::string sized(std::string_view type, int size) { return std::string(type) + "(" + std::to_string(size) + ")"; }

/// With the source's digits of a second where they are known.
std::string with_fraction(std::string_view type, const mr_schema& schema) {
  const int digits = number_of(parameter_of(schema, "__debezium.source.column.scale"), source_length(schema));
  return sized(type, digits > 0 && digits <= kFractionMax ? digits : kFractionMax);
}

/// A type that only PostgreSQL has and whose values come as text: the column is again of that type.
bool own_text_type(const std::string& type) {
  static constexpr std::string_view kOwn[] = {"INET",      "CIDR",     "MACADDR", "MACADDR8",  "INT4RANGE",
                                              "INT8RANGE", "NUMRANGE", "TSRANGE", "TSTZRANGE", "DATERANGE",
                                              "TSVECTOR",  "MONEY",    "TSQUERY"};
  return std::find(std::begin(kOwn), std::end(kOwn), type) != std::end(kOwn);
}

std::string text_type(const mr_schema& schema) {
  const std::string type = source_type(schema);
  const int length = source_length(schema);
  const bool bounded = length > 0 && length <= kCharactersMax;
  if (bounded && (type == "CHAR" || type == "BPCHAR")) return sized("CHAR", length);
  if (bounded && type == "VARCHAR") return sized("VARCHAR", length);
  return own_text_type(type) ? type : "TEXT";
}

std::string decimal_type(const mr_schema& schema) {
  const int scale = number_of(parameter_of(schema, "scale"), 0);
  const int digits = number_of(parameter_of(schema, "connect.decimal.precision"), source_length(schema));
  const bool known = scale >= 0 && digits >= std::max(scale, 1) && digits <= kDigitsMax;
  return known ? "NUMERIC(" + std::to_string(digits) + "," + std::to_string(scale) + ")" : "NUMERIC";
}

std::string plain_type(const mr_schema& schema) {
  const std::string_view name = sdk::view(schema.name);
  if (name == "org.apache.kafka.connect.data.Decimal") return decimal_type(schema);
  if (name == "org.apache.kafka.connect.data.Date") return "DATE";
  if (name == "org.apache.kafka.connect.data.Time") return with_fraction("TIME", schema);
  if (name == "org.apache.kafka.connect.data.Timestamp") return with_fraction("TIMESTAMP", schema);
  switch (schema.type) {
    case MR_BOOLEAN:
      return "BOOLEAN";
    case MR_INT8:
    case MR_INT16:
      return "SMALLINT";
    case MR_INT32:
      return "INTEGER";
    case MR_INT64:
      return "BIGINT";
    case MR_FLOAT32:
      return "REAL";
    case MR_FLOAT64:
      return "DOUBLE PRECISION";
    case MR_STRING:
      return text_type(schema);
    case MR_BYTES:
      return "BYTEA";
    default:
      return "";
  }
}

std::string bits_type(const mr_schema& schema) {
  const int bits = number_of(parameter_of(schema, "length"), 0);
  return bits >= 1 && bits <= kCharactersMax && source_type(schema) != "VARBIT" ? sized("BIT", bits) : "BIT VARYING";
}

std::string semantic_type(std::string_view name, CellForm form, const mr_schema& schema, bool key) {
  switch (form) {
    case CellForm::kEventDate:
    case CellForm::kIsoDate:
      return "DATE";
    case CellForm::kTimeMillis:
    case CellForm::kTimeMicros:
    case CellForm::kTimeNanos:
    case CellForm::kIsoTime:
      return with_fraction("TIME", schema);
    case CellForm::kZonedTime:
      return with_fraction("TIME", schema) + " WITH TIME ZONE";
    case CellForm::kZonedTimestamp:
      return with_fraction("TIMESTAMP", schema) + " WITH TIME ZONE";
    case CellForm::kMicroDuration:
    case CellForm::kNanoDuration:
      return "INTERVAL";
    case CellForm::kBits:
      return bits_type(schema);
    case CellForm::kVariableDecimal:
      return "NUMERIC";
    case CellForm::kUnsigned:
      return "NUMERIC(20)";
    case CellForm::kPoint:
      return "POINT";
    case CellForm::kGeometry:
      return name == "data.geometry.Geography" ? "GEOGRAPHY" : "GEOMETRY";  // PostGIS
    case CellForm::kInt:
      return "INTEGER";  // a year
    case CellForm::kText:
      break;
    default:
      return with_fraction("TIMESTAMP", schema);
  }
  if (name == "data.Uuid") return "UUID";
  if (name == "data.Json") return key || source_type(schema) == "JSONB" ? "JSONB" : "JSON";  // JSON has no order
  if (name == "data.Xml" && !key) return "XML";
  if (name == "time.Interval") return "INTERVAL";
  return text_type(schema);
}

}  // namespace

std::string postgres_event_column_type(const mr_schema& schema, bool key) {
  CellForm form{};
  const bool semantic = debezium_form(schema, form);
  return semantic ? semantic_type(semantic_name(schema), form, schema, key) : plain_type(schema);
}

}  // namespace millrace::jdbc
