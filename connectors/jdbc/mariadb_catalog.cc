/// What a MariaDB session knows of tables and columns, from information_schema.
#include <algorithm>

#include "connectors/jdbc/mariadb_session.h"

namespace millrace::jdbc {
namespace {

constexpr std::string_view kSelectColumns =
    "SELECT TABLE_NAME, COLUMN_NAME, IS_NULLABLE, EXTRA, COLUMN_KEY FROM information_schema.COLUMNS WHERE ";

ColumnInfo column_info(const Session::Row& row) {
  return {row[1].value_or(""), row[2].value_or("") == "YES",
          lower(row[3].value_or("")).find("auto_increment") != std::string::npos, row[4].value_or("") == "PRI"};
}

}  // namespace

Result<std::vector<TableId>> MariaDbSession::tables(const TableScope& scope, const std::vector<std::string>& types) {
  std::string sql = "SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES WHERE TABLE_TYPE IN ('-'";
  for (const std::string& type : types) {
    if (lower(type) == "table") sql += ",'BASE TABLE'";
    if (lower(type) == "view") sql += ",'VIEW'";
    if (lower(type) == "system table") sql += ",'SYSTEM VIEW'";
  }
  sql += ")";
  if (scope.catalog.has_value()) {
    sql += " AND TABLE_SCHEMA='" + escaped(*scope.catalog) + "'";
  } else {
    sql += " AND TABLE_SCHEMA NOT IN ('information_schema','performance_schema')";
  }
  auto rows = query(sql + " ORDER BY TABLE_SCHEMA, TABLE_NAME");
  if (!rows.ok()) return rows.status();
  std::vector<TableId> tables;
  for (const Row& row : *rows) tables.push_back({row[0].value_or(""), "", row[1].value_or("")});
  return tables;
}

Result<std::vector<ColumnInfo>> MariaDbSession::columns(const TableId& table) {
  auto rows = query(std::string(kSelectColumns) + "TABLE_SCHEMA=" +
                    (table.catalog.empty() ? std::string("DATABASE()") : "'" + escaped(table.catalog) + "'") +
                    " AND TABLE_NAME='" + escaped(table.table) + "' ORDER BY ORDINAL_POSITION");
  if (!rows.ok()) return rows.status();
  std::vector<ColumnInfo> columns;
  for (const Row& row : *rows) columns.push_back(column_info(row));
  return columns;
}

Result<Session::ColumnsByTable> MariaDbSession::columns_of(std::span<const TableId> tables) {
  // The server looks one table up at once, but walks through the whole database for a list of them.
  constexpr size_t kFew = 8;
  if (tables.size() <= kFew) return Session::columns_of(tables);
  std::map<std::string, std::string> lists;  // by database
  for (const TableId& table : tables) {
    std::string& list = lists[table.catalog];
    list += (list.empty() ? "'" : ",'") + escaped(table.table) + "'";
  }
  ColumnsByTable found;
  for (const auto& [catalog, list] : lists) {
    auto rows = query(std::string(kSelectColumns) +
                      "TABLE_SCHEMA=" + (catalog.empty() ? std::string("DATABASE()") : "'" + escaped(catalog) + "'") +
                      " AND TABLE_NAME IN (" + list + ") ORDER BY TABLE_NAME, ORDINAL_POSITION");
    if (!rows.ok()) return rows.status();
    for (const Row& row : *rows) found[{catalog, "", row[0].value_or("")}].push_back(column_info(row));
  }
  return found;
}

std::string MariaDbSession::is_table(const TableId& table) const {
  return "TABLE_SCHEMA=" + (table.catalog.empty() ? std::string("DATABASE()") : "'" + escaped(table.catalog) + "'") +
         " AND TABLE_NAME='" + escaped(table.table) + "'";
}

Status MariaDbSession::check_transactional(const TableId& table) {
  auto engine = query(
      "SELECT ENGINE, TRANSACTIONS FROM information_schema.TABLES JOIN information_schema.ENGINES USING (ENGINE) "
      "WHERE " +
      is_table(table));
  if (!engine.ok()) return engine.status();
  if (engine->empty() || engine->front()[1] != "NO") return sdk::ok();
  const std::string name = (table.catalog.empty() ? "" : table.catalog + ".") + table.table;
  return {Code::kInvalidConfig,
          "table " + name + " has the engine " + engine->front()[0].value_or("") +
              ", which keeps rows whose transaction is undone, so they could come twice; run ALTER "
              "TABLE " +
              name + " ENGINE=InnoDB, or set millrace.exactly.once=false"};
}

Result<std::string> MariaDbSession::table_type(const TableId& table) {
  auto rows = query("SELECT TABLE_TYPE FROM information_schema.TABLES WHERE " + is_table(table));
  if (!rows.ok()) return rows.status();
  if (rows->empty()) return std::string();
  const std::string type = rows->at(0).at(0).value_or("");
  return type == "BASE TABLE" ? std::string("TABLE") : type;
}

}  // namespace millrace::jdbc
