/// What a PostgreSQL session knows of tables and columns, from the server's catalog.
#include <algorithm>

#include "connectors/jdbc/postgres_session.h"

namespace millrace::jdbc {
namespace {

/// JDBC's table types by relkind; whether the table is the server's own is asked of its schema.
struct TableKind {
  std::string_view type;
  char kind;
  bool system;
};
constexpr TableKind kTableKinds[] = {
    {"TABLE", 'r', false},         {"PARTITIONED TABLE", 'p', false}, {"VIEW", 'v', false},
    {"FOREIGN TABLE", 'f', false}, {"MATERIALIZED VIEW", 'm', false}, {"SYSTEM TABLE", 'r', true},
    {"SYSTEM VIEW", 'v', true}};

constexpr std::string_view kSystemSchema = "(n.nspname ~ '^pg_' OR n.nspname = 'information_schema')";

constexpr std::string_view kSelectColumns =
    "SELECT n.nspname, c.relname, a.attname, a.attnotnull OR (t.typtype='d' AND t.typnotnull), a.attidentity<>'' OR "
    "coalesce(pg_catalog.pg_get_expr(d.adbin,d.adrelid) LIKE '%nextval(%',false), "
    "coalesce(a.attnum=ANY(i.indkey),false) "
    "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid=c.relnamespace "
    "JOIN pg_catalog.pg_attribute a ON a.attrelid=c.oid AND a.attnum>0 AND NOT a.attisdropped "
    "JOIN pg_catalog.pg_type t ON t.oid=a.atttypid "
    "LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid=a.attrelid AND d.adnum=a.attnum "
    "LEFT JOIN pg_catalog.pg_index i ON i.indrelid=c.oid AND i.indisprimary WHERE c.relkind IN "
    "('r','p','v','m','f') AND ";

ColumnInfo column_info(const Session::Row& row) {
  return {row[2].value_or(""), row[3] != "t", row[4] == "t", row[5] == "t"};
}

}  // namespace

Status PgSession::complete(TableId& table) {
  if (!table.schema.empty() && !table.catalog.empty()) return sdk::ok();
  auto rows = query("SELECT pg_catalog.current_database(), coalesce(pg_catalog.current_schema(),'public')");
  if (!rows.ok()) return rows.status();
  if (table.catalog.empty()) table.catalog = rows->at(0).at(0).value_or("");
  if (table.schema.empty()) table.schema = rows->at(0).at(1).value_or("");
  return sdk::ok();
}

std::string PgSession::relation(const TableId& table) const {
  const std::string name = "c.relname=" + literal(table.table);
  return name + " AND " +
         (table.schema.empty() ? std::string("pg_catalog.pg_table_is_visible(c.oid)")
                               : "n.nspname=" + literal(table.schema));
}

Result<std::vector<TableId>> PgSession::tables(const TableScope& scope, const std::vector<std::string>& types) {
  std::string kinds = "false";
  for (const std::string& type : types) {
    for (const TableKind& kind : kTableKinds) {
      if (lower(type) != lower(kind.type)) continue;
      kinds += " OR (c.relkind='" + std::string(1, kind.kind) + "' AND " + (kind.system ? "" : "NOT ") +
               std::string(kSystemSchema) + ")";
    }
  }
  std::string sql =
      "SELECT n.nspname, c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid=c.relnamespace "
      "WHERE (" +
      kinds + ")";
  if (scope.schema.has_value() && !scope.schema->empty()) sql += " AND n.nspname LIKE " + literal(*scope.schema);
  if (scope.catalog.has_value() && !scope.catalog->empty())
    sql += " AND pg_catalog.current_database()=" + literal(*scope.catalog);
  auto rows = query(sql + " ORDER BY 1, 2");
  if (!rows.ok()) return rows.status();
  std::vector<TableId> tables;
  for (const Row& row : *rows) tables.push_back({"", row[0].value_or(""), row[1].value_or("")});
  return tables;
}

Result<std::vector<ColumnInfo>> PgSession::columns(const TableId& table) {
  auto rows = query(std::string(kSelectColumns) + relation(table) + " ORDER BY a.attnum");
  if (!rows.ok()) return rows.status();
  std::vector<ColumnInfo> columns;
  for (const Row& row : *rows) columns.push_back(column_info(row));
  return columns;
}

Result<Session::ColumnsByTable> PgSession::columns_of(std::span<const TableId> tables) {
  // Names without a schema depend on the search path, one by one.
  const bool full =
      std::none_of(tables.begin(), tables.end(), [](const TableId& table) { return table.schema.empty(); });
  if (!full || tables.size() < 2) return Session::columns_of(tables);
  std::string names;
  for (const TableId& table : tables)
    names += (names.empty() ? "(" : ",(") + literal(table.schema) + "," + literal(table.table) + ")";
  auto rows = query(std::string(kSelectColumns) + "(n.nspname,c.relname) IN (" + names + ") ORDER BY c.oid, a.attnum");
  if (!rows.ok()) return rows.status();
  ColumnsByTable found;
  for (const Row& row : *rows) found[{"", row[0].value_or(""), row[1].value_or("")}].push_back(column_info(row));
  return found;
}

Result<std::string> PgSession::table_type(const TableId& table) {
  auto rows = query(
      "SELECT c.relkind FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid=c.relnamespace WHERE "
      "c.relkind IN ('r','p','v','m','f') AND " +
      relation(table));
  if (!rows.ok()) return rows.status();
  if (rows->empty()) return std::string();
  const std::string kind = rows->at(0).at(0).value_or("");
  for (const TableKind& known : kTableKinds) {
    if (!known.system && kind == std::string(1, known.kind)) return std::string(known.type);
  }
  return kind;
}

}  // namespace millrace::jdbc
