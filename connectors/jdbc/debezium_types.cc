#include "connectors/jdbc/debezium_types.h"

#include <algorithm>
#include <charconv>

namespace millrace::jdbc {
namespace {

constexpr std::string_view kPrefix = "io.debezium.";
constexpr int kKeyCharactersMax = 768;  // utf8mb4 in InnoDB's index of 3072 bytes
constexpr int kVarcharMax = 16'000;     // several such columns fit a row
constexpr int kVarbinaryMax = 60'000;
constexpr int kDecimalDigitsMax = 65;
constexpr int kDecimalScaleMax = 30;  // MySQL's; MariaDB has 38

struct TypeName {
  std::string_view name;
  CellForm form;
};

constexpr TypeName kTypes[] = {
    {"time.Date", CellForm::kEventDate},
    {"time.Timestamp", CellForm::kEventMillis},
    {"time.MicroTimestamp", CellForm::kEventMicros},
    {"time.NanoTimestamp", CellForm::kEventNanos},
    {"time.Time", CellForm::kTimeMillis},
    {"time.MicroTime", CellForm::kTimeMicros},
    {"time.NanoTime", CellForm::kTimeNanos},
    {"time.ZonedTimestamp", CellForm::kZonedTimestamp},
    {"time.ZonedTime", CellForm::kZonedTime},
    {"time.IsoDate", CellForm::kIsoDate},
    {"time.IsoTime", CellForm::kIsoTime},
    {"time.IsoTimestamp", CellForm::kIsoTimestamp},
    {"time.Year", CellForm::kInt},
    {"time.MicroDuration", CellForm::kMicroDuration},
    {"time.NanoDuration", CellForm::kNanoDuration},
    {"time.Interval", CellForm::kText},
    {"data.Bits", CellForm::kBits},
    {"data.Enum", CellForm::kText},
    {"data.EnumSet", CellForm::kText},
    {"data.Json", CellForm::kText},
    {"data.Uuid", CellForm::kText},
    {"data.Xml", CellForm::kText},
    {"data.VariableScaleDecimal", CellForm::kVariableDecimal},
    {"data.geometry.Point", CellForm::kPoint},
    {"data.geometry.Geometry", CellForm::kGeometry},
    {"data.geometry.Geography", CellForm::kGeometry},
};

std::string sized(const char* type, int size) { return std::string(type) + "(" + std::to_string(size) + ")"; }

/// With the source's digits of a second where they are known. The source's length tells them, unless it has a scale.
std::string with_fraction(const char* type, const mr_schema& schema) {
  const int digits = number_of(parameter_of(schema, "__debezium.source.column.scale"), source_length(schema));
  return sized(type, digits > 0 && digits <= 6 ? digits : 6);
}

/// ENUM('a','b') of the parameter `allowed`, whose commas within a value have a backslash before them.
std::string with_members(const char* type, const mr_schema& schema) {
  const std::string_view allowed = parameter_of(schema, "allowed");
  if (allowed.empty()) return "";
  std::string out = std::string(type) + "('";
  for (size_t i = 0; i < allowed.size(); ++i) {
    if (allowed[i] == '\\' && i + 1 < allowed.size() && allowed[i + 1] == ',') {
      out += allowed[++i];
    } else if (allowed[i] == ',') {
      out += "','";
    } else {
      if (allowed[i] == '\'' || allowed[i] == '\\') out += allowed[i];
      out += allowed[i];
    }
  }
  return out + "')";
}

std::string text_type(const mr_schema& schema, bool key) {
  const std::string type = source_type(schema);
  const int length = source_length(schema);
  if (key) return sized("VARCHAR", length > 0 ? std::min(length, kKeyCharactersMax) : 255);
  if (type == "CHAR" && length > 0 && length <= 255) return sized("CHAR", length);
  if (type == "VARCHAR" && length > 0 && length <= kVarcharMax) return sized("VARCHAR", length);
  if (type == "TINYTEXT" || type == "TEXT" || type == "MEDIUMTEXT" || type == "JSON") return type;
  return "LONGTEXT";
}

std::string bytes_type(const mr_schema& schema, bool key) {
  const std::string type = source_type(schema);
  const int length = source_length(schema);
  if (type == "BINARY" && length > 0 && length <= 255) return sized("BINARY", length);
  if (key) return sized("VARBINARY", length > 0 ? std::min(length, kKeyCharactersMax) : 255);
  if (type == "VARBINARY" && length > 0 && length <= kVarbinaryMax) return sized("VARBINARY", length);
  if (type == "TINYBLOB" || type == "BLOB" || type == "MEDIUMBLOB") return type;
  return "LONGBLOB";
}

std::string integer_type(const mr_schema& schema) {
  static constexpr std::string_view kIntegers[] = {"TINYINT", "SMALLINT", "MEDIUMINT", "INT", "BIGINT"};
  std::string type = source_type(schema);
  if (type.ends_with(" ZEROFILL")) type.resize(type.size() - 9);
  for (const std::string_view integer : kIntegers) {
    if (type == integer || type == std::string(integer) + " UNSIGNED") return type;
  }
  switch (schema.type) {
    case MR_BOOLEAN:
      return "TINYINT(1)";
    case MR_INT8:
      return "TINYINT";
    case MR_INT16:
      return "SMALLINT";
    case MR_INT32:
      return "INT";
    default:
      return "BIGINT";
  }
}

std::string decimal_type(const mr_schema& schema) {
  const int scale = std::clamp(number_of(parameter_of(schema, "scale"), 0), 0, kDecimalScaleMax);
  const int digits = number_of(parameter_of(schema, "connect.decimal.precision"), source_length(schema));
  const bool known = digits >= std::max(scale, 1) && digits <= kDecimalDigitsMax;
  return "DECIMAL(" + std::to_string(known ? digits : kDecimalDigitsMax) + "," + std::to_string(scale) + ")";
}

std::string plain_type(const mr_schema& schema, bool key) {
  const std::string_view name = sdk::view(schema.name);
  if (name == "org.apache.kafka.connect.data.Decimal") return decimal_type(schema);
  if (name == "org.apache.kafka.connect.data.Date") return "DATE";
  if (name == "org.apache.kafka.connect.data.Time") return with_fraction("TIME", schema);
  if (name == "org.apache.kafka.connect.data.Timestamp") return with_fraction("DATETIME", schema);
  switch (schema.type) {
    case MR_STRING:
      return text_type(schema, key);
    case MR_BYTES:
      return bytes_type(schema, key);
    case MR_FLOAT32:
      return "FLOAT";
    case MR_FLOAT64:
      return "DOUBLE";
    default:
      return schema.type < MR_FLOAT32 ? integer_type(schema) : "";
  }
}

std::string semantic_type(std::string_view name, CellForm form, const mr_schema& schema, bool key) {
  switch (form) {
    case CellForm::kEventDate:
    case CellForm::kIsoDate:
      return "DATE";
    case CellForm::kTimeMillis:
    case CellForm::kTimeMicros:
    case CellForm::kTimeNanos:
    case CellForm::kZonedTime:
    case CellForm::kIsoTime:
      return with_fraction("TIME", schema);
    case CellForm::kBits: {
      const int bits = number_of(parameter_of(schema, "length"), 0);
      return bits >= 1 && bits <= 64 ? sized("BIT", bits) : "BIT(64)";
    }
    case CellForm::kVariableDecimal:
      return "DECIMAL(65,30)";
    case CellForm::kPoint:
      return "POINT";
    case CellForm::kGeometry:
      return "GEOMETRY";
    case CellForm::kInt:
      return name == "time.Year" ? "YEAR" : "BIGINT";
    case CellForm::kMicroDuration:
    case CellForm::kNanoDuration:
      return "BIGINT";
    case CellForm::kText:
      break;
    default:
      return with_fraction("DATETIME", schema);
  }
  if (name == "data.Uuid") return "CHAR(36)";
  if (name == "data.Json" && !key) return "JSON";
  std::string listed;
  if (name == "data.Enum") listed = with_members("ENUM", schema);
  if (name == "data.EnumSet") listed = with_members("SET", schema);
  return listed.empty() ? text_type(schema, key) : listed;
}

}  // namespace

std::string_view semantic_name(const mr_schema& schema) {
  const std::string_view name = sdk::view(schema.name);
  return name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : std::string_view();
}

int number_of(std::string_view text, int otherwise) {
  int number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  return !text.empty() && parsed.ec == std::errc() ? number : otherwise;
}

std::string source_type(const mr_schema& schema) {
  std::string type(parameter_of(schema, "__debezium.source.column.type"));
  for (char& c : type) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return type;
}

int source_length(const mr_schema& schema) {
  return number_of(parameter_of(schema, "__debezium.source.column.length"), 0);
}

std::string_view parameter_of(const mr_schema& schema, std::string_view key) {
  for (size_t i = 0; i < schema.parameter_count; ++i) {
    if (sdk::view(schema.parameters[i].key) == key) return sdk::view(schema.parameters[i].value);
  }
  return {};
}

bool debezium_form(const mr_schema& schema, CellForm& form) {
  const std::string_view name = semantic_name(schema);
  for (const TypeName& type : kTypes) {
    if (type.name != name) continue;
    form = type.form;
    return true;
  }
  if (schema.type != MR_INT64 || !source_type(schema).starts_with("BIGINT UNSIGNED")) return false;
  form = CellForm::kUnsigned;  // the source counts on from 2^63 with negative numbers
  return true;
}

std::string debezium_column_type(const mr_schema& schema, bool key) {
  CellForm form{};
  const std::string_view name = semantic_name(schema);
  return !name.empty() && debezium_form(schema, form) ? semantic_type(name, form, schema, key)
                                                      : plain_type(schema, key);
}

}  // namespace millrace::jdbc
