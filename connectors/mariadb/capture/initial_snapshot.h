/// The snapshot at the start of a connector, a batch a call: schemas first (as Debezium's DDL records), then rows, with
/// a ledger in the offset that lets a killed snapshot go on at its next chunk. Threads: the task's; interrupt() from
/// any.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "connectors/common/interruptible.h"
#include "connectors/mariadb/capture/capture_config.h"
#include "connectors/mariadb/capture/history_writer.h"
#include "connectors/mariadb/capture/incremental_capture.h"
#include "connectors/mariadb/capture/offset_state.h"
#include "connectors/mariadb/capture/schema_tracker.h"
#include "connectors/mariadb/events/event_writer.h"
#include "connectors/mariadb/snapshot/snapshot_reader.h"

namespace millrace::mariadb {

class InitialSnapshot {
 public:
  struct Parts {
    bool schema = true, data = true;
    bool keep_position = false;  ///< the offset stays as it is
  };
  InitialSnapshot(const CaptureConfig& config, sdk::SourceContext& context, SchemaTracker& schemas,
                  HistoryWriter& history, EventWriter& writer, OffsetState& offset, IncrementalCapture& teller);
  ~InitialSnapshot();

  /// Opens the read view and writes the schema records.
  Status start(Parts parts);
  /// Writes the next rows. `done()` afterwards says whether there are more.
  Status poll();
  bool done() const { return done_; }
  SnapshotProgress progress() const { return reader_ ? reader_->progress() : SnapshotProgress(); }
  void interrupt();  // from any thread

 private:
  struct DatabaseTables {
    std::string database, create_options;
    std::vector<TableId> tables;
  };

  void begin_offset(const BinlogPosition& at);
  Status list_tables(Connection& session);
  Status write_schemas(Connection& session);
  Status write_schema(std::string_view database, std::string_view table, std::string ddl,
                      std::vector<TableChange> changes);
  Status write_kept_schema(bool last);
  Status start_rows();
  Status write_batch(const SnapshotReader::Batch& batch);
  Status write_row(size_t table, std::span<const Cell> cells, SnapshotMarker marker);
  void keep_back(size_t table, std::span<const Cell> cells, SnapshotMarker marker);
  Status write_kept(bool last);
  Status finish();
  bool stored_only_if_captured(const TableId& id) const;

  const CaptureConfig& config_;
  sdk::SourceContext& context_;
  SchemaTracker& schemas_;
  HistoryWriter& history_;
  EventWriter& writer_;
  OffsetState& offset_;
  IncrementalCapture& teller_;  // sends notifications

  Parts parts_;
  connectors::Interruptible<SnapshotReader> reader_;
  std::vector<DatabaseTables> databases_;
  std::vector<TableId> captured_;      ///< in the order of reading
  std::vector<SnapshotTable> tables_;  ///< likewise
  std::vector<TableEvents*> events_;   ///< likewise
  std::optional<SnapshotLedger> ledger_;
  // The last row of a table waits until it is known whether another follows: its marker differs.
  struct {
    bool set = false;
    size_t table = 0;
    SnapshotMarker marker = SnapshotMarker::kTrue;
    std::vector<Cell> cells;
    connectors::ByteArena bytes;
  } kept_;
  /// What the ledger says once the row kept back has been written.
  struct PendingKey {
    size_t entry;
    std::string key;
    bool done;
  };
  std::optional<PendingKey> pending_key_;
  std::optional<SchemaChange> kept_schema_;  // the last schema record, until it is known whether rows follow
  std::set<TableId> deferred_;
  uint64_t rows_ = 0;
  bool done_ = false;
};

}  // namespace millrace::mariadb
