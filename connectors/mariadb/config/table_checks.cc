#include <re2/re2.h>

#include <algorithm>
#include <map>
#include <set>

#include "connectors/mariadb/config/server_check_parts.h"

namespace millrace::mariadb {
namespace {

constexpr size_t kMostNames = 8;

/// "a, b and 3 more".
std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (size_t i = 0; i < std::min(names.size(), kMostNames); ++i) text += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > kMostNames) text += " and " + std::to_string(names.size() - kMostNames) + " more";
  return text;
}

std::string at(const SqlRow& row, size_t column) { return column < row.size() ? row[column].value_or("") : ""; }

/// The captured ones; a table with several rows comes once.
std::vector<std::string> captured(const ServerCheck& check, const std::vector<SqlRow>& rows) {
  std::vector<std::string> names;
  for (const SqlRow& row : rows) {
    const TableId table{at(row, 0), at(row, 1)};
    const std::string name = row.size() > 2 ? table.full() + "." + at(row, 2) : table.full();
    if (check.needs.tables.captures(table) && std::find(names.begin(), names.end(), name) == names.end())
      names.push_back(name);
  }
  return names;
}

constexpr const char* kTables =
    "SELECT TABLE_SCHEMA, TABLE_NAME, ENGINE FROM information_schema.TABLES WHERE TABLE_TYPE IN ('BASE TABLE', "
    "'SYSTEM VERSIONED') AND TABLE_SCHEMA NOT IN ('mysql', 'sys', 'performance_schema', 'information_schema') "
    "ORDER BY 1, 2";
constexpr const char* kKeyedTables =
    "SELECT DISTINCT TABLE_SCHEMA, TABLE_NAME FROM (SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.STATISTICS "
    "GROUP BY TABLE_SCHEMA, TABLE_NAME, INDEX_NAME HAVING MAX(NON_UNIQUE) = 0 AND MAX(NULLABLE = 'YES') = 0) "
    "unique_keys";
constexpr const char* kUnsignedBigints =
    "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME FROM information_schema.COLUMNS WHERE DATA_TYPE = 'bigint' AND "
    "COLUMN_TYPE LIKE '%unsigned%' ORDER BY 1, 2, ORDINAL_POSITION";
constexpr const char* kDecimals =
    "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME FROM information_schema.COLUMNS WHERE DATA_TYPE = 'decimal' ORDER BY "
    "1, 2, ORDINAL_POSITION";
// REFERENTIAL_CONSTRAINTS would say the rules, but only to users who may do more than SELECT.
constexpr const char* kChildren =
    "SELECT DISTINCT TABLE_SCHEMA, TABLE_NAME FROM information_schema.KEY_COLUMN_USAGE WHERE REFERENCED_TABLE_NAME IS "
    "NOT NULL ORDER BY 1, 2";
constexpr size_t kMostChildren = 1000;

/// Captured tables whose rows change with their parents'.
std::vector<std::string> cascading_children(ServerCheck& check) {
  static const RE2* const kCascade = new RE2("ON (DELETE|UPDATE) (CASCADE|SET NULL|SET DEFAULT)");
  std::vector<std::string> children;
  size_t asked = 0;
  for (const SqlRow& row : check.rows_if_allowed(kChildren)) {
    const TableId table{at(row, 0), at(row, 1)};
    if (!check.needs.tables.captures(table) || asked++ >= kMostChildren) continue;
    const auto statement =
        check.rows_if_allowed("SHOW CREATE TABLE " + quoted(table.database) + "." + quoted(table.table));
    if (!statement.empty() && RE2::PartialMatch(at(statement[0], 1), *kCascade)) children.push_back(table.full());
  }
  return children;
}

void check_engines(ServerCheck& check, const std::vector<SqlRow>& tables) {
  std::map<std::string, std::vector<SqlRow>> by_engine;
  for (const SqlRow& row : tables) {
    constexpr std::string_view kNotTransactional[] = {"MyISAM", "Aria", "MEMORY", "CSV", "ARCHIVE", "MRG_MyISAM"};
    const std::string engine = at(row, 2);
    if (std::find(std::begin(kNotTransactional), std::end(kNotTransactional), engine) != std::end(kNotTransactional))
      by_engine[engine].push_back({row[0], row[1]});
  }
  for (const auto& [engine, rows] : by_engine) {
    if (const auto names = captured(check, rows); !names.empty()) {
      check.warn("the engine " + engine + " has no transactions, so a snapshot of " + listed(names) +
                     " may repeat rows that change meanwhile",
                 "ALTER TABLE ... ENGINE=InnoDB");
    }
  }
}

void check_keys(ServerCheck& check, const std::vector<SqlRow>& tables) {
  std::set<TableId> keyed;
  for (const SqlRow& row : check.rows_if_allowed(kKeyedTables)) keyed.insert({at(row, 0), at(row, 1)});
  std::vector<SqlRow> without;
  for (const SqlRow& row : tables) {
    if (!keyed.contains({at(row, 0), at(row, 1)})) without.push_back({row[0], row[1]});
  }
  if (const auto names = captured(check, without); !names.empty()) {
    check.warn("no primary key or unique key without NULL: " + listed(names) +
                   "; their records have no key, so they can be neither compacted nor upserted",
               "ALTER TABLE ... ADD PRIMARY KEY (...), or name columns in message.key.columns");
  }
}

}  // namespace

void check_tables(ServerCheck& check) {
  const auto tables = check.rows(kTables, "which tables there are");
  std::vector<SqlRow> names;
  for (const SqlRow& row : tables) {
    if (row.size() >= 2) names.push_back({row[0], row[1]});
  }
  if (captured(check, names).empty()) {
    std::vector<std::string> all;
    for (const SqlRow& row : names) all.push_back(at(row, 0) + "." + at(row, 1));
    check.warn(all.empty() ? "database.user sees no table at all"
                           : "no table matches the lists of databases and tables; there are " + listed(all),
               all.empty() ? "GRANT SELECT ON *.* to the user, or create the tables"
                           : "correct table.include.list and database.include.list: expressions must match the whole "
                             "of database.table");
    return;
  }
  check_engines(check, tables);
  check_keys(check, tables);
  if (const auto children = cascading_children(check); !children.empty()) {
    check.warn("foreign keys change or delete rows of " + listed(children) +
                   " when their parents change; the binlog does not tell, so there are no events",
               "let the application change the children, or ON DELETE RESTRICT");
  }
  if (check.needs.bigint_as_long) {
    if (const auto columns = captured(check, check.rows_if_allowed(kUnsignedBigints)); !columns.empty()) {
      check.info("BIGINT UNSIGNED values from 2^63 appear negative: " + listed(columns),
                 "bigint.unsigned.handling.mode=precise, if there are such values");
    }
  }
  if (check.needs.decimal_as_bytes) {
    if (const auto columns = captured(check, check.rows_if_allowed(kDecimals)); !columns.empty()) {
      check.info("DECIMAL values appear as base64 in JSON: " + listed(columns),
                 "decimal.handling.mode=string or double, or value.converter.decimal.format=NUMERIC");
    }
  }
}

}  // namespace millrace::mariadb
