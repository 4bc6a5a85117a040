/// Signals and incremental snapshots beside the stream: what the state machine of snapshot/ needs of the capture loop.
/// Threads: the task's.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "connectors/mariadb/capture/capture_config.h"
#include "connectors/mariadb/capture/offset_state.h"
#include "connectors/mariadb/capture/schema_tracker.h"
#include "connectors/mariadb/capture/stream_observer.h"
#include "connectors/mariadb/events/event_writer.h"
#include "connectors/mariadb/kafka/topic_io.h"
#include "connectors/mariadb/snapshot/incremental_snapshot.h"
#include "connectors/mariadb/snapshot/signal_file.h"
#include "connectors/mariadb/snapshot/signals.h"

namespace millrace::mariadb {

class IncrementalCapture final : public StreamObserver, private IncrementalHost {
 public:
  ~IncrementalCapture() override;
  IncrementalCapture(const CaptureConfig& config, sdk::SourceContext& context, SchemaTracker& schemas,
                     EventWriter& writer, OffsetState& offset);

  /// Goes on with what the stored offset tells of.
  Status restore();
  /// Takes what was posted to the worker; call it often from the start on.
  void take_posted();
  /// The session of what is read beside the stream. Signals need one: call it before the stream is polled. It must
  /// outlive this object or release().
  void attach(Connection& session);
  void release();
  /// Between polls of the stream, outside of a transaction: reads the channels and does what is due.
  Status work(Connection& session);
  /// The offsets of some records have been stored: signals that they tell of need not be read again.
  void committed();
  /// A blocking snapshot that was asked for; nullptr = none. The caller runs it and says when it is done.
  const BlockingSnapshot* blocking() const { return machine_.blocking(); }
  void blocking_done();
  /// Where the stream is to stand still; nothing = nowhere.
  void hold_at(std::optional<GtidList> place) { hold_ = std::move(place); }
  /// A position that the signal set-binlog-position asks for; the caller restarts the stream there.
  std::optional<Signal> take_position() { return std::exchange(position_, std::nullopt); }
  bool running() const { return machine_.running(); }
  /// Where the stream was last, with the time `time_us`: the source block of rows that are read beside it.
  SourceInfo place(SnapshotMarker marker, int64_t time_us) const;
  /// Sends a notification of an initial or blocking snapshot.
  void initial(std::string_view type, std::vector<std::pair<std::string, std::string>> data);
  /// … that `table`, one of `all`, is begun, or that `rows` of it have been read.
  void reading(const TableId& table, std::vector<TableId> all);
  void scanned(const TableId& table, const std::vector<TableId>& all, uint64_t rows, std::string_view status);

  bool watches(const TableId& table) const override { return machine_.watches(table); }
  Status row_changed(const TableEvents& events, std::span<const Cell> before, std::span<const Cell> after) override;
  Status signal_row(std::span<const Cell> inserted, std::span<const Cell> deleted) override;
  void table_altered(const TableId& table) override { machine_.table_altered(table); }
  bool holds() const override { return hold_ && offset_.current.gtids.contains_all(*hold_); }
  Status transaction_ended(const SourceInfo& last) override;

 private:
  const TableDefinition* table(const TableId& id) override;
  Result<std::vector<TableId>> captured_tables() override;
  Status key_of(const TableDefinition& table, std::span<const Cell> row, std::string& key) override;
  Status emit(const TableDefinition& table, std::span<const Cell> row, SnapshotMarker marker) override;
  void notify(const Notification& notification) override;
  void warn(const std::string& text) override { context_.warn(text); }
  std::string new_id() override;
  std::string now_text() override;

  Status back_fill();
  Status poll_channels();
  void settle_file();
  void settle_topic();
  Status take_signals();
  Status advance();
  void keep_state();
  void send(const Notification& notification);
  bool busy() const { return machine_.running() || machine_.blocking() != nullptr; }

  const CaptureConfig& config_;
  sdk::SourceContext& context_;
  SchemaTracker& schemas_;
  EventWriter& writer_;
  OffsetState& offset_;
  SignalQueue signals_;
  IncrementalSnapshot machine_;
  std::optional<Signal> position_;
  std::unique_ptr<TopicReader> topic_;
  // Signals of the topic that were read, but not said to be done with: where the next is, and commits seen since then.
  int64_t topic_place_ = 0;
  bool unsettled_ = false;
  int commits_ = 0;
  // Signals of the file: up to where offsets tell of them, the records that had been given one when the last was taken,
  // and commits seen since another was.
  std::optional<SignalFile> file_;
  SignalPlace file_place_;
  uint64_t file_given_ = 0;
  int file_commits_ = 0;
  std::optional<GtidList> hold_;
  Connection* session_ = nullptr;  // that source_ reads from
  std::unique_ptr<ChunkSource> source_;
  std::vector<std::string> state_keys_;
  std::string key_;
  std::string last_gtid_, last_file_;  // of the event streamed last
  uint64_t last_position_ = 0;
  int64_t next_poll_ms_ = 0;
};

}  // namespace millrace::mariadb
