/// Reads tables as they were at one point of the binlog, in primary-key chunks, without locks unless asked for, and
/// goes on after a kill where it was. Rows become cells in the order of the table definition. Threads: the task's, plus
/// readers of its own with snapshot.max.threads.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "connectors/mariadb/binlog/gtid.h"
#include "connectors/mariadb/cell.h"
#include "connectors/mariadb/schema/table_definition.h"
#include "connectors/mariadb/snapshot/snapshot_options.h"
#include "connectors/mariadb/snapshot/snapshot_view.h"
#include "connectors/mariadb/sql/connection.h"

namespace millrace::mariadb {

/// How far a snapshot has come: kept as one JSON text under an own source partition, so that it survives kill -9.
struct SnapshotLedger {
  BinlogPosition cut;  ///< the first read view; streaming starts here
  struct Table {
    TableId id;
    bool done = false;
    std::string last_key;  ///< JSON array of the last key emitted; empty = none
    uint64_t rows = 0;
  };
  std::vector<Table> tables;
  std::string text() const;
  static Result<SnapshotLedger> parse(std::string_view text);
};

/// One table's worth of work, and what is told of it.
struct SnapshotTable {
  const TableDefinition* definition = nullptr;
  std::string select;  ///< an override, or empty
  uint64_t rows_estimated = 0;
};

class SnapshotReader {
 public:
  /// Opens the read view(s) (reference 4.1 to 4.3) and says where it stands in the binlog. Locks per options are held
  /// as long as their mode says.
  static Result<std::unique_ptr<SnapshotReader>> open(const ConnectionOptions& connection,
                                                      const SnapshotOptions& options,
                                                      const std::vector<TableId>& tables);
  virtual ~SnapshotReader() = default;
  virtual const BinlogPosition& position() const = 0;
  /// SHOW CREATE TABLE and friends within the view.
  virtual Connection& session() = 0;
  /// Frees what only reading schemas needed (a global lock).
  virtual Status schemas_read() = 0;
  /// Begins to read; `after_key` (JSON array) continues a table after that key.
  virtual Status start(std::vector<SnapshotTable> tables, const std::vector<std::string>& after_keys) = 0;

  /// A run of rows of one table, in order of its key, borrowed until the next call.
  struct Batch {
    size_t table = 0;  ///< index into `tables`
    size_t rows = 0;
    std::span<const Cell> cells;  ///< rows * columns
    bool first_of_table = false, last_of_table = false, last = false;
    std::string last_key;  ///< JSON array; what the ledger keeps after these rows; empty = cannot be continued
  };
  /// nullopt when all is read. Waits for rows; `interrupt` breaks it.
  virtual Result<std::optional<Batch>> next() = 0;
  virtual void interrupt() = 0;
};

/// Text of a SELECT's field to a cell by the column's declared type; shared with incremental snapshots.
Status cell_of_text(const ColumnDefinition& column, const char* data, size_t size, Cell& cell);

}  // namespace millrace::mariadb
