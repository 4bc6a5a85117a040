#include "connectors/mariadb/schema/column_types.h"

#include <algorithm>

namespace millrace::mariadb {
namespace {

using namespace jdbc_types;
using enum ColumnType::Family;

constexpr ColumnType kTypes[] = {
    {"TINYINT", kSmallint, kNumber, 1},
    {"INT1", kSmallint, kNumber, 1},
    {"BOOL", kBoolean, kNumber, 1},
    {"BOOLEAN", kBoolean, kNumber, 1},
    {"SMALLINT", kSmallint, kNumber, 2},
    {"INT2", kSmallint, kNumber, 2},
    {"MEDIUMINT", kInteger, kNumber, 9},
    {"INT3", kInteger, kNumber, 9},
    {"MIDDLEINT", kInteger, kNumber, 9},
    {"INT", kInteger, kNumber, 3},
    {"INTEGER", kInteger, kNumber, 3},
    {"INT4", kInteger, kNumber, 3},
    {"BIGINT", kBigint, kNumber, 8},
    {"INT8", kBigint, kNumber, 8},
    {"FLOAT", kFloat, kNumber, 4, 5},
    {"FLOAT4", kFloat, kNumber, 4, 5},
    {"DOUBLE", kDouble, kNumber, 5},
    {"DOUBLE PRECISION", kDouble, kNumber, 5},
    {"FLOAT8", kDouble, kNumber, 5},
    {"REAL", kReal, kNumber, 5, 4},
    {"DECIMAL", kDecimal, kNumber, 246, 0, 10, 0},
    {"DEC", kDecimal, kNumber, 246, 0, 10, 0},
    {"FIXED", kDecimal, kNumber, 246, 0, 10, 0},
    {"NUMERIC", kNumeric, kNumber, 246, 0, 10, 0},
    {"NUMBER", kDecimal, kNumber, 246, 5, 10, 0},
    {"BIT", kBit, kNumber, 16, 0, 1},
    {"YEAR", kInteger, kOther, 13},
    {"DATE", kDate, kOther, 10, 14},
    {"TIME", kTime, kOther, 19, 11},
    {"DATETIME", kTimestamp, kOther, 18, 12},
    {"TIMESTAMP", kTimestampWithTimezone, kOther, 17, 7},
    {"CHAR", kChar, kText, 254},
    {"CHARACTER", kChar, kText, 254},
    {"VARCHAR", kVarchar, kText, 15, 141},
    {"VARCHARACTER", kVarchar, kText, 15, 141},
    {"VARCHAR2", kVarchar, kText, 15, 141},
    {"CHAR VARYING", kVarchar, kText, 15, 141},
    {"CHARACTER VARYING", kVarchar, kText, 15, 141},
    {"TINYTEXT", kVarchar, kText, 252, 140},
    {"TEXT", kVarchar, kText, 252, 140},
    {"MEDIUMTEXT", kVarchar, kText, 252, 140},
    {"LONGTEXT", kVarchar, kText, 252, 140},
    {"CLOB", kVarchar, kText, 252, 140},
    {"LONG", kVarchar, kText, 252, 140},
    {"LONG VARCHAR", kVarchar, kText, 252, 140},
    {"LONG VARCHARACTER", kVarchar, kText, 252, 140},
    {"LONG CHAR VARYING", kVarchar, kText, 252, 140},
    {"LONG CHARACTER VARYING", kVarchar, kText, 252, 140},
    {"NCHAR", kNchar, kNationalText, 254},
    {"NATIONAL CHAR", kNchar, kNationalText, 254},
    {"NATIONAL CHARACTER", kNchar, kNationalText, 254},
    {"NVARCHAR", kNvarchar, kNationalText, 15, 141},
    {"NCHAR VARYING", kNvarchar, kNationalText, 15, 141},
    {"NCHAR VARCHAR", kNvarchar, kNationalText, 15, 141},
    {"NCHAR VARCHARACTER", kNvarchar, kNationalText, 15, 141},
    {"NATIONAL VARCHAR", kNvarchar, kNationalText, 15, 141},
    {"NATIONAL VARCHARACTER", kNvarchar, kNationalText, 15, 141},
    {"NATIONAL CHAR VARYING", kNvarchar, kNationalText, 15, 141},
    {"NATIONAL CHARACTER VARYING", kNvarchar, kNationalText, 15, 141},
    {"BINARY", kBinary, kBytes, 254},
    {"VARBINARY", kVarbinary, kBytes, 15, 141},
    {"RAW", kVarbinary, kBytes, 15, 141},
    {"TINYBLOB", kBlob, kBytes, 252, 140},
    {"BLOB", kBlob, kBytes, 252, 140},
    {"MEDIUMBLOB", kBlob, kBytes, 252, 140},
    {"LONGBLOB", kBlob, kBytes, 252, 140},
    {"LONG VARBINARY", kBlob, kBytes, 252, 140},
    {"ENUM", kChar, kLabels, 247},
    {"SET", kChar, kLabels, 248},
    {"JSON", jdbc_types::kOther, kOther, 252, 140},
    {"UUID", jdbc_types::kOther, kOther, 254},
    {"INET4", jdbc_types::kOther, kOther, 254},
    {"INET6", jdbc_types::kOther, kOther, 254},
    {"VECTOR", jdbc_types::kOther, kOther, 15, 252},
    {"GEOMETRY", jdbc_types::kOther, kOther, 255},
    {"POINT", jdbc_types::kOther, kOther, 255},
    {"LINESTRING", jdbc_types::kOther, kOther, 255},
    {"POLYGON", jdbc_types::kOther, kOther, 255},
    {"MULTIPOINT", jdbc_types::kOther, kOther, 255},
    {"MULTILINESTRING", jdbc_types::kOther, kOther, 255},
    {"MULTIPOLYGON", jdbc_types::kOther, kOther, 255},
    {"GEOMETRYCOLLECTION", jdbc_types::kOther, kOther, 255},
    {"GEOMCOLLECTION", jdbc_types::kOther, kOther, 255},
};

}  // namespace

const ColumnType* find_column_type(std::string_view name) {
  const auto* const at =
      std::find_if(std::begin(kTypes), std::end(kTypes), [name](const ColumnType& type) { return type.name == name; });
  return at == std::end(kTypes) ? nullptr : at;
}

const ColumnType* column_type_of(std::string_view type_name) {
  for (const std::string_view suffix : {" ZEROFILL", " UNSIGNED"})
    if (type_name.ends_with(suffix)) type_name.remove_suffix(suffix.size());
  return find_column_type(type_name);
}

}  // namespace millrace::mariadb
