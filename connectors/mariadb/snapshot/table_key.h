/// Reading a table in the order of its key, from one place to another: SQL conditions, and keys as JSON texts that
/// survive restarts. Literals are made from checked numbers and hexadecimal digits only, so that no content of a table
/// and no sql_mode can change a statement. Threads: immutable, any.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "connectors/mariadb/cell.h"
#include "connectors/mariadb/schema/table_definition.h"
#include "connectors/mariadb/sql/connection.h"

namespace millrace::mariadb {

class TableKey {
 public:
  TableKey() = default;
  /// By `columns` of the table, which must outlive the key. Empty when one of them is unknown.
  TableKey(const TableDefinition& table, std::span<const std::string> columns);

  bool empty() const { return columns_.empty(); }
  /// "`a`, `b`", or with DESC.
  std::string order_by(bool descending = false) const;
  /// What to SELECT to get a key: "`a`, CAST(`b` AS UNSIGNED)".
  std::string select_list() const;
  /// The key of a row, as a JSON array. `row` has all cells of the table.
  std::string json_of_row(std::span<const Cell> row) const;
  /// The key in fields of select_list().
  Result<std::string> json_of_fields(std::span<const RowStream::Field> fields) const;
  /// Conditions over key texts made above: after, up to and at a key. kBadRecord: not such a text.
  Result<std::string> after(std::string_view json) const;
  Result<std::string> up_to(std::string_view json) const;
  Result<std::string> equal(std::string_view json) const;

 private:
  struct Column {
    size_t index;
    const ColumnDefinition* definition;
    Cell::Kind kind;
  };
  std::string json_of(std::span<const Cell> cells, bool whole_row) const;
  Result<std::vector<std::string>> literals(std::string_view json) const;
  std::string compare(std::span<const std::string> literals, std::string_view last) const;
  std::vector<Column> columns_;
};

/// A key as notifications show it: "2,x" for [2,"x"].
std::string key_for_people(std::string_view json);

/// The unique index without NULLs and prefixes over exactly these columns in this order: its name for FORCE INDEX, or
/// nothing when there is none, so that the columns cannot be walked in order of a unique key.
Result<std::optional<std::string>> index_of_key(Connection& connection, const TableId& table,
                                                std::span<const std::string> columns);

/// What to read of a table.
struct ChunkQuery {
  const TableDefinition* table = nullptr;
  const TableKey* key = nullptr;        ///< nullptr or empty = in no order
  std::string index;                    ///< for FORCE INDEX; empty = the server's choice
  std::vector<std::string> conditions;  ///< all must hold
  uint64_t limit = 0;                   ///< 0 = all
  std::string sql() const;
};
/// The key `distance` rows after the conditions' first: where a chunk ends. No row when fewer are left.
std::string boundary_sql(const ChunkQuery& query, uint64_t distance);
/// The largest key.
std::string maximum_key_sql(const ChunkQuery& query);

/// "`db`.`table`".
std::string sql_name(const TableId& table);

}  // namespace millrace::mariadb
