/// SQL texts: the seam where databases differ. MariaDB and MySQL share one dialect, PostgreSQL and
/// SQLite have their own.
/// Threads: any (immutable).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "connectors/jdbc/session.h"

namespace millrace::jdbc {

/// A column of CREATE TABLE or ALTER TABLE.
struct ColumnDefinition {
  std::string name;
  std::string type;
  bool optional = true;
  std::string default_text;  ///< SQL literal; empty = no default
  bool key = false;
};

class Dialect {
 public:
  virtual ~Dialect() = default;
  /// `part` in the database's quotes, quotes inside doubled; unchanged when quoting is off.
  virtual std::string quote(std::string_view part) const = 0;
  virtual std::string qualified(const TableId& table) const = 0;
  virtual std::string insert(const TableId& table, const std::vector<std::string>& keys,
                             const std::vector<std::string>& others) const = 0;
  /// Of a row that exists only `updated` change.
  virtual std::string upsert(const TableId& table, const std::vector<std::string>& keys,
                             const std::vector<std::string>& others, const std::vector<std::string>& updated) const = 0;
  std::string update(const TableId& table, const std::vector<std::string>& keys,
                     const std::vector<std::string>& others) const;
  /// All rows when there are no `keys`.
  std::string remove(const TableId& table, const std::vector<std::string>& keys) const;
  virtual std::string truncate(const TableId& table) const;
  std::string create(const TableId& table, const std::vector<ColumnDefinition>& columns) const;
  virtual std::string alter(const TableId& table, const std::vector<ColumnDefinition>& columns) const = 0;
  /// The table of SinkOffsets: connector, topic, partition; offset and epoch.
  virtual std::string create_offsets(const TableId& table) const = 0;
  /// Column type for a schema; empty when there is none. `key`: the column belongs to the primary key.
  virtual std::string column_type(const mr_schema& schema, bool key, bool epoch_timestamp) const = 0;
  /// Type of an array of `depth` dimensions; empty when the database has none.
  virtual std::string array_of(const std::string& element, size_t depth) const = 0;
  /// Type of a column for Kafka's topics.
  virtual std::string topic_type() const = 0;
  /// The name under which the catalog keeps a column that a statement calls `name`.
  virtual std::string stored(std::string_view name) const = 0;
  /// The same for a field of a change event (debezium_types.h).
  virtual std::string event_column_type(const mr_schema& schema, bool key) const = 0;
  /// A default value of such a field; empty when it has no form.
  virtual std::string event_literal(const mr_schema& schema, CellForm form, const mr_value& value,
                                    const WriteOptions& options) const = 0;
  /// A default value as SQL literal; empty when it has no form.
  virtual std::string literal(const mr_schema& schema, const mr_value& value, const WriteOptions& options) const = 0;
  /// What a statement has in the place of a parameter.
  virtual std::string parameter(const Parameter& value, const WallClock& clock) const = 0;
  /// What is compared with an Instant in the place of a timestamp column.
  virtual std::string point_in_time(const std::string& column) const { return column; }
  /// What a SELECT ends with that keeps its rows from others until the transaction ends.
  virtual std::string_view row_lock() const { return " FOR UPDATE"; }
  /// Whether one statement about many tables costs less than one for each.
  virtual bool probes_many() const { return true; }
  /// A table name of the user, split at dots outside quotes, missing parts taken from `url`.
  virtual Result<TableId> table_id(std::string_view name, const JdbcUrl& url) const = 0;
  /// Quoted names with commas between them.
  std::string listed(const std::vector<std::string>& first, const std::vector<std::string>& second = {}) const;

 protected:
  /// A column of CREATE TABLE or ALTER TABLE; `nullable` matters where it has no default.
  std::string clause(const ColumnDefinition& column, bool nullable) const;
  /// ?,?
  static std::string marks(size_t count);

 private:
  std::string assignments(const std::vector<std::string>& names, std::string_view separator) const;
  std::string where(const std::vector<std::string>& keys) const;
};

/// `quote_identifiers`: quote.sql.identifiers is not "never". `fold_identifiers`: names mean what they would mean
/// without quotes, in lower case for PostgreSQL, but are quoted all the same, so that every name can be written.
std::unique_ptr<Dialect> make_dialect(const JdbcUrl& url, bool quote_identifiers, bool fold_identifiers = false);

/// catalog.schema.table without quotes and empty parts; what filters and offsets use.
std::string dotted(const TableId& table);
/// The same, each part in double quotes; what the sink's messages use.
std::string double_quoted(const TableId& table);

/// Splits "a.`b.c`.d"; parts may be in back or double quotes, with quotes inside doubled.
Result<std::vector<std::string>> split_identifier(std::string_view name);

}  // namespace millrace::jdbc
