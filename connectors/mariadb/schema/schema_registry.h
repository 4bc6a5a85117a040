/// The tables of the server as the connector knows them at its place in the binlog, kept current by the DDL that
/// passes. What a statement does not tell is read from the server by the caller; a statement that is not understood
/// never stops anything. Threads: the task's.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/common/result.h"
#include "connectors/mariadb/schema/table_definition.h"

namespace millrace::mariadb {

using connectors::Code;
using connectors::Result;
using connectors::Status;

struct TableChange {
  enum class Type { kCreate, kAlter, kDrop } type = Type::kCreate;
  TableId id;
  std::optional<TableId> previous_id;    ///< of a rename
  std::optional<TableDefinition> table;  ///< nothing for a drop
};

/// One schema change record: RENAME TABLE a TO b, c TO d makes two.
struct SchemaChange {
  std::string database;  ///< "" for server-wide statements (SET)
  std::string ddl;       ///< as Debezium words it (a split RENAME is rewritten, others are the text as it came)
  std::vector<TableChange> changes;
  /// source.table of the record: the tables the whole statement touches, joined by commas in Debezium's order; empty =
  /// null, unless:
  std::string source_table;
  /// source.table is "" and not null: what Debezium has for statements on tables without table changes (indexes,
  /// sequences) and for ALTER DATABASE.
  bool blank_source_table = false;
};

/// What a QUERY event means to the connector.
struct DdlResult {
  enum class Kind {
    kIgnored,       ///< not DDL (BEGIN, COMMIT, SAVEPOINT, GRANT, views, routines, heartbeats …)
    kDatabase,      ///< CREATE/ALTER/DROP DATABASE
    kTables,        ///< tables created, altered, renamed or dropped
    kTruncate,      ///< TRUNCATE TABLE: `tables`
    kOther,         ///< recorded with no table changes (SET, sequences, events)
    kRowStatement,  ///< INSERT, UPDATE, DELETE, … in statement format: rows that row capture cannot see
  } kind = Kind::kIgnored;
  std::vector<SchemaChange> changes;
  std::vector<TableId> tables;  ///< all tables named, also those not known
  /// Tables whose new form could not be derived from the statement: read them from the server.
  std::vector<TableId> unknown;
};

class SchemaRegistry {
 public:
  SchemaRegistry();
  ~SchemaRegistry();

  /// Applies a statement of the binlog, or one of those a snapshot records (SET, DROP TABLE, CREATE DATABASE, USE …).
  /// `database` is the session's. A change of a table that is not known has no table changes; the table is in
  /// `unknown`.
  DdlResult apply(std::string_view database, std::string_view sql);
  /// Applies a CREATE TABLE as the server prints it (SHOW CREATE TABLE). kBadRecord: not understood, with the place.
  Result<TableDefinition> apply_create(const TableId& id, std::string_view create_table);
  void put(TableDefinition table);
  void remove(const TableId& id);
  const TableDefinition* find(const TableId& id) const;
  std::vector<TableId> tables() const;
  void set_server_charset(std::string charset);
  /// Of the server and all databases: statements of a time nobody told of leave open what they do not say.
  void forget_charsets();
  void set_database_charset(const std::string& database, std::string charset);
  std::string database_charset(const std::string& database) const;
  /// lower_case_table_names 1 and 2: names are compared without case.
  void set_case_insensitive(bool yes);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace::mariadb
