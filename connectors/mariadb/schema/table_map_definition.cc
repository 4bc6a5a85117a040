#include <algorithm>

#include "connectors/mariadb/schema/column_types.h"
#include "connectors/mariadb/schema/reconcile.h"
#include "connectors/mariadb/types/text_decoder.h"

namespace millrace::mariadb {
namespace {

constexpr uint16_t kBinaryCollation = 63;

std::string blob_name(const WireColumn& wire, bool text) {
  const char* const size = wire.metadata == 1   ? "TINY"
                           : wire.metadata == 3 ? "MEDIUM"
                           : wire.metadata == 4 ? "LONG"
                                                : "";
  return std::string(size) + (text ? "TEXT" : "BLOB");
}

/// GEOMETRY_TYPE of the table map.
std::string geometry_name(uint8_t kind) {
  constexpr const char* kNames[] = {"GEOMETRY",   "POINT",           "LINESTRING",   "POLYGON",
                                    "MULTIPOINT", "MULTILINESTRING", "MULTIPOLYGON", "GEOMETRYCOLLECTION"};
  return kNames[kind < std::size(kNames) ? kind : 0];
}

/// Bytes of the longest character.
int32_t character_bytes(std::string_view charset) {
  if (charset == "utf8mb4" || charset == "utf16" || charset == "utf16le" || charset == "utf32") return 4;
  if (charset == "utf8mb3" || charset == "utf8" || charset == "ujis" || charset == "eucjpms") return 3;
  for (const char* two : {"ucs2", "gbk", "big5", "sjis", "cp932", "gb2312", "euckr"})
    if (charset == two) return 2;
  return 1;
}

std::string type_name(const WireColumn& wire) {
  const bool text = wire.collation != kBinaryCollation;
  switch (wire.type) {
    case 1:
      return "TINYINT";
    case 2:
      return "SMALLINT";
    case 3:
      return "INT";
    case 4:
      return "FLOAT";
    case 5:
      return "DOUBLE";
    case 7:
    case 17:
      return "TIMESTAMP";
    case 8:
      return "BIGINT";
    case 9:
      return "MEDIUMINT";
    case 10:
    case 14:
      return "DATE";
    case 11:
    case 19:
      return "TIME";
    case 12:
    case 18:
      return "DATETIME";
    case 13:
      return "YEAR";
    case 15:
    case 141:
      return text ? "VARCHAR" : "VARBINARY";
    case 16:
      return "BIT";
    case 140:
    case 252:
      return blob_name(wire, text);
    case 246:
      return "DECIMAL";
    case 247:
      return "ENUM";
    case 248:
      return "SET";
    case 254:
      return text ? "CHAR" : "BINARY";
    case 255:
      return geometry_name(wire.geometry);
    default:
      return "UNKNOWN";
  }
}

void set_sizes(const WireColumn& wire, ColumnDefinition& column) {
  switch (wire.type) {
    case 15:
    case 141:
    case 254:
      column.length = wire.metadata / (column.charset ? character_bytes(*column.charset) : 1);
      break;
    case 246:
      column.length = wire.metadata >> 8;
      column.scale = wire.metadata & 0xFF;
      break;
    case 17:
    case 18:
    case 19:
      if (wire.metadata != 0) column.length = wire.metadata;
      break;
    case 13:
      column.length = 4;
      break;
    case 247:
      column.length = 1;
      break;
    case 248:
      column.length = std::max(0, static_cast<int32_t>(wire.labels.size()) * 2 - 1);
      break;
    default:
      break;
  }
}

ColumnDefinition column_of(const WireColumn& wire) {
  ColumnDefinition column;
  column.name = wire.name;
  std::string name = type_name(wire);
  const ColumnType* type = find_column_type(name);
  column.jdbc_type = type == nullptr ? jdbc_types::kOther : type->jdbc_type;
  const bool charset = type != nullptr && (type->family == ColumnType::Family::kText || !wire.labels.empty());
  if (charset && wire.collation != 0) column.charset = charset_of_collation(wire.collation);
  set_sizes(wire, column);
  const bool number = type != nullptr && type->family == ColumnType::Family::kNumber && wire.type != 16;
  if (wire.is_unsigned && number) name += " UNSIGNED";
  column.type_name = column.type_expression = name;
  connectors::ByteArena arena;
  const TextDecoder decoder(column.charset.value_or(""));  // the labels have the column's character set
  for (const std::string& label : wire.labels) column.enum_values.emplace_back(decoder.decode(label, arena));
  column.optional = wire.nullable;
  column.has_default = wire.nullable;
  return column;
}

/// What the server adds of its own and SHOW CREATE TABLE does not show.
bool hidden(const WireColumn& wire) {
  const bool versioning = wire.name == "row_start" || wire.name == "row_end";
  return wire.name.starts_with("DB_ROW_HASH_") || (versioning && !wire.nullable);
}

}  // namespace

Result<TableDefinition> from_table_map(const TableMap& map) {
  if (!map.has_names)
    return Status(Code::kBadRecord, "The binlog does not name the columns of table " + map.table.full() +
                                        ": set binlog_row_metadata=FULL on the server");
  TableDefinition table;
  table.id = map.table;
  for (const WireColumn& wire : map.columns) {
    if (hidden(wire)) continue;
    table.columns.push_back(column_of(wire));
    table.columns.back().position = static_cast<int32_t>(table.columns.size());
  }
  for (const uint32_t at : map.primary_key)
    if (at < map.columns.size() && table.find(map.columns[at].name) != nullptr)
      table.primary_key.push_back(map.columns[at].name);
  return table;
}

}  // namespace millrace::mariadb
