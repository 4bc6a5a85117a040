/// Reads tables as they were at one point of the binlog, in primary-key chunks, without locks unless asked for.
/// Rows become cells in the order of the table definition. Threads: one consumer, which may not use session() after
/// start(); snapshot.max.threads reader threads, from start() to the destructor; interrupt() and progress() from any.
///
/// Going on after a kill. The read view is gone then, and rows read at a newer one are ahead of the stream, which must
/// begin at the ledger's cut. So a capture loop that finds a stored SnapshotLedger with tables not done
///   1. starts to stream from `ledger.cut`, at once, and emits the changes of all tables as usual;
///   2. gives the ledger to IncrementalSnapshot::resume() (incremental_snapshot.h), which reads the rest, after each
///      table's last_key, as windows against the stream: what the stream changes between a window's marks wins over
///      what was read. Each row is then emitted at the place of the stream where it was read, nothing older comes after
///      it;
///   3. keeps storing the ledger (IncrementalSnapshot::ledger_text()) until all tables are done.
/// The rows emitted before the kill are at the cut or before it, where the stream begins: nothing is lost. A table
/// without a usable key is read again from its start.
/// The same is done for tables that were altered or dropped while the view was open (Batch::deferred): the view cannot
/// read them any more. When nothing is to be streamed (initial_only), open a second SnapshotReader for the tables left
/// instead; with no stream there is nothing to deduplicate against.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "connectors/mariadb/cell.h"
#include "connectors/mariadb/schema/table_definition.h"
#include "connectors/mariadb/snapshot/snapshot_ledger.h"
#include "connectors/mariadb/snapshot/snapshot_options.h"
#include "connectors/mariadb/snapshot/snapshot_view.h"
#include "connectors/mariadb/sql/connection.h"

namespace millrace::mariadb {

/// One table's worth of work, and what is told of it.
struct SnapshotTable {
  const TableDefinition* definition = nullptr;
  std::string select;  ///< an override, or empty
  uint64_t rows_estimated = 0;
};

struct SnapshotProgress {
  size_t tables_done = 0, tables_total = 0;
  uint64_t rows_done = 0, rows_estimated = 0;
  double rows_per_second = 0;
  int64_t seconds_left = -1;  ///< -1 = unknown
  std::string table;          ///< being given out
  std::string last_key;       ///< of it, JSON array
};

class SnapshotReader {
 public:
  /// Opens the read view(s) (reference 4.1 to 4.3) and says where it stands in the binlog. Locks per options are held
  /// as long as their mode says. Errors: as SnapshotView::open().
  static Result<std::unique_ptr<SnapshotReader>> open(const ConnectionOptions& connection,
                                                      const SnapshotOptions& options,
                                                      const std::vector<TableId>& tables);
  virtual ~SnapshotReader() = default;
  virtual const BinlogPosition& position() const = 0;
  /// What the user should know: tables outside the view, fewer locks than asked for.
  virtual const std::vector<std::string>& warnings() const = 0;
  /// SHOW CREATE TABLE and friends within the view.
  virtual Connection& session() = 0;
  /// Frees what only reading schemas needed (a global lock).
  virtual Status schemas_read() = 0;
  /// Begins to read; `after_key` (JSON array) continues a table after that key. The definitions must outlive the
  /// reader.
  virtual Status start(std::vector<SnapshotTable> tables, const std::vector<std::string>& after_keys) = 0;

  /// A run of rows of one table, in order of its key, borrowed until the next call. A table without rows gives one
  /// batch of no rows.
  struct Batch {
    size_t table = 0;  ///< index into `tables`
    size_t rows = 0;
    std::span<const Cell> cells;  ///< rows * columns
    bool first_of_table = false, last_of_table = false;
    bool last = false;      ///< no batch with rows comes after it
    bool deferred = false;  ///< the view cannot read this table (any more); no rows here, none follow
    std::string why;        ///< of `deferred`
    std::string last_key;   ///< JSON array; what the ledger keeps after these rows; empty = cannot be continued
  };
  /// nullopt when all is read. Waits for rows; `interrupt` breaks it (kStopped). Errors end the snapshot: kUnavailable
  /// (the view is lost with the connection), kBadRecord (a field not of its column's type).
  virtual Result<std::optional<Batch>> next() = 0;
  virtual SnapshotProgress progress() const = 0;
  virtual void interrupt() = 0;
};

/// The server's estimates of rows, by one query; tables unknown to it have 0.
Result<std::vector<uint64_t>> estimate_rows(Connection& session, const std::vector<TableId>& tables);
/// snapshot.tables.order.by.row.count: sorts by rows_estimated; equal ones keep their order.
void order_tables(std::vector<SnapshotTable>& tables, SnapshotOptions::Order order);

/// Text of a SELECT's field to a cell by the column's declared type, labels for ENUM and SET. For many rows use
/// FieldReader (field_reader.h).
Status cell_of_text(const ColumnDefinition& column, const char* data, size_t size, Cell& cell);

}  // namespace millrace::mariadb
