/// Follows the binlog from an offset: transactions, tables, rows and DDL to change events, with the offset of each.
/// Threads: the task's; interrupt() from any.
///
///   poll ── BinlogStream::take ── event ──┬─ GTID         begin_transaction: the restart point
///                                         ├─ TABLE_MAP    TableState: captured or not, its plan
///                                         ├─ *_ROWS       rows → EventWriter
///                                         ├─ QUERY        DDL → SchemaTracker → schema change records
///                                         └─ XID, COMMIT  end_transaction: the offset moves on
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "connectors/common/interruptible.h"
#include "connectors/mariadb/binlog/rows.h"
#include "connectors/mariadb/binlog/stream.h"
#include "connectors/mariadb/capture/capture_config.h"
#include "connectors/mariadb/capture/history_writer.h"
#include "connectors/mariadb/capture/offset_state.h"
#include "connectors/mariadb/capture/schema_tracker.h"
#include "connectors/mariadb/capture/stream_observer.h"
#include "connectors/mariadb/events/event_writer.h"

namespace millrace::mariadb {

class Streaming {
 public:
  Streaming(const CaptureConfig& config, sdk::SourceContext& context, SchemaTracker& schemas, HistoryWriter& history,
            EventWriter& writer, OffsetState& offset);
  ~Streaming();
  /// Called with the server's number of a dump connection that was closed: the server notices by itself only when it
  /// next has something to send, and until then keeps its binlog files and our server id in use.
  void set_on_closed(std::function<void(unsigned long)> on_closed) { on_closed_ = std::move(on_closed); }
  void set_observer(StreamObserver* observer) { observer_ = observer; }

  /// Connects and begins at the offset's restart point.
  Status start();
  bool in_transaction() const { return in_transaction_; }
  bool started() const { return static_cast<bool>(stream_); }
  /// Writes what has come, up to where the observer holds; waits up to `wait_ms` for something. kUnavailable:
  /// connection trouble, start() again goes on where it was.
  Status poll(int64_t wait_ms);
  void stop();
  void interrupt();  // from any thread
  /// The event writer has forgotten versions of tables.
  void schemas_changed() { ++schemas_version_; }
  /// Milliseconds of the clock when the last event or heartbeat came.
  int64_t last_event_ms() const { return last_event_ms_; }

 private:
  struct TableState {
    TableMap map;
    std::vector<uint8_t> raw;  // of the TABLE_MAP, to recognise the same one again
    bool captured = false, signal = false, failed = false;
    uint64_t ddl_version = 0;  // schemas_version_ when `events` was made
    TableEvents* events = nullptr;
    TableDefinition definition;     // the version that `events` was made of
    std::vector<uint32_t> columns;  // of the map, in the definition's order
  };

  Status handle(Bytes raw);
  Status dispatch(const Event& event);
  Status on_gtid_list(const Event& event);
  Status on_gtid(const Event& event);
  Status on_table_map(const Event& event);
  Status on_rows(const Event& event);
  Status on_query(const Event& event);
  Status on_ddl(const Event& event, const QueryEvent& query);
  Status write_change(const SchemaChange& change, const std::vector<TableId>& tables, const SourceInfo& source);
  Status truncate(const std::vector<TableId>& tables, const SourceInfo& source);
  Status end_transaction(const Event& event);
  /// streaming_xa.cc: rows of a prepared XA transaction are read from the log once it is committed.
  void defer_prepared();
  Status on_xa_outcome(const Event& event, std::string_view sql);
  Status replay_prepared(const SourceOffset& place);
  void remember_prepared();
  void recall_prepared();
  static constexpr uint32_t kReplayServerIdOffset = 10'000;  // as database.server.id.offset

  void plan_skipping(const SourceOffset& from);
  Status write_rows(TableState& table, const Event& event);
  Status observe_row(TableState& table, bool watched);
  Status resolve(TableState& table);
  bool source_accepted() const;
  SourceInfo source_of(const Event& event) const;
  uint64_t start_of(const EventHeader& header) const;
  Status failed_event(const Event& event, const Status& why);
  Status stream_failed(const Status& why);

  const CaptureConfig& config_;
  sdk::SourceContext& context_;
  SchemaTracker& schemas_;
  HistoryWriter& history_;
  EventWriter& writer_;
  OffsetState& offset_;
  StreamObserver* observer_ = nullptr;
  std::function<void(unsigned long)> on_closed_;
  unsigned long dump_connection_ = 0;

  connectors::Interruptible<BinlogStream> stream_;
  EventBlock* block_ = nullptr;  // of stream_, not handled in full
  std::string file_;             // being read
  uint64_t high_bits_ = 0;       // of positions in files beyond 4 GiB
  uint32_t last_position_ = 0;
  EventParser parser_;
  bool in_transaction_ = false;
  bool resuming_ = false;  // the first transaction after a start: skip what was written
  uint64_t skip_events_ = 0, skip_rows_ = 0;
  int32_t last_row_ = 0;         // in its event, of the row written last
  bool stored_ = true;           // the offset is still that of a record that was written once
  bool told_ = false;            // a record without rows has been written of the event at hand
  TransactionProgress resumed_;  // of the transaction that is read again
  Gtid gtid_;
  GtidEvent gtid_event_;
  std::string gtid_text_, query_, inflated_, xid_;
  bool deferring_ = false, replaying_ = false;    // within a prepared group; its rows again
  std::map<std::string, SourceOffset> prepared_;  // by XID: where their groups begin
  std::unordered_map<uint64_t, TableState> tables_;
  uint64_t schemas_version_ = 1;
  RowsReader rows_;
  int64_t last_event_ms_ = 0;
};

}  // namespace millrace::mariadb
