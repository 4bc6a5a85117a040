#include "connectors/mariadb/capture/incremental_capture.h"

#include <re2/re2.h>
#include <algorithm>
#include <chrono>
#include <ctime>
#include <random>

#include "connectors/mariadb/capture/new_tables.h"
#include "connectors/mariadb/snapshot/table_order.h"

namespace millrace::mariadb {
namespace {

int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}
int64_t now_ms() { return now_ns() / 1'000'000; }

constexpr const char* kTopicPlace = "millrace_signal_offset";  // beside the state of what the signals began
constexpr const char* kFilePlace = "millrace_signal_file";     // likewise, as long as the file is kept
constexpr int kSureCommits = 2;                                // a commit tells only of some records

std::string joined(const std::vector<TableId>& tables) {
  std::string text;
  for (const TableId& id : tables) text += (text.empty() ? "" : ",") + id.full();
  return text;
}

}  // namespace

IncrementalCapture::IncrementalCapture(const CaptureConfig& config, sdk::SourceContext& context, SchemaTracker& schemas,
                                       EventWriter& writer, OffsetState& offset)
    : config_(config),
      context_(context),
      schemas_(schemas),
      writer_(writer),
      offset_(offset),
      signals_([&context](const std::string& text) { context.warn(text); }),
      machine_(config.incremental, *this) {
  if (config.signals.file) file_.emplace(config.signals.file_path);
}

IncrementalCapture::~IncrementalCapture() {
  if (topic_ != nullptr && !busy()) (void)topic_->commit();
}

Status IncrementalCapture::restore() {
  const OffsetExtra& extra = offset_.current.extra;
  if (extra.contains(kTopicPlace)) {
    topic_place_ = std::strtoll(extra.get(kTopicPlace).c_str(), nullptr, 10);
    unsettled_ = true;
  }
  if (extra.contains(kFilePlace) && file_) {
    file_place_ = SignalPlace::parse(extra.get(kFilePlace));
    file_->restore(file_place_);
  }
  if (Status s = machine_.restore(extra.entries()); !s.ok())
    context_.warn("the stored incremental snapshot is not resumed: " + s.message());
  if (extra.contains(kSnapshotLedgerKey)) {
    auto ledger = SnapshotLedger::parse(extra.get(kSnapshotLedgerKey));
    if (!ledger.ok()) return ledger.status();
    machine_.resume(std::move(*ledger));
  }
  keep_state();  // nothing may be left to do
  return sdk::ok();
}

void IncrementalCapture::attach(Connection& session) {
  if (&session == session_ && !session.broken()) return;
  release();
  source_ = make_chunk_source(session, config_.incremental.signal_table);
  session_ = &session;
  machine_.set_source(source_.get());
}

void IncrementalCapture::release() {
  machine_.set_source(nullptr);
  source_.reset();
  session_ = nullptr;
}

Status IncrementalCapture::work(Connection& session) {
  attach(session);
  if (config_.back_fill) {
    if (Status s = back_fill(); !s.ok()) return s;
  }
  if (Status s = poll_channels(); !s.ok()) return s;
  if (Status s = take_signals(); !s.ok()) return s;
  // No record may tell of the signal that asks for a position before the offset has it.
  return machine_.running() && !position_ ? advance() : sdk::ok();
}

/// What the lists of tables did not choose before is read from its first row on. Lists and work are in one offset.
Status IncrementalCapture::back_fill() {
  OffsetExtra& extra = offset_.current.extra;
  const std::string before = extra.get(kCapturedKey);
  if (before == config_.table_lists) return sdk::ok();
  if (!before.empty()) {
    const auto captured = captured_tables();
    if (!captured.ok()) return captured.status();
    auto tables = brought_in(before, captured.value());
    Signal signal;
    signal.type = Signal::Type::kExecuteSnapshot;
    signal.id = "new-tables-" + std::to_string(now_ms());
    if (!tables.ok()) {
      context_.warn("tables that were added are not read: " + tables.status().message());
    } else {
      for (const TableId& id : *tables) signal.collections.push_back(RE2::QuoteMeta(id.full()));
    }
    if (!signal.collections.empty()) {
      context_.info(std::to_string(signal.collections.size()) +
                    " tables were added, their rows are read beside the stream");
      extra.set(kCapturedKey, config_.table_lists);  // first, as what tells of the work carries an offset
      if (Status s = machine_.handle(signal); !s.ok()) {
        extra.set(kCapturedKey, before);
        return s;
      }
    }
  }
  extra.set(kCapturedKey, config_.table_lists);
  keep_state();
  return sdk::ok();
}

void IncrementalCapture::take_posted() {
  for (auto json = context_.take_signal(); !json.empty(); json = context_.take_signal()) signals_.offer_document(json);
}

Status IncrementalCapture::poll_channels() {
  const bool due = now_ms() >= next_poll_ms_;
  if (due) next_poll_ms_ = now_ms() + std::min<int64_t>(config_.signals.poll_interval_ms, 1'000);
  if (file_ && due) {
    if (Status s = file_->poll(signals_); !s.ok()) context_.warn(s.message());
  }
  if (!config_.signals.kafka || (topic_ == nullptr && !due)) return sdk::ok();
  if (topic_ == nullptr) {
    auto opened = TopicReader::open_group(config_.signals.kafka_options, config_.signals.kafka_topic,
                                          config_.signals.kafka_group, topic_place_);
    if (!opened.ok()) {
      context_.warn("the signal topic cannot be read: " + opened.status().message());
      return sdk::ok();
    }
    topic_ = std::move(*opened);
  }
  const int64_t before = topic_->place();
  // The client fetches by itself: looking costs nothing.
  if (Status s = poll_topic(*topic_, config_.signals.key, 0, signals_); !s.ok() && s.code() != Code::kNotFound) {
    context_.warn("the signal topic cannot be read: " + s.message());
    topic_.reset();
    return sdk::ok();
  }
  if (topic_->place() != before) {
    topic_place_ = topic_->place();
    unsettled_ = true;
    commits_ = 0;
  }
  return sdk::ok();
}

void IncrementalCapture::committed() {
  settle_file();
  settle_topic();
}

/// The file is kept until an offset that tells of its signals is surely stored; then no offset needs to.
void IncrementalCapture::settle_file() {
  if (!file_ || file_place_ == SignalPlace{} || offset_.given() == file_given_) return;
  if (++file_commits_ < kSureCommits) return;
  file_->stored(file_place_);
  if (!file_->empty()) return;
  file_place_ = {};
  keep_state();
}

/// While something runs, the offset says which signals are known. After that the group does, once the offset of the
/// last record is surely stored.
void IncrementalCapture::settle_topic() {
  if (!unsettled_ || topic_ == nullptr || busy()) return;
  if (++commits_ < kSureCommits) return;
  if (Status s = topic_->commit(); !s.ok()) return context_.warn(s.message());
  unsettled_ = false;
}

void IncrementalCapture::blocking_done() {
  machine_.blocking_done();
  keep_state();
}

Status IncrementalCapture::take_signals() {
  bool any = false;
  while (auto signal = signals_.take()) {
    any = true;
    const SignalPlace before = file_place_;
    if (signal->place) {
      file_place_ = *signal->place;  // first, as what tells of the work carries an offset
      file_given_ = offset_.given();
      file_commits_ = 0;
    }
    if (signal->type == Signal::Type::kLog) {
      context_.info("signal: " + signal->message);
    } else if (signal->type == Signal::Type::kSetBinlogPosition) {
      position_ = std::move(*signal);
    } else {
      if (Status s = machine_.handle(*signal); !s.ok()) {
        file_place_ = before;
        signals_.put_back(std::move(*signal));
        return s;
      }
    }
  }
  if (any) keep_state();
  return sdk::ok();
}

Status IncrementalCapture::advance() {
  // Most transactions end while a chunk waits for the stream, and nothing changes by them.
  while (machine_.running() && !machine_.waits(offset_.current.gtids)) {
    auto more = machine_.advance(offset_.current.gtids);
    keep_state();
    if (!more.ok()) {
      // The connection is opened anew by the next call; nothing of the chunk has been given out.
      if (more.status().code() == Code::kUnavailable) release();
      return more.status();
    }
    if (!*more) break;
    if (Status s = writer_.flush(); !s.ok()) return s;
  }
  return sdk::ok();
}

/// The state goes with the offset of every record from now on.
void IncrementalCapture::keep_state() {
  auto state = machine_.offset_state();
  if (unsettled_ && busy()) state.emplace_back(kTopicPlace, std::to_string(topic_place_));
  if (file_place_ != SignalPlace{}) state.emplace_back(kFilePlace, file_place_.text());
  OffsetExtra& extra = offset_.current.extra;
  for (const std::string& key : state_keys_) {
    if (std::ranges::find(state, key, &std::pair<std::string, std::string>::first) == state.end()) extra.erase(key);
  }
  state_keys_.clear();
  for (auto& [key, value] : state) {
    extra.set(key, std::move(value));
    state_keys_.push_back(std::move(key));
  }
  if (std::string ledger = machine_.ledger_text(); !ledger.empty()) {
    extra.set(kSnapshotLedgerKey, std::move(ledger));
  } else if (extra.erase(kSnapshotLedgerKey)) {
    offset_.current.snapshot.clear();
  }
}

Status IncrementalCapture::row_changed(const TableEvents& events, std::span<const Cell> before,
                                       std::span<const Cell> after) {
  for (const std::span<const Cell> cells : {before, after}) {
    if (cells.empty()) continue;
    if (Status s = encoded_key(events, cells, key_); !s.ok()) return s;
    machine_.changed(key_);
  }
  return sdk::ok();
}

Status IncrementalCapture::signal_row(std::span<const Cell> inserted, std::span<const Cell> deleted) {
  if (!inserted.empty() && config_.signals.source) {
    if (Status s = take_signals(); !s.ok()) return s;  // so that the row's is the only one below
    signals_.offer_row(inserted);
    if (Status s = take_signals(); !s.ok()) {
      (void)signals_.take();  // comes again with its row
      return s;
    }
  }
  if (!deleted.empty()) machine_.mark_deleted(deleted[0].text());
  return sdk::ok();
}

Status IncrementalCapture::transaction_ended(const SourceInfo& last) {
  last_gtid_ = last.gtid;
  last_file_ = last.file;
  last_position_ = last.position;
  if (!machine_.running() || source_ == nullptr) return sdk::ok();
  return advance();
}

const TableDefinition* IncrementalCapture::table(const TableId& id) {
  if (!config_.tables.captures(id)) return nullptr;
  if (const TableDefinition* known = schemas_.registry().find(id)) return known;
  if (session_ == nullptr) return nullptr;
  auto read = schemas_.read_table(*session_, id);
  return read.ok() ? *read : nullptr;
}

/// Failures are passing ones: what asks for the tables waits for them.
Result<std::vector<TableId>> IncrementalCapture::captured_tables() {
  if (session_ == nullptr) return Status(Code::kUnavailable, "no connection to list the tables with");
  auto rows = session_->query(
      "SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES WHERE TABLE_TYPE IN ('BASE TABLE', 'SYSTEM "
      "VERSIONED') "
      "ORDER BY BINARY TABLE_SCHEMA, BINARY TABLE_NAME");
  if (!rows.ok()) {
    const Status& why = rows.status();
    return Status(why.code() == Code::kStopped ? why.code() : Code::kUnavailable,
                  "the captured tables cannot be listed: " + why.message());
  }
  std::vector<TableId> captured;
  for (const SqlRow& row : *rows) {
    TableId id{row[0].value_or(""), row[1].value_or("")};
    if (config_.tables.captures(id)) captured.push_back(std::move(id));
  }
  order_as_debezium(captured);
  return captured;
}

Status IncrementalCapture::key_of(const TableDefinition& table, std::span<const Cell> row, std::string& key) {
  auto events = writer_.table(table, nullptr);
  if (!events.ok()) return events.status();
  return encoded_key(**events, row, key);
}

Status IncrementalCapture::emit(const TableDefinition& table, std::span<const Cell> row, SnapshotMarker marker) {
  auto events = writer_.table(table, nullptr);
  if (!events.ok()) return events.status();
  if (Status s = writer_.row(**events, Operation::kRead, {}, row, place(marker, now_ns() / 1000)); !s.ok()) return s;
  return writer_.full() ? writer_.flush() : sdk::ok();
}

SourceInfo IncrementalCapture::place(SnapshotMarker marker, int64_t time_us) const {
  SourceInfo source;
  source.time_us = time_us;
  source.snapshot = marker;
  source.server_id = offset_.current.server_id;
  source.gtid = last_gtid_;
  source.file = last_file_.empty() ? offset_.current.file : last_file_;
  source.position = last_file_.empty() ? offset_.current.position : last_position_;
  return source;
}

void IncrementalCapture::notify(const Notification& notification) {
  keep_state();
  send(notification);
}

void IncrementalCapture::send(const Notification& notification) {
  const Status s = writer_.notification(notification.id, notification.aggregate_type, notification.type,
                                        notification.additional_data, now_ms());
  if (!s.ok()) context_.warn("a notification could not be sent: " + s.message());
}

void IncrementalCapture::initial(std::string_view type, std::vector<std::pair<std::string, std::string>> data) {
  send(initial_notification(*this, config_.incremental.connector_name, type, std::move(data)));
}

void IncrementalCapture::reading(const TableId& table, std::vector<TableId> all) {
  order_as_debezium(all);
  initial("IN_PROGRESS", {{"current_collection_in_progress", table.full()}, {"data_collections", joined(all)}});
}

void IncrementalCapture::scanned(const TableId& table, const std::vector<TableId>& all, uint64_t rows,
                                 std::string_view status) {
  initial("TABLE_SCAN_COMPLETED", {{"scanned_collection", table.full()},
                                   {"total_rows_scanned", std::to_string(rows)},
                                   {"data_collections", joined(all)},
                                   {"status", std::string(status)}});
}

std::string IncrementalCapture::new_id() {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::random_device random;
  std::string id;
  for (int i = 0; i < 36; ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    const unsigned digit = i == 14 ? 4 : i == 19 ? 8 | (random() & 3) : random() & 15;
    id += dash ? '-' : kDigits[digit];
  }
  return id;
}

std::string IncrementalCapture::now_text() {
  const int64_t now = now_ns();
  const time_t seconds = now / 1'000'000'000;
  tm parts{};
  gmtime_r(&seconds, &parts);
  char text[64];
  const size_t size = std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
  char fraction[16];
  std::snprintf(fraction, sizeof(fraction), ".%09ldZ", static_cast<long>(now % 1'000'000'000));
  return std::string(text, size) + fraction;
}

}  // namespace millrace::mariadb
