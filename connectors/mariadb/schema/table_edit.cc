#include "connectors/mariadb/schema/table_edit.h"

#include <algorithm>

#include "connectors/mariadb/schema/column_types.h"

namespace millrace::mariadb {
namespace {

using Kind = AlterAction::Kind;
using Columns = std::vector<ColumnDefinition>;

bool same_name(std::string_view a, std::string_view b) { return a == b || to_lower(a) == to_lower(b); }

Columns::iterator find_column(Columns& columns, std::string_view name) {
  return std::find_if(columns.begin(), columns.end(),
                      [name](const ColumnDefinition& column) { return same_name(column.name, name); });
}

bool has_charset(const ColumnDefinition& column) {
  const ColumnType* type = column_type_of(column.type_name);
  return type != nullptr && (type->family == ColumnType::Family::kText || type->family == ColumnType::Family::kLabels ||
                             type->family == ColumnType::Family::kNationalText);
}

ColumnDefinition column_of(const ColumnClause& clause, const TableDefinition& table) {
  ColumnDefinition column = clause.column;
  if (clause.takes_table_charset) column.charset = table.default_charset;
  return column;
}

void not_null(ColumnDefinition& column) {
  column.optional = false;
  if (!column.default_expression) column.has_default = false;
}

void number_columns(TableDefinition& table) {
  int32_t position = 0;
  for (ColumnDefinition& column : table.columns) column.position = ++position;
}

void column_key(const ColumnClause& clause, TableDefinition& table) {
  if (!clause.primary && !clause.unique) return;
  KeyClause key;
  key.primary = clause.primary;
  key.unique = clause.unique;
  key.columns = {clause.column.name};
  add_key(key, table);
}

void rename_in_key(TableDefinition& table, const std::string& from, const std::string& to) {
  for (std::string& column : table.primary_key)
    if (column == from) column = to;
}

/// Puts a column where FIRST or AFTER say, else at `otherwise`.
bool place(const ColumnClause& clause, TableDefinition& table, ColumnDefinition column, size_t otherwise) {
  size_t at = clause.first ? 0 : otherwise;
  if (!clause.after.empty()) {
    const auto after = find_column(table.columns, clause.after);
    if (after == table.columns.end()) return false;
    at = static_cast<size_t>(after - table.columns.begin()) + 1;
  }
  table.columns.insert(table.columns.begin() + static_cast<ptrdiff_t>(at), std::move(column));
  return true;
}

bool add_column(const AlterAction& action, TableDefinition& table) {
  if (find_column(table.columns, action.column.column.name) != table.columns.end()) return action.if_not_exists;
  if (!place(action.column, table, column_of(action.column, table), table.columns.size())) return false;
  column_key(action.column, table);
  return true;
}

bool modify_column(const AlterAction& action, TableDefinition& table) {
  const auto old = find_column(table.columns, action.name);
  if (old == table.columns.end()) return action.if_exists;
  const size_t at = static_cast<size_t>(old - table.columns.begin());
  ColumnDefinition column = column_of(action.column, table);
  const bool in_key =
      std::find(table.primary_key.begin(), table.primary_key.end(), old->name) != table.primary_key.end();
  if (in_key) not_null(column);
  rename_in_key(table, old->name, column.name);
  table.columns.erase(old);
  if (!place(action.column, table, std::move(column), at)) return false;
  column_key(action.column, table);
  return true;
}

bool change_default(const AlterAction& action, TableDefinition& table) {
  const auto column = find_column(table.columns, action.name);
  if (column == table.columns.end()) return action.if_exists;
  column->default_expression = action.column.column.default_expression;
  column->has_default = action.kind == Kind::kSetDefault || column->optional;
  return true;
}

bool drop_column(const AlterAction& action, TableDefinition& table) {
  const auto column = find_column(table.columns, action.name);
  if (column == table.columns.end()) return action.if_exists;
  std::erase(table.primary_key, column->name);
  table.columns.erase(column);
  return true;
}

bool rename_column(const AlterAction& action, TableDefinition& table) {
  const auto column = find_column(table.columns, action.name);
  if (column == table.columns.end()) return action.if_exists;
  rename_in_key(table, column->name, action.new_name);
  column->name = action.new_name;
  return true;
}

/// Nothing: it stays.
std::optional<std::string> charset_of(const TableOptions& options, std::string_view database_charset) {
  if (options.charset || !options.database_charset || database_charset.empty()) return options.charset;
  return std::string(database_charset);
}

void convert_charset(const AlterAction& action, std::string_view database_charset, TableDefinition& table) {
  const std::optional<std::string> charset = charset_of(action.options, database_charset);
  if (!charset) return;  // within the character set
  table.default_charset = charset;
  for (ColumnDefinition& column : table.columns)
    if (has_charset(column)) column.charset = charset;
}

void set_options(const TableOptions& options, std::string_view database_charset, TableDefinition& table) {
  if (const auto charset = charset_of(options, database_charset)) table.default_charset = charset;
  if (options.comment) table.comment = options.comment;
  if (table.comment && table.comment->empty()) table.comment.reset();
}

bool apply_action(const AlterAction& action, std::string_view database_charset, TableDefinition& table) {
  switch (action.kind) {
    case Kind::kAddColumn:
      return add_column(action, table);
    case Kind::kModifyColumn:
      return modify_column(action, table);
    case Kind::kRenameColumn:
      return rename_column(action, table);
    case Kind::kDropColumn:
      return drop_column(action, table);
    case Kind::kSetDefault:
    case Kind::kDropDefault:
      return change_default(action, table);
    case Kind::kAddKey:
      add_key(action.key, table);
      return true;
    case Kind::kDropPrimaryKey:
      table.primary_key.clear();
      return true;
    case Kind::kConvertCharset:
      convert_charset(action, database_charset, table);
      return true;
    case Kind::kOptions:
      set_options(action.options, database_charset, table);
      return true;
    case Kind::kRenameTable:
    case Kind::kNothing:
      break;
  }
  return true;
}

}  // namespace

void add_key(const KeyClause& key, TableDefinition& table) {
  std::vector<ColumnDefinition*> columns;
  for (const std::string& name : key.columns) {
    const auto column = find_column(table.columns, name);
    if (column == table.columns.end()) return;
    columns.push_back(&*column);
  }
  if (!key.primary) {
    const bool nullable = std::any_of(columns.begin(), columns.end(), [](auto* column) { return column->optional; });
    if (!key.unique || columns.empty() || nullable || !table.primary_key.empty()) return;
  }
  table.primary_key.clear();
  for (ColumnDefinition* column : columns) {
    not_null(*column);
    table.primary_key.push_back(column->name);
  }
}

TableDefinition make_table(const CreateTable& statement, std::string_view database_charset) {
  TableDefinition table;
  table.id = statement.id;
  set_options(statement.options, database_charset, table);
  if (!table.default_charset && !database_charset.empty()) table.default_charset = database_charset;
  for (const ColumnClause& clause : statement.columns) table.columns.push_back(column_of(clause, table));
  number_columns(table);
  for (const ColumnClause& clause : statement.columns)
    if (clause.primary) column_key(clause, table);
  for (const KeyClause& key : statement.keys)
    if (key.primary) add_key(key, table);
  for (const ColumnClause& clause : statement.columns)
    if (!clause.primary) column_key(clause, table);
  for (const KeyClause& key : statement.keys)
    if (!key.primary) add_key(key, table);
  return table;
}

bool alter_table(const AlterTable& statement, std::string_view database_charset, TableDefinition& table) {
  TableDefinition edited = table;
  for (const AlterAction& action : statement.actions)
    if (!apply_action(action, database_charset, edited)) return false;
  number_columns(edited);
  table = std::move(edited);
  return true;
}

}  // namespace millrace::mariadb
