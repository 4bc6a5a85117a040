#include "connectors/mariadb/types/column_type.h"

#include <optional>
#include <string>

namespace millrace::mariadb {
namespace {

struct Word {
  std::string_view name;
  Family family;
};
constexpr Word kWords[] = {
    {"BOOL", Family::kBoolean},
    {"BOOLEAN", Family::kBoolean},
    {"TINYINT", Family::kTinyInt},
    {"INT1", Family::kTinyInt},
    {"SMALLINT", Family::kSmallInt},
    {"INT2", Family::kSmallInt},
    {"MEDIUMINT", Family::kMediumInt},
    {"INT3", Family::kMediumInt},
    {"MIDDLEINT", Family::kMediumInt},
    {"INT", Family::kInt},
    {"INTEGER", Family::kInt},
    {"INT4", Family::kInt},
    {"BIGINT", Family::kBigInt},
    {"INT8", Family::kBigInt},
    {"SERIAL", Family::kBigInt},
    {"FLOAT", Family::kFloat},
    {"FLOAT4", Family::kFloat},
    {"REAL", Family::kFloat},
    {"DOUBLE", Family::kDouble},
    {"DOUBLE PRECISION", Family::kDouble},
    {"FLOAT8", Family::kDouble},
    {"DECIMAL", Family::kDecimal},
    {"DEC", Family::kDecimal},
    {"NUMERIC", Family::kDecimal},
    {"FIXED", Family::kDecimal},
    {"NUMBER", Family::kDecimal},
    {"BIT", Family::kBit},
    {"CHAR", Family::kText},
    {"CHARACTER", Family::kText},
    {"VARCHAR", Family::kText},
    {"VARCHAR2", Family::kText},
    {"VARCHARACTER", Family::kText},
    {"CHAR VARYING", Family::kText},
    {"CHARACTER VARYING", Family::kText},
    {"TINYTEXT", Family::kText},
    {"TEXT", Family::kText},
    {"MEDIUMTEXT", Family::kText},
    {"LONGTEXT", Family::kText},
    {"LONG", Family::kText},
    {"LONG VARCHAR", Family::kText},
    {"CLOB", Family::kText},
    {"XMLTYPE", Family::kText},
    {"BINARY", Family::kBinary},
    {"VARBINARY", Family::kBinary},
    {"RAW", Family::kBinary},
    {"CHAR BYTE", Family::kBinary},
    {"VARCHAR BYTE", Family::kBinary},
    {"TINYBLOB", Family::kBinary},
    {"BLOB", Family::kBinary},
    {"MEDIUMBLOB", Family::kBinary},
    {"LONGBLOB", Family::kBinary},
    {"LONG VARBINARY", Family::kBinary},
    {"DATE", Family::kDate},
    {"TIME", Family::kTime},
    {"DATETIME", Family::kDateTime},
    {"TIMESTAMP", Family::kTimestamp},
    {"YEAR", Family::kYear},
    {"ENUM", Family::kEnum},
    {"SET", Family::kSet},
    {"JSON", Family::kJson},
    {"UUID", Family::kUuid},
    {"INET4", Family::kInet4},
    {"INET6", Family::kInet6},
    {"VECTOR", Family::kVector},
    {"POINT", Family::kPoint},
    {"GEOMETRY", Family::kGeometry},
    {"LINESTRING", Family::kGeometry},
    {"POLYGON", Family::kGeometry},
    {"MULTIPOINT", Family::kGeometry},
    {"MULTILINESTRING", Family::kGeometry},
    {"MULTIPOLYGON", Family::kGeometry},
    {"GEOMETRYCOLLECTION", Family::kGeometry},
    {"GEOMCOLLECTION", Family::kGeometry},
};

constexpr std::string_view kUnsigned = " UNSIGNED";
constexpr std::string_view kAttributes[] = {" ZEROFILL", kUnsigned, " SIGNED", " COMPRESSED"};

/// "INT UNSIGNED ZEROFILL" to "INT".
std::string bare_name(std::string_view text, bool& is_unsigned) {
  std::string name;
  for (int depth = 0; const char c : text) {  // no "(10,2)"
    depth += c == '(' ? 1 : 0;
    if (depth == 0) name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    depth -= c == ')' ? 1 : 0;
  }
  for (bool found = true; found;) {
    found = false;
    for (const std::string_view attribute : kAttributes) {
      if (!name.ends_with(attribute)) continue;
      name.resize(name.size() - attribute.size());
      is_unsigned |= attribute == kUnsigned || attribute == " ZEROFILL";
      found = true;
    }
  }
  return name;
}

std::optional<Family> declared_family(std::string_view name) {
  for (const Word& word : kWords)
    if (word.name == name) return word.family;
  if (name.starts_with("NATIONAL") || name.starts_with("NCHAR") || name == "NVARCHAR") return Family::kText;
  return std::nullopt;
}

Family wire_family(const WireColumn& wire) {
  const Family characters = wire.collation == 63 ? Family::kBinary : Family::kText;
  switch (wire.type) {
    case 1:
      return Family::kTinyInt;
    case 2:
      return Family::kSmallInt;
    case 9:
      return Family::kMediumInt;
    case 3:
      return Family::kInt;
    case 8:
      return Family::kBigInt;
    case 4:
      return Family::kFloat;
    case 5:
      return Family::kDouble;
    case 246:
      return Family::kDecimal;
    case 16:
      return Family::kBit;
    case 10:
    case 14:
      return Family::kDate;
    case 11:
    case 19:
      return Family::kTime;
    case 12:
    case 18:
      return Family::kDateTime;
    case 7:
    case 17:
      return Family::kTimestamp;
    case 13:
      return Family::kYear;
    case 247:
      return Family::kEnum;
    case 248:
      return Family::kSet;
    case 255:
      return wire.geometry == 1 ? Family::kPoint : Family::kGeometry;
    case 15:
    case 141:
    case 140:
    case 252:
    case 254:
      return characters;
    default:
      return Family::kBinary;
  }
}

void fill_from_wire(const WireColumn& wire, ColumnType& type) {
  if (type.family == Family::kDecimal && type.length < 0) {
    type.length = wire.metadata >> 8;
    type.scale = wire.metadata & 0xff;
  }
  const bool has_fsp = wire.type == 17 || wire.type == 18 || wire.type == 19;
  if (has_fsp && type.length < 0) type.length = wire.metadata;
}

}  // namespace

ColumnType type_of(const ColumnDefinition& column, const WireColumn* wire) {
  constexpr int32_t kJdbcBoolean = 16;
  ColumnType type;
  if (wire != nullptr) type.is_unsigned = wire->is_unsigned;
  const std::string name = bare_name(column.type_name, type.is_unsigned);
  const std::optional<Family> declared = declared_family(name);
  if (column.length) type.length = *column.length;
  if (column.scale) type.scale = *column.scale;
  type.family = column.jdbc_type == kJdbcBoolean ? Family::kBoolean
                : declared                       ? *declared
                : wire != nullptr                ? wire_family(*wire)
                                                 : Family::kBinary;
  if (name == "SERIAL") type.is_unsigned = true;
  if (type.family == Family::kText && column.charset == "binary") type.family = Family::kBinary;
  // FLOAT(7,3) and FLOAT(30) need a double, as Debezium has it; FLOAT alone and FLOAT(24) do not.
  if (type.family == Family::kFloat && (type.scale >= 0 || type.length > 24)) type.family = Family::kDouble;
  if (wire != nullptr) fill_from_wire(*wire, type);
  return type;
}

}  // namespace millrace::mariadb
