#include "connectors/mariadb/schema/history/history_json.h"

#include "connectors/mariadb/schema/ddl_lexer.h"

namespace millrace::mariadb {
namespace {

/// "db"."table"
std::string quoted_id(const TableId& id) { return "\"" + id.database + "\".\"" + id.table + "\""; }

std::optional<TableId> id_of(const std::string& text) {
  const size_t middle = text.find("\".\"");
  if (text.size() < 5 || middle == std::string::npos || text.front() != '"' || text.back() != '"') return std::nullopt;
  return TableId{text.substr(1, middle - 1), text.substr(middle + 3, text.size() - middle - 4)};
}

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

/// length, scale and defaultValueExpression are left out when there are none; charsetName and comment are null.
Json column_json(const ColumnDefinition& column) {
  Json json = {{"name", column.name},
               {"jdbcType", column.jdbc_type},
               {"typeName", column.type_name},
               {"typeExpression", column.type_expression},
               {"charsetName", or_null(column.charset)}};
  if (column.length) json["length"] = *column.length;
  if (column.scale) json["scale"] = *column.scale;
  json["position"] = column.position;
  json["optional"] = column.optional;
  json["autoIncremented"] = column.auto_incremented;
  json["generated"] = column.generated;
  json["comment"] = or_null(column.comment);
  json["hasDefaultValue"] = column.has_default;
  // Debezium keeps texts as they stood between the quotes of SHOW CREATE TABLE.
  if (column.default_expression) json["defaultValueExpression"] = escape_literal(*column.default_expression);
  Json& labels = json["enumValues"] = Json::array();
  for (const std::string& label : column.enum_values) labels.push_back("'" + escape_literal(label) + "'");
  return json;
}

template <class T>
std::optional<T> maybe(const Json& json, const char* key) {
  const auto at = json.find(key);
  if (at == json.end() || at->is_null()) return std::nullopt;
  return at->get<T>();
}

ColumnDefinition column_of(const Json& json) {
  ColumnDefinition column;
  column.name = json.at("name").get<std::string>();
  column.jdbc_type = json.at("jdbcType").get<int32_t>();
  column.type_name = json.at("typeName").get<std::string>();
  column.type_expression = maybe<std::string>(json, "typeExpression").value_or(column.type_name);
  column.charset = maybe<std::string>(json, "charsetName");
  column.length = maybe<int32_t>(json, "length");
  column.scale = maybe<int32_t>(json, "scale");
  column.position = json.at("position").get<int32_t>();
  column.optional = json.at("optional").get<bool>();
  column.auto_incremented = json.at("autoIncremented").get<bool>();
  column.generated = json.at("generated").get<bool>();
  column.comment = maybe<std::string>(json, "comment");
  if (std::optional<std::string> text = maybe<std::string>(json, "defaultValueExpression"))
    column.default_expression = unescape_literal(*text, '\'');
  // The schema change topic does not say it.
  column.has_default = maybe<bool>(json, "hasDefaultValue").value_or(column.optional || column.default_expression);
  for (const std::string& label :
       maybe<std::vector<std::string>>(json, "enumValues").value_or(std::vector<std::string>())) {
    std::string_view inside = label;
    if (inside.size() >= 2 && inside.front() == '\'' && inside.back() == '\'')
      inside = inside.substr(1, inside.size() - 2);
    column.enum_values.push_back(unescape_literal(inside, '\''));
  }
  return column;
}

const char* type_text(TableChange::Type type) {
  switch (type) {
    case TableChange::Type::kCreate:
      return "CREATE";
    case TableChange::Type::kAlter:
      return "ALTER";
    case TableChange::Type::kDrop:
      break;
  }
  return "DROP";
}

TableDefinition table_of(const TableId& id, const Json& json) {
  TableDefinition table;
  table.id = id;
  table.default_charset = maybe<std::string>(json, "defaultCharsetName");
  table.primary_key =
      maybe<std::vector<std::string>>(json, "primaryKeyColumnNames").value_or(std::vector<std::string>());
  for (const Json& column : json.at("columns")) table.columns.push_back(column_of(column));
  table.comment = maybe<std::string>(json, "comment");
  return table;
}

}  // namespace

Json table_change_json(const TableChange& change) {
  Json json = {{"type", type_text(change.type)}, {"id", quoted_id(change.id)}};
  if (change.previous_id) json["previousId"] = quoted_id(*change.previous_id);
  if (!change.table) return json;
  Json columns = Json::array();
  for (const ColumnDefinition& column : change.table->columns) columns.push_back(column_json(column));
  json["table"] = {{"defaultCharsetName", or_null(change.table->default_charset)},
                   {"primaryKeyColumnNames", change.table->primary_key},
                   {"columns", std::move(columns)},
                   {"attributes", Json::array()}};
  json["comment"] = or_null(change.table->comment);
  return json;
}

std::optional<TableChange> table_change_of(const Json& json) try {
  TableChange change;
  const std::string type = json.at("type").get<std::string>();
  change.type = type == "CREATE"  ? TableChange::Type::kCreate
                : type == "ALTER" ? TableChange::Type::kAlter
                                  : TableChange::Type::kDrop;
  std::optional<TableId> id = id_of(json.at("id").get<std::string>());
  if (!id) return std::nullopt;
  change.id = std::move(*id);
  if (const std::optional<std::string> previous = maybe<std::string>(json, "previousId"))
    change.previous_id = id_of(*previous);
  const auto table = json.find("table");
  if (table != json.end() && !table->is_null()) {
    change.table = table_of(change.id, *table);
    if (std::optional<std::string> comment = maybe<std::string>(json, "comment"))
      change.table->comment = std::move(comment);
  }
  return change;
} catch (const Json::exception&) {
  return std::nullopt;
}

}  // namespace millrace::mariadb
