/// The database servers behind recorded cases, in one shape.
#pragma once

#include <string>
#include <vector>

#include "tests/support/mariadb_server.h"
#include "tests/support/postgres_server.h"

namespace millrace::jdbc::golden {

using Rows = std::vector<std::vector<std::string>>;  ///< NULL as "\\N"

class Server {
 public:
  virtual ~Server() = default;
  virtual std::string problem() const = 0;
  /// `dialect` as recorded: mysql-url, mariadb, postgresql.
  virtual std::string url(const std::string& dialect, const std::string& database) const = 0;
  virtual std::string host_port() const = 0;
  virtual std::string user() const = 0;
  virtual std::string password() const = 0;
  /// The first error; empty when fine.
  virtual std::string run(const std::vector<std::string>& statements, const std::string& database) const = 0;
  /// Statements that make an empty database, and that remove it.
  virtual std::vector<std::string> create_database(const std::string& name) const = 0;
  virtual std::vector<std::string> drop_database(const std::string& name) const = 0;
  /// What the recording ran before its own statements.
  virtual std::vector<std::string> prologue() const = 0;
  /// Column, type, nullable (YES or NO), default, key (PRI) of each column.
  virtual Rows describe(const std::string& database, const std::string& table) const = 0;
  /// "column=value;" of each value, as the recordings print them.
  virtual std::vector<std::string> lines(const std::string& database, const std::string& table) const = 0;

 protected:
  template <class Table>
  static std::vector<std::string> joined(const Table& table) {
    std::vector<std::string> lines;
    for (const auto& row : table.rows) {
      std::string& line = lines.emplace_back();
      for (size_t i = 0; i < row.size() && i < table.columns.size(); ++i) line += table.columns[i] + "=" + row[i] + ";";
    }
    return lines;
  }
};

class MariaDb final : public Server {
 public:
  std::string problem() const override { return server_.problem(); }
  std::string url(const std::string& dialect, const std::string& database) const override {
    return server_.url(dialect == "mariadb" ? "mariadb" : "mysql", database);
  }
  std::string host_port() const override { return server_.host_port(); }
  std::string user() const override { return server_.user(); }
  std::string password() const override { return server_.password(); }
  std::string run(const std::vector<std::string>& statements, const std::string& database) const override {
    return server_.run(statements, database);
  }
  std::vector<std::string> create_database(const std::string& name) const override {
    return {"drop database if exists `" + name + "`",
            "create database `" + name + "` character set utf8mb4 collate utf8mb4_general_ci"};
  }
  std::vector<std::string> drop_database(const std::string& name) const override {
    return {"drop database if exists `" + name + "`"};
  }
  std::vector<std::string> prologue() const override {
    return {"set sql_mode='STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'"};
  }
  Rows describe(const std::string& database, const std::string& table) const override {
    return server_
        .query(
            "select column_name, column_type, is_nullable, column_default, column_key from information_schema.columns "
            "where table_schema='" +
            database + "' and table_name='" + table + "' order by ordinal_position")
        .rows;
  }
  std::vector<std::string> lines(const std::string& database, const std::string& table) const override {
    return joined(server_.query("select * from `" + table + "`", database));
  }

 private:
  millrace::testing::MariaDbServer server_;
};

class Postgres final : public Server {
 public:
  std::string problem() const override { return server_.problem(); }
  std::string url(const std::string&, const std::string& database) const override { return server_.url(database); }
  std::string host_port() const override { return server_.host_port(); }
  std::string user() const override { return server_.user(); }
  std::string password() const override { return server_.password(); }
  std::string run(const std::vector<std::string>& statements, const std::string& database) const override {
    return server_.run(statements, database);
  }
  std::vector<std::string> create_database(const std::string& name) const override {
    return {"drop database if exists \"" + name + "\" with (force)", "create database \"" + name + "\""};
  }
  std::vector<std::string> drop_database(const std::string& name) const override {
    return {"drop database if exists \"" + name + "\" with (force)"};
  }
  std::vector<std::string> prologue() const override { return {}; }
  Rows describe(const std::string& database, const std::string& table) const override {
    return server_
        .query(
            "select a.attname, format_type(a.atttypid,a.atttypmod), case when a.attnotnull then 'NO' else 'YES' end, "
            "pg_get_expr(d.adbin,d.adrelid), case when exists (select from pg_index i where i.indrelid=a.attrelid and "
            "i.indisprimary and a.attnum=any(i.indkey)) then 'PRI' else '' end from pg_attribute a left join "
            "pg_attrdef d on d.adrelid=a.attrelid and d.adnum=a.attnum where a.attnum>0 and not a.attisdropped and "
            "a.attrelid=to_regclass('" +
                quoted(table) + "') order by a.attnum",
            database)
        .rows;
  }
  std::vector<std::string> lines(const std::string& database, const std::string& table) const override {
    // As texts of casts: a boolean is "true" there, and an inet has its mask.
    std::string columns;
    for (const auto& column : describe(database, table)) {
      const std::string name = "\"" + column[0] + "\"";
      columns += (columns.empty() ? "" : ",") + name + "::text as " + name;
    }
    return joined(server_.query("select " + columns + " from " + quoted(table), database));
  }

 private:
  /// "table", or "schema.table" where the table's own name may have dots.
  static std::string quoted(const std::string& table) {
    const size_t dot = table.find('.');
    if (dot == std::string::npos) return "\"" + table + "\"";
    return "\"" + table.substr(0, dot) + "\".\"" + table.substr(dot + 1) + "\"";
  }
  millrace::testing::PostgresServer server_;
};

}  // namespace millrace::jdbc::golden
