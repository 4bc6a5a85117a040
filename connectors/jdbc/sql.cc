#include "connectors/jdbc/sql.h"

#include <algorithm>

#include "connectors/jdbc/mariadb_sql.h"
#include "connectors/jdbc/postgres_sql.h"
#include "connectors/jdbc/sqlite_sql.h"

namespace millrace::jdbc {

std::string Dialect::update(const TableId& table, const std::vector<std::string>& keys,
                            const std::vector<std::string>& others) const {
  return "UPDATE " + qualified(table) + " SET " + assignments(others, ", ") + where(keys);
}

std::string Dialect::remove(const TableId& table, const std::vector<std::string>& keys) const {
  return "DELETE FROM " + qualified(table) + where(keys);
}

std::string Dialect::truncate(const TableId& table) const { return "TRUNCATE TABLE " + qualified(table); }

std::string Dialect::create(const TableId& table, const std::vector<ColumnDefinition>& columns) const {
  std::string sql = "CREATE TABLE " + qualified(table) + " (", key;
  for (size_t i = 0; i < columns.size(); ++i) {
    sql += (i == 0 ? "\n" : ",\n") + clause(columns[i], columns[i].optional);
    if (columns[i].key) key += (key.empty() ? "" : ",") + quote(columns[i].name);
  }
  if (!key.empty()) sql += ",\nPRIMARY KEY(" + key + ")";
  return sql + ")";
}

std::string Dialect::clause(const ColumnDefinition& column, bool nullable) const {
  const std::string sql = quote(column.name) + " " + column.type;
  if (!column.default_text.empty()) return sql + " DEFAULT " + column.default_text;
  return sql + (nullable ? " NULL" : " NOT NULL");
}

std::string Dialect::listed(const std::vector<std::string>& first, const std::vector<std::string>& second) const {
  std::string sql;
  for (const auto* names : {&first, &second}) {
    for (const std::string& name : *names) sql += (sql.empty() ? "" : ",") + quote(name);
  }
  return sql;
}

std::string Dialect::marks(size_t count) {
  std::string sql;
  for (size_t i = 0; i < count; ++i) sql += i == 0 ? "?" : ",?";
  return sql;
}

std::string Dialect::assignments(const std::vector<std::string>& names, std::string_view separator) const {
  std::string sql;
  for (size_t i = 0; i < names.size(); ++i)
    sql += (i == 0 ? std::string() : std::string(separator)) + quote(names[i]) + " = ?";
  return sql;
}

std::string Dialect::where(const std::vector<std::string>& keys) const {
  return keys.empty() ? "" : " WHERE " + assignments(keys, " AND ");
}

std::unique_ptr<Dialect> make_dialect(const JdbcUrl& url, bool quote_identifiers, bool fold_identifiers) {
  if (url.scheme == Scheme::kPostgreSql) return make_postgres_dialect(quote_identifiers, fold_identifiers);
  if (url.scheme == Scheme::kSqlite) return make_sqlite_dialect(url, quote_identifiers);
  return make_mariadb_dialect(quote_identifiers);
}

std::string dotted(const TableId& table) {
  std::string out;
  for (const std::string* part : {&table.catalog, &table.schema, &table.table}) {
    if (!part->empty()) out += (out.empty() ? "" : ".") + *part;
  }
  return out;
}

std::string double_quoted(const TableId& table) {
  std::string out;
  for (const std::string* part : {&table.catalog, &table.schema, &table.table}) {
    if (!part->empty()) out += (out.empty() ? "\"" : ".\"") + *part + "\"";
  }
  return out;
}

Result<std::vector<std::string>> split_identifier(std::string_view name) {
  std::vector<std::string> parts;
  for (size_t i = 0; i <= name.size();) {
    if (i < name.size() && (name[i] == '`' || name[i] == '"')) {
      const char quote = name[i];
      std::string& part = parts.emplace_back();
      size_t close = i + 1;
      for (; close < name.size(); ++close) {
        if (name[close] == quote && !name.substr(close + 1).starts_with(quote)) break;
        if (name[close] == quote) ++close;  // a doubled quote stands for itself
        part += name[close];
      }
      if (close >= name.size()) {
        return Status(Code::kInvalidConfig,
                      "Failure parsing fully qualified identifier; missing trailing quote in " + std::string(name));
      }
      i = std::min(name.find('.', close), name.size()) + 1;
    } else {
      const size_t end = std::min(name.find('.', i), name.size());
      parts.emplace_back(name.substr(i, end - i));
      i = end + 1;
    }
  }
  return parts;
}

}  // namespace millrace::jdbc
