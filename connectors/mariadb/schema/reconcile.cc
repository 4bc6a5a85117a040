#include "connectors/mariadb/schema/reconcile.h"

#include <algorithm>

#include "connectors/mariadb/schema/column_types.h"
#include "connectors/mariadb/schema/ddl_cursor.h"

namespace millrace::mariadb {
namespace {

constexpr uint8_t kLongLong = 8, kTimestamp2 = 17, kDecimal = 246;

bool is_blob(uint8_t type) { return type >= 249 && type <= 252; }

bool same_type(const ColumnDefinition& column, const WireColumn& wire, const TableMap& map) {
  const ColumnType* type = column_type_of(column.type_name);
  if (type == nullptr) return true;  // a type of a newer server
  const bool blob = is_blob(wire.type) && type->wire == 252;
  if (!blob && wire.type != type->wire && wire.type != type->wire_other) return false;
  if (wire.type == kDecimal && column.length && column.scale &&
      wire.metadata != (static_cast<uint32_t>(*column.length) << 8 | static_cast<uint32_t>(*column.scale)))
    return false;
  const bool integer = wire.type <= 3 || wire.type == 8 || wire.type == 9;
  if (map.has_signs && integer && type->family == ColumnType::Family::kNumber)
    return wire.is_unsigned == (column.type_name.find(" UNSIGNED") != std::string::npos);
  return true;
}

bool hidden_name(std::string_view name) {
  return name.starts_with("DB_ROW_HASH_") || name == "row_start" || name == "row_end";
}

/// Whether a column could be one that the server hides, as far as its type says.
bool hidden_type(const WireColumn& wire) {
  return wire.type == kLongLong || (wire.type == kTimestamp2 && wire.metadata == 6);
}

Status disagree(const TableDefinition& definition, const std::string& why) {
  return Status(Code::kBadRecord,
                "The definition of table " + definition.id.full() + " is not that of its row events: " + why);
}

Status wrong_type(const TableDefinition& definition, size_t i, const WireColumn& wire) {
  return disagree(definition, "column " + definition.columns[i].name + " is " + definition.columns[i].type_name +
                                  ", in the binlog it has type " + std::to_string(wire.type));
}

std::string count_text(const TableDefinition& definition, const TableMap& map) {
  return std::to_string(definition.columns.size()) + " columns, " + std::to_string(map.columns.size()) +
         " in the binlog";
}

Result<std::vector<uint32_t>> match_names(const TableDefinition& definition, const TableMap& map) {
  std::vector<uint32_t> match;
  for (uint32_t at = 0; at < map.columns.size(); ++at) {
    const WireColumn& wire = map.columns[at];
    const size_t i = match.size();
    if (i < definition.columns.size() && to_lower(definition.columns[i].name) == to_lower(wire.name)) {
      if (!same_type(definition.columns[i], wire, map)) return wrong_type(definition, i, wire);
      match.push_back(at);
    } else if (!hidden_name(wire.name)) {
      return disagree(definition, "column " + wire.name + " of the binlog is not at its place");
    }
  }
  if (match.size() < definition.columns.size())
    return disagree(definition, "column " + definition.columns[match.size()].name + " is not in the binlog");
  return match;
}

/// Without names hidden columns are those at the end: the server adds them behind the others.
Result<std::vector<uint32_t>> match_places(const TableDefinition& definition, const TableMap& map) {
  const size_t count = definition.columns.size();
  if (map.columns.size() < count) return disagree(definition, count_text(definition, map));
  for (size_t at = count; at < map.columns.size(); ++at)
    if (!hidden_type(map.columns[at])) return disagree(definition, count_text(definition, map));
  std::vector<uint32_t> match;
  for (size_t i = 0; i < count; ++i) {
    if (!same_type(definition.columns[i], map.columns[i], map)) return wrong_type(definition, i, map.columns[i]);
    match.push_back(static_cast<uint32_t>(i));
  }
  return match;
}

}  // namespace

Result<std::vector<uint32_t>> match_columns(const TableDefinition& definition, const TableMap& map) {
  return map.has_names ? match_names(definition, map) : match_places(definition, map);
}

Status reconcile(const TableDefinition& definition, const TableMap& map) {
  const Result<std::vector<uint32_t>> match = match_columns(definition, map);
  return match.ok() ? Status() : match.status();
}

}  // namespace millrace::mariadb
