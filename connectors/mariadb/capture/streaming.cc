#include "connectors/mariadb/capture/streaming.h"

#include <algorithm>
#include <chrono>

namespace millrace::mariadb {
namespace {

int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string place(const std::string& file, uint64_t position) { return file + ":" + std::to_string(position); }

}  // namespace

Streaming::Streaming(const CaptureConfig& config, sdk::SourceContext& context, SchemaTracker& schemas,
                     HistoryWriter& history, EventWriter& writer, OffsetState& offset)
    : config_(config), context_(context), schemas_(schemas), history_(history), writer_(writer), offset_(offset) {}

Streaming::~Streaming() { stop(); }

Status Streaming::start() {
  stop();
  const SourceOffset& from = offset_.current;
  StreamStart start;
  if (!from.gtids.empty() && !config_.gtid_ignore_on_recovery) start.gtids = from.gtids;
  start.file = from.file;
  start.position = from.file.empty() ? 4 : from.position;
  ConnectionOptions options = config_.connection;
  options.initial_statements.clear();
  auto connection = Connection::open(options);
  if (!connection.ok()) return connection.status();
  dump_connection_ = mysql_thread_id((*connection)->handle());
  auto transport = open_transport(std::move(*connection), start, config_.stream);
  if (!transport.ok()) return transport.status();
  stream_.set(std::make_unique<BinlogStream>(std::move(*transport), config_.stream.queue_bytes_max));
  file_ = from.file;
  high_bits_ = 0;
  last_position_ = 0;
  in_transaction_ = false;
  // After a lost connection the writer knows better than the offset that was stored once.
  resumed_ = writer_.transaction() == nullptr ? from.transaction : *writer_.transaction();
  plan_skipping(from);
  resuming_ = true;
  last_row_ = 0;
  tables_.clear();
  parser_ = EventParser();
  recall_prepared();
  last_event_ms_ = now_ms();
  context_.info("reading the binlog from " +
                (start.gtids ? "GTID " + start.gtids->text() : place(start.file, start.position)));
  return sdk::ok();
}

/// What of the first transaction has been written. A stored offset is that of a record; the one in memory also moves on
/// from event to event, and begins anew while what was written is skipped.
void Streaming::plan_skipping(const SourceOffset& from) {
  if (resuming_) return;  // lost again before anything came
  if (skip_events_ > 0 || skip_rows_ > from.rows) {
    skip_events_ += from.events;  // lost again while skipping
    return;
  }
  skip_events_ = from.events;
  skip_rows_ = from.rows;
  // The record of an event without rows (BEGIN, DDL, END) has been written when an offset tells of the event alone.
  const bool told = stored_ ? from.events > 0 || !resumed_.id.empty() : told_;
  if (from.rows == 0 && told) skip_rows_ = 1;
  stored_ = false;
}

void Streaming::stop() {
  if (!stream_) return;
  block_ = nullptr;
  stream_.reset();
  if (on_closed_) on_closed_(dump_connection_);
}

void Streaming::interrupt() { stream_.interrupt(); }

Status Streaming::poll(int64_t wait_ms) {
  if (block_ == nullptr) {
    auto block = stream_->take(wait_ms);
    if (!block.ok()) {
      const Status failure = stream_failed(block.status());
      stop();
      return failure;
    }
    block_ = *block;
  }
  Bytes raw;
  bool any = false, held = false;
  while (!(held = observer_ != nullptr && !in_transaction_ && observer_->holds()) && block_->next(raw)) {
    any = true;
    if (Status s = handle(raw); !s.ok()) {
      stop();  // the next start reads again from what has been written
      return s;
    }
    if (writer_.full()) {
      if (Status s = writer_.flush(); !s.ok()) {
        stop();  // the rest of the block is read again
        return s;
      }
    }
  }
  if (!held) block_ = nullptr;
  if (any) last_event_ms_ = now_ms();
  return writer_.flush();
}

Status Streaming::stream_failed(const Status& why) {
  const unsigned number = stream_->server_error();
  const std::string at = offset_.current.gtids.empty() ? place(offset_.current.file, offset_.current.position)
                                                       : "GTID " + offset_.current.gtids.text();
  if (number == 1236) {
    return {Code::kInternal,
            "the server cannot send its binlog from " + at + " on: " + why.message() +
                ". Changes after that point may be lost here; snapshot.mode=when_needed reads the tables "
                "again when the connector is restarted, or delete its offsets to begin anew"};
  }
  if (number == 4052) {
    return {Code::kInvalidConfig,
            "another replica or connector uses database.server.id=" + std::to_string(config_.stream.server_id) +
                "; give each its own: " + why.message()};
  }
  return why;
}

uint64_t Streaming::start_of(const EventHeader& header) const {
  return (high_bits_ | header.next_position) - header.length;
}

Status Streaming::handle(Bytes raw) {
  told_ = false;
  auto event = parser_.parse(raw);
  if (!event.ok()) return event.status();
  const EventHeader& header = event->header;
  if (header.type != EventType::kHeartbeat && (header.flags & kArtificialEvent) == 0 && header.next_position != 0) {
    if (header.next_position < last_position_) high_bits_ += uint64_t{1} << 32;
    last_position_ = header.next_position;
  }
  if (Status s = dispatch(*event); !s.ok()) {
    const bool passing = s.code() == Code::kUnavailable || s.code() == Code::kStopped;
    if (passing) return s;
    if (Status failure = failed_event(*event, s); !failure.ok()) return failure;
  }
  if (in_transaction_) {
    ++offset_.current.events;
    offset_.current.rows = 0;
    told_ = false;
    if (skip_events_ > 0)
      --skip_events_;
    else
      skip_rows_ = 0;
  }
  return sdk::ok();
}

Status Streaming::failed_event(const Event& event, const Status& why) {
  const std::string text = "event of type " + std::to_string(static_cast<int>(event.header.type)) + " at " +
                           place(file_, start_of(event.header)) + (gtid_text_.empty() ? "" : ", GTID " + gtid_text_) +
                           ": " + why.message();
  if (config_.on_bad_event == FailureMode::kFail || why.code() == Code::kInvalidConfig) return {why.code(), text};
  if (config_.on_bad_event == FailureMode::kWarn) context_.warn("skipped " + text);
  return sdk::ok();
}

Status Streaming::dispatch(const Event& event) {
  switch (event.header.type) {
    case EventType::kRotate: {
      auto rotate = parse_rotate(event);
      if (!rotate.ok()) return rotate.status();
      file_ = rotate->file;
      high_bits_ = 0;
      last_position_ = 0;
      tables_.clear();
      return sdk::ok();
    }
    case EventType::kGtidList:
      return on_gtid_list(event);
    case EventType::kHeartbeat:
      return sdk::ok();
    case EventType::kGtid:
      return on_gtid(event);
    case EventType::kTableMap:
      return on_table_map(event);
    case EventType::kWriteRowsV1:
    case EventType::kUpdateRowsV1:
    case EventType::kDeleteRowsV1:
    case EventType::kWriteRowsV2:
    case EventType::kUpdateRowsV2:
    case EventType::kDeleteRowsV2:
    case EventType::kWriteRowsCompressed:
    case EventType::kUpdateRowsCompressed:
    case EventType::kDeleteRowsCompressed:
      return on_rows(event);
    case EventType::kQuery:
    case EventType::kQueryCompressed:
      return on_query(event);
    case EventType::kXid:
      return end_transaction(event);
    case EventType::kXaPrepare:
      return end_transaction(event);
    case EventType::kAnnotateRows:
      query_.assign(reinterpret_cast<const char*>(event.body.data()), event.body.size());
      return sdk::ok();
    case EventType::kIncident:
      return {Code::kInternal,
              "the server reports an incident: events may be missing from its binlog here. Check the tables, "
              "then set event.processing.failure.handling.mode=warn to pass it"};
    default:
      return sdk::ok();
  }
}

/// Begun by file and position: what is complete before the file's first transaction.
Status Streaming::on_gtid_list(const Event& event) {
  if (in_transaction_ || !offset_.current.gtids.empty()) return sdk::ok();
  auto list = parse_gtid_list(event);
  if (!list.ok()) return list.status();
  offset_.current.gtids = std::move(*list);
  offset_.render();
  return sdk::ok();
}

Status Streaming::on_gtid(const Event& event) {
  auto parsed = parse_gtid(event);
  if (!parsed.ok()) return parsed.status();
  gtid_event_ = *parsed;
  xid_ = parsed->xid;
  gtid_event_.xid = {};
  gtid_ = parsed->id;
  gtid_text_ = gtid_.text();
  query_.clear();
  SourceOffset& offset = offset_.current;
  const uint64_t position = start_of(event.header);
  if (resuming_) {
    resuming_ = false;
    const bool same = offset.file == file_ && offset.position == position;
    if (!same && (skip_events_ > 0 || skip_rows_ > 0)) {
      // Another server's binlog holds the same transaction in other events: what was written of it cannot be counted.
      if (offset.server_id != 0 && offset.server_id != event.header.server_id) {
        context_.warn("transaction " + gtid_text_ +
                      " is read from another server: its rows are written again from the first");
      }
      skip_events_ = skip_rows_ = 0;
    }
  }
  offset.file = file_;
  offset.position = position;
  offset.events = offset.rows = 0;
  offset.server_id = event.header.server_id;
  offset.time_s = event.header.timestamp_s;
  in_transaction_ = true;
  if (gtid_event_.prepared_xa) defer_prepared();
  if (gtid_event_.ddl || deferring_) return sdk::ok();  // no transaction to tell of
  if (skip_events_ > 0 || skip_rows_ > 0) {
    resumed_.id = gtid_text_;
    writer_.resume_transaction(std::move(resumed_));
    resumed_ = {};
    return sdk::ok();
  }
  const Status begun = writer_.begin_transaction(gtid_text_, int64_t{event.header.timestamp_s} * 1000);
  told_ = begun.ok();
  return begun;
}

Status Streaming::end_transaction(const Event& event) {
  SourceOffset& offset = offset_.current;
  offset.time_s = event.header.timestamp_s;
  if (in_transaction_ && !gtid_event_.ddl && !deferring_ && !(skip_events_ == 0 && skip_rows_ > 0)) {
    if (Status s = writer_.end_transaction(int64_t{event.header.timestamp_s} * 1000); !s.ok()) return s;
  }
  if (in_transaction_) {
    offset.gtids.set(gtid_);
    offset_.render();
  }
  in_transaction_ = deferring_ = false;
  skip_events_ = skip_rows_ = 0;
  offset.file = file_;
  offset.position = high_bits_ | event.header.next_position;
  offset.events = offset.rows = 0;
  return observer_ == nullptr ? sdk::ok() : observer_->transaction_ended(source_of(event));
}

SourceInfo Streaming::source_of(const Event& event) const {
  SourceInfo source;
  source.time_us = int64_t{event.header.timestamp_s} * 1'000'000;
  source.server_id = event.header.server_id;
  source.gtid = gtid_text_;
  source.file = file_;
  source.position = start_of(event.header);
  return source;
}

}  // namespace millrace::mariadb
