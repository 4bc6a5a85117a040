/// A snapshot that a signal asks for while the stream stands still: a read view is opened, the stream goes on to the
/// very place of the view and waits there, the tables are read out of the view with the markers of an initial snapshot,
/// the stream goes on. So every row is at the place of the stream where it was read, and nothing older comes after it.
/// A kill begins it anew. Threads: the task's; interrupt() and progress() from any.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "connectors/mariadb/capture/capture_config.h"
#include "connectors/mariadb/capture/history_writer.h"
#include "connectors/mariadb/capture/incremental_capture.h"
#include "connectors/mariadb/capture/offset_state.h"
#include "connectors/mariadb/capture/schema_tracker.h"
#include "connectors/mariadb/events/event_writer.h"
#include "connectors/mariadb/snapshot/snapshot_reader.h"

namespace millrace::mariadb {

class BlockingCapture {
 public:
  /// What it writes to and learns from; all must outlive it.
  struct Parts {
    const CaptureConfig& config;
    sdk::SourceContext& context;
    SchemaTracker& schemas;
    HistoryWriter& history;
    EventWriter& writer;
    OffsetState& offset;
    IncrementalCapture& teller;  ///< sends notifications, and knows the place of the stream
  };
  /// Opens the read view. nullptr: the tables do not show yet what was streamed; try again.
  static Result<std::unique_ptr<BlockingCapture>> open(Parts parts, BlockingSnapshot request);

  /// Where the stream has to stand still.
  const GtidList& place() const { return reader_->position().gtids; }
  bool reached() const { return parts_.offset.current.gtids.contains_all(place()); }
  /// At that place only: writes the schema records first, then rows, a batch a call. kUnavailable and kStopped: the
  /// view is lost, open another; other errors: it cannot be done.
  Status poll();
  bool done() const { return done_; }
  /// The offset does not tell of it any more: the last row is written.
  bool settled() const { return settled_; }
  SnapshotProgress progress() const { return reader_->progress(); }
  void interrupt() { reader_->interrupt(); }

 private:
  BlockingCapture(Parts parts, BlockingSnapshot request, std::unique_ptr<SnapshotReader> reader)
      : parts_(parts), request_(std::move(request)), reader_(std::move(reader)) {}
  Status start();
  Status find_tables();
  Status write_schemas();
  Status write_schema(const TableId& id, std::string ddl, TableChange change);
  Status write_batch(const SnapshotReader::Batch& batch);
  void settle();
  void tell_scanned(const TableId& id, uint64_t rows, std::string_view status);
  std::string select_of(const TableId& id) const;

  Parts parts_;
  const BlockingSnapshot request_;
  std::unique_ptr<SnapshotReader> reader_;
  std::vector<SnapshotTable> tables_;
  std::vector<TableEvents*> events_;  // of tables_
  uint64_t table_rows_ = 0, rows_ = 0;
  bool started_ = false, settled_ = false, done_ = false;
};

}  // namespace millrace::mariadb
