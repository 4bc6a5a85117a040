/// Snapshots of tables while the stream goes on: chunk by chunk, each put into the stream at the place where it was
/// read.
///
/// A chunk is read in a read view whose GTID position P the server tells, and is given out when the stream has passed
/// exactly P: nothing older can come after it. Rows that the stream changes until then are not given out, as their
/// newer state has been. The view is taken again when it is behind the stream (the binlog shows a transaction before
/// the tables do), so that no row is older than what the stream gave. With watermarks in the signal table (a signal
/// table is configured and read.only is not true) the chunk is given out at its close mark, as Debezium does; tables
/// whose rows have no key to compare by go by P in any case, so that none is lost.
///
/// The capture loop calls, on its thread:
///   handle()          for each execute-, stop-, pause- and resume-snapshot signal, and for window signals that stream
///   in changed()         for each row of the stream when watches() its table: the key before and the key after
///   table_altered()   when DDL of a table streams by
///   mark_deleted()    when a row is deleted from the signal table
///   advance()         between transactions and when idle, with the GTIDs streamed so far, until it returns false
/// and stores offset_state() and ledger_text() with its offsets. After kUnavailable: give a new source, go on.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "connectors/mariadb/binlog/gtid.h"
#include "connectors/mariadb/events/event_writer.h"
#include "connectors/mariadb/snapshot/chunk_source.h"
#include "connectors/mariadb/snapshot/chunk_window.h"
#include "connectors/mariadb/snapshot/signals.h"
#include "connectors/mariadb/snapshot/snapshot_ledger.h"

namespace millrace::mariadb {

struct IncrementalOptions {
  enum class Watermark { kGtid, kInsertInsert, kInsertDelete } watermark = Watermark::kGtid;
  uint64_t chunk_rows = 1024;
  uint64_t resumed_chunk_rows = 8192;  ///< of an initial snapshot that goes on
  uint64_t chunk_bytes = 32 << 20;     ///< a chunk of larger rows has fewer; it ends with the row that goes beyond
  std::string connector_name;          ///< notifications: the topic prefix
  TableId signal_table;
  static Result<IncrementalOptions> parse(const sdk::Config& config);
};

struct Notification {
  std::string id, aggregate_type, type;
  std::vector<std::pair<std::string, std::string>> additional_data;
};

/// What the snapshot needs of the capture loop.
class IncrementalHost {
 public:
  virtual ~IncrementalHost() = default;
  /// As known at the stream's place; nullptr = not known or not captured.
  virtual const TableDefinition* table(const TableId& id) = 0;
  virtual Result<std::vector<TableId>> captured_tables() = 0;
  /// What tells a row, in the definition's order, from all others: encoded_key() of its primary key; empty without one.
  virtual Status key_of(const TableDefinition& table, std::span<const Cell> row, std::string& key) = 0;
  virtual Status emit(const TableDefinition& table, std::span<const Cell> row, SnapshotMarker marker) = 0;
  virtual void notify(const Notification& notification) = 0;
  virtual void warn(const std::string& text) = 0;
  virtual std::string new_id() = 0;    ///< a random UUID
  virtual std::string now_text() = 0;  ///< "2026-11-21T02:36:46.539991030Z"
};

/// Whether the view lacks transactions that were streamed. Domains that this server does not know say nothing.
bool is_behind(const GtidList& view, const GtidList& streamed);

/// A blocking snapshot that was asked for: the caller stops streaming, opens a SnapshotReader for these tables, reads
/// them with the markers of an initial snapshot and streams on from where it stopped. It stays in offset_state() until
/// blocking_done().
struct BlockingSnapshot {
  std::string id;
  std::vector<TableId> tables;
  std::map<TableId, std::string> selects;
};

class IncrementalSnapshot {
 public:
  IncrementalSnapshot(IncrementalOptions options, IncrementalHost& host) : options_(std::move(options)), host_(host) {}

  /// Borrowed; nullptr while there is no connection: nothing is read then.
  void set_source(ChunkSource* source);
  /// Not ok: the tables it may mean could not be listed and nothing was done; give it again.
  Status handle(const Signal& signal);
  /// Asked for first and not done; nullptr = none.
  const BlockingSnapshot* blocking() const { return blocking_.empty() ? nullptr : &blocking_.front(); }
  void blocking_done() { blocking_.pop_front(); }
  /// Goes on with what an initial snapshot left undone (snapshot_reader.h).
  void resume(SnapshotLedger ledger);

  bool running() const { return !items_.empty(); }
  bool paused() const { return paused_; }
  /// Whether changed() has to be told of this table's rows.
  bool watches(const TableId& table) const { return window_ && window_->id == table && window_->keyed; }
  void changed(std::string_view key) { rows_.remove(key); }
  void table_altered(const TableId& table);
  void mark_deleted(std::string_view id);
  /// Whether advance() would do nothing: the stream has to come further, or there is nothing to do.
  bool waits(const GtidList& streamed) const;
  /// `streamed`: the transactions given out so far, with all domains (gtids_at() of snapshot_view.h when streaming
  /// began by file and position). Blocks for the statements that read one chunk. True: something was done, call again
  /// after emitting.
  Result<bool> advance(const GtidList& streamed);

  /// Debezium's offset keys, `incremental_snapshot_key`, where a restart goes on, and what blocking snapshots are still
  /// to be taken; empty when none runs.
  std::vector<std::pair<std::string, std::string>> offset_state() const;
  /// From an offset. Keys stored by Debezium itself are Java objects: their table starts again. kBadRecord: not
  /// readable.
  Status restore(const std::map<std::string, std::string>& offset);
  /// Of resume(); empty when it has ended.
  std::string ledger_text() const { return ledger_ ? ledger_->text() : std::string(); }

 private:
  struct Item {
    TableId id;
    std::string filter, surrogate, last_key, maximum_key;
    uint64_t rows = 0;
    uint64_t rows_fit = 0;                // into chunk_bytes, as far as it has been read; 0 = all of a chunk
    bool resumed = false, sized = false;  // sized: maximum_key is known
  };
  struct Window {
    TableId id;
    std::string mark, opened_at, last_key;
    std::optional<GtidList> view;
    bool keyed = false, by_mark = false, closed = false;
    bool direct = false;  // read at its close, out of the view that is kept open
    bool whole = false;   // the table ends with it
  };
  enum class Reading { kRows, kTableDone, kLater };

  Status execute(const Signal& signal);
  Status stop(const Signal& signal);
  void end_stopped();
  void tell_stopped(const std::string& names);
  Result<std::vector<TableId>> expand(const std::vector<std::string>& expressions) const;
  Result<bool> open_window(const GtidList& streamed);
  Result<Reading> read_chunk(Window& window, const GtidList& streamed);
  Result<Reading> read_rows(Window& window, ChunkRequest& request);
  void weigh(Item& item) const;
  Status find_bounds(ChunkRequest& request, bool& empty);
  Status close_window();
  Status emit_rows(const TableDefinition& table);
  Status open_mark(Window& window);
  Status close_mark(const Window& window);
  void table_done(std::string_view status);
  void drop_window();
  ChunkRequest request_of(const TableDefinition& table) const;
  std::string collections(bool resumed) const;
  void tell(std::string_view type, std::vector<std::pair<std::string, std::string>> data, bool resumed);
  void tell_end(bool resumed);
  SnapshotLedger::Table* ledger_entry(const TableId& id);

  const IncrementalOptions options_;
  IncrementalHost& host_;
  ChunkSource* source_ = nullptr;
  std::deque<Item> items_;
  std::string signal_id_;
  bool paused_ = false;
  std::optional<std::string> stopping_;  ///< the first item ends with its chunk; what the stop named, empty = all
  std::optional<Window> window_;
  ChunkWindow rows_;
  std::optional<SnapshotLedger> ledger_;
  std::deque<BlockingSnapshot> blocking_;
  std::optional<GtidList> wait_for_;  // after the server's tables were ahead of the stream's definitions
  int alterations_ = 0;               // that kept the chunk at hand from being read
};

/// Notifications of initial and blocking snapshots (golden 184, 185): "Initial Snapshot", a random id each.
Notification initial_notification(IncrementalHost& host, const std::string& connector_name, std::string_view type,
                                  std::vector<std::pair<std::string, std::string>> data);

}  // namespace millrace::mariadb
