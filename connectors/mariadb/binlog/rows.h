/// Row events to cells. Pure; checks every length against the event. Nothing is allocated per row once buffers are
/// warm.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "connectors/common/byte_arena.h"
#include "connectors/mariadb/binlog/table_map.h"
#include "connectors/mariadb/cell.h"

namespace millrace::mariadb {

enum class RowOperation : uint8_t { kInsert, kUpdate, kDelete };

/// Walks the rows of one WRITE/UPDATE/DELETE_ROWS event, compressed or not:
///   RowsReader rows;                               // keep it: buffers are reused
///   if (Status s = rows.open(event, map); …) …     // `map` is that of rows.table_id() (see table_id_of)
///   while (rows.more()) { if (Status s = rows.next(); …) …; use rows.before(), rows.after(); }
class RowsReader {
 public:
  /// The table id of a rows event, to find its TableMap.
  static Result<uint64_t> table_id_of(const Event& event);

  /// Borrows both. Errors of open() and next(): kInternal, naming event and position.
  Status open(const Event& event, const TableMap& map);
  bool more() const { return !rest_.empty() || one_empty_row_; }
  Status next();
  RowOperation operation() const { return operation_; }
  /// Last row event of its statement (flag STMT_END).
  bool ends_statement() const { return ends_statement_; }
  /// One cell a table column; empty for an insert. Content borrows from the event, the inflated buffer or the reader
  /// and lives until next() or open().
  std::span<const Cell> before() const { return before_; }
  /// One cell a table column; empty for a delete.
  std::span<const Cell> after() const { return after_; }

 private:
  Status failed_at(size_t column);

  const TableMap* map_ = nullptr;
  EventHeader header_;
  Bytes rest_;
  bool one_empty_row_ = false;  // a row without any column takes no bytes
  RowOperation operation_ = RowOperation::kInsert;
  bool ends_statement_ = false;
  Bytes present_before_, present_after_;
  bool all_before_ = false, all_after_ = false;
  std::vector<Cell> before_, after_;
  std::vector<uint8_t> inflated_;  // of a compressed event
  connectors::ByteArena scratch_;  // padded BINARY, inflated COMPRESSED columns, long decimals; per row
};

}  // namespace millrace::mariadb
