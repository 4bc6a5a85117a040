#include "connectors/mariadb/snapshot/table_key.h"
#include "connectors/mariadb/snapshot/cell_text.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "connectors/mariadb/snapshot/field_reader.h"

namespace millrace::mariadb {
namespace {

using Json = nlohmann::json;
using Kind = Cell::Kind;

std::string hex_of(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    hex += kDigits[static_cast<uint8_t>(c) >> 4];
    hex += kDigits[static_cast<uint8_t>(c) & 15];
  }
  return hex;
}

bool only(std::string_view text, std::string_view allowed) {
  return !text.empty() && text.find_first_not_of(allowed) == text.npos;
}

bool is_whole_number(Kind kind) {
  return kind == Kind::kInteger || kind == Kind::kYear || kind == Kind::kBits || kind == Kind::kEnum ||
         kind == Kind::kSet;
}

Json json_of_cell(const Cell& cell) {
  if (cell.kind == Kind::kYear || (cell.kind == Kind::kInteger && !cell.is_unsigned)) return cell.i64;
  if (is_whole_number(cell.kind)) return static_cast<uint64_t>(cell.i64);
  if (cell.kind == Kind::kBytes) return hex_of(cell.text());
  return text_of_cell(cell);
}

/// Like UUID '…': types whose literals are texts of few characters.
bool is_address(const ColumnDefinition& column) {
  return column.type_name.starts_with("UUID") || column.type_name.starts_with("INET");
}

std::optional<std::string> literal_of(const Json& value, Kind kind, const ColumnDefinition& column) {
  if (is_whole_number(kind)) return value.is_number_integer() ? std::optional(value.dump()) : std::nullopt;
  if (!value.is_string()) return std::nullopt;
  const auto& text = value.get_ref<const std::string&>();
  switch (kind) {
    case Kind::kFloat:
    case Kind::kDouble:
      return only(text, "0123456789.eE+-") ? std::optional(text) : std::nullopt;
    case Kind::kDecimal:
    case Kind::kDecimalText:
      return only(text, "0123456789.-") ? std::optional(text) : std::nullopt;
    case Kind::kDate:
    case Kind::kDateTime:
    case Kind::kTimestamp:
    case Kind::kTime:
      return only(text, "0123456789-: .") ? std::optional("'" + text + "'") : std::nullopt;
    case Kind::kBytes:
      return text.empty() || only(text, "0123456789ABCDEF") ? std::optional("X'" + text + "'") : std::nullopt;
    default:
      if (is_address(column)) {
        return only(text, "0123456789abcdefABCDEF:.-") ? std::optional("'" + text + "'") : std::nullopt;
      }
      return "_utf8mb4 X'" + hex_of(text) + "'";
  }
}

}  // namespace

TableKey::TableKey(const TableDefinition& table, std::span<const std::string> columns) {
  for (const std::string& name : columns) {
    const ColumnDefinition* column = table.find(name);
    if (column == nullptr) {
      columns_.clear();
      return;
    }
    columns_.push_back({static_cast<size_t>(column - table.columns.data()), column, cell_kind(*column)});
  }
}

std::string TableKey::order_by(bool descending) const {
  std::string text;
  for (const Column& column : columns_) {
    text += (text.empty() ? "" : ", ") + mariadb::quoted(column.definition->name) + (descending ? " DESC" : "");
  }
  return text;
}

std::string TableKey::select_list() const {
  std::string text;
  for (const Column& column : columns_) text += (text.empty() ? "" : ", ") + select_expression(*column.definition);
  return text;
}

std::string TableKey::json_of(std::span<const Cell> cells, bool whole_row) const {
  Json key = Json::array();
  for (size_t i = 0; i < columns_.size(); ++i) key.push_back(json_of_cell(cells[whole_row ? columns_[i].index : i]));
  return key.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string TableKey::json_of_row(std::span<const Cell> row) const { return json_of(row, true); }

Result<std::string> TableKey::json_of_fields(std::span<const RowStream::Field> fields) const {
  std::vector<Cell> cells(columns_.size());
  for (size_t i = 0; i < columns_.size(); ++i) {
    const FieldReader reader(*columns_[i].definition, FieldForm::kExpression);
    if (!reader.read(fields[i].data, fields[i].size, cells[i])) return reader.refused({fields[i].data, fields[i].size});
  }
  return json_of(cells, false);
}

Result<std::vector<std::string>> TableKey::literals(std::string_view json) const {
  const Status bad(Code::kBadRecord, "the stored key " + std::string(json) + " does not fit the columns " + order_by());
  const Json key = Json::parse(json, nullptr, false);
  if (!key.is_array() || key.size() != columns_.size()) return bad;
  std::vector<std::string> literals;
  for (size_t i = 0; i < columns_.size(); ++i) {
    auto literal = literal_of(key[i], columns_[i].kind, *columns_[i].definition);
    if (!literal) return bad;
    literals.push_back(std::move(*literal));
  }
  return literals;
}

std::string TableKey::compare(std::span<const std::string> literals, std::string_view last) const {
  // (a > 1) OR (a = 1 AND b > 2): unlike (a, b) > (1, 2) this is a range of the index to the optimizer.
  std::string text, equal;
  for (size_t i = 0; i < columns_.size(); ++i) {
    const std::string name = mariadb::quoted(columns_[i].definition->name);
    const std::string_view sign = i + 1 == columns_.size() ? last : last.substr(0, 1);
    text += (i == 0 ? "(" : " OR (") + equal + name + " " + std::string(sign) + " " + literals[i] + ")";
    equal += name + " = " + literals[i] + " AND ";
  }
  return "(" + text + ")";
}

Result<std::string> TableKey::after(std::string_view json) const {
  auto values = literals(json);
  return values.ok() ? Result<std::string>(compare(values.value(), ">")) : values.status();
}

Result<std::string> TableKey::up_to(std::string_view json) const {
  auto values = literals(json);
  return values.ok() ? Result<std::string>(compare(values.value(), "<=")) : values.status();
}

Result<std::string> TableKey::equal(std::string_view json) const {
  auto values = literals(json);
  if (!values.ok()) return values.status();
  std::string text;
  for (size_t i = 0; i < columns_.size(); ++i) {
    text += (i == 0 ? "" : " AND ") + mariadb::quoted(columns_[i].definition->name) + " = " + values.value()[i];
  }
  return "(" + text + ")";
}

std::string key_for_people(std::string_view json) {
  const Json key = Json::parse(json, nullptr, false);
  std::string text;
  if (!key.is_array()) return text;
  for (const Json& value : key) {
    if (!text.empty()) text += ',';
    text += value.is_string() ? value.get<std::string>() : value.dump();
  }
  return text;
}

Result<std::optional<std::string>> index_of_key(Connection& connection, const TableId& table,
                                                std::span<const std::string> columns) {
  const auto text = [&](const std::string& name) { return "_utf8mb4 X'" + hex_of(name) + "'"; };
  auto rows = connection.query(
      "SELECT INDEX_NAME, COLUMN_NAME, SUB_PART, NULLABLE FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = " +
      text(table.database) + " AND TABLE_NAME = " + text(table.table) +
      " AND NON_UNIQUE = 0 ORDER BY INDEX_NAME = 'PRIMARY' DESC, INDEX_NAME, SEQ_IN_INDEX");
  if (!rows.ok()) return rows.status();
  std::optional<std::string> none;
  for (size_t begin = 0, end = 0; begin < rows->size(); begin = end) {
    const auto& name = rows.value()[begin][0];
    bool fits = true;
    for (end = begin; end < rows->size() && rows.value()[end][0] == name; ++end) {
      const SqlRow& part = rows.value()[end];
      fits = fits && end - begin < columns.size() && part[1] == columns[end - begin] && !part[2] && part[3] != "YES";
    }
    if (fits && end - begin == columns.size() && !columns.empty()) return name;
  }
  return none;
}

namespace {
std::string from_where(const ChunkQuery& query) {
  std::string sql = " FROM " + sql_name(query.table->id);
  if (!query.index.empty()) sql += " FORCE INDEX (" + mariadb::quoted(query.index) + ")";
  for (size_t i = 0; i < query.conditions.size(); ++i) sql += (i == 0 ? " WHERE " : " AND ") + query.conditions[i];
  return sql;
}
}  // namespace

std::string ChunkQuery::sql() const {
  std::string list;
  for (const ColumnDefinition& column : table->columns) list += (list.empty() ? "" : ", ") + select_expression(column);
  std::string sql = "SELECT " + list + from_where(*this);
  if (key != nullptr && !key->empty()) sql += " ORDER BY " + key->order_by();
  if (limit != 0) sql += " LIMIT " + std::to_string(limit);
  return sql;
}

std::string boundary_sql(const ChunkQuery& query, uint64_t distance) {
  return "SELECT " + query.key->select_list() + from_where(query) + " ORDER BY " + query.key->order_by() +
         " LIMIT 1 OFFSET " + std::to_string(distance);
}

std::string maximum_key_sql(const ChunkQuery& query) {
  return "SELECT " + query.key->select_list() + from_where(query) + " ORDER BY " + query.key->order_by(true) +
         " LIMIT 1";
}

std::string sql_name(const TableId& table) {
  return mariadb::quoted(table.database) + "." + mariadb::quoted(table.table);
}

}  // namespace millrace::mariadb
