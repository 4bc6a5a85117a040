#include "connectors/mariadb/capture/mariadb_task.h"

#include <chrono>

#include "connectors/mariadb/config/server_checks.h"
#include "connectors/mariadb/snapshot/snapshot_plan.h"

namespace millrace::mariadb {
namespace {

constexpr int64_t kWaitMs = 500, kSignalWaitMs = 100, kKillPatienceMs = 2'000;
constexpr std::string_view kVersion = "1.0.0";  // source.version

int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

Status MariaDbTask::start(sdk::SourceContext& context) {
  auto config = CaptureConfig::parse(context.config());
  if (!config.ok()) return config.status();
  config_ = std::move(*config);
  config_->events.version = kVersion;
  offset_ = std::make_unique<OffsetState>(config_->events.topic_prefix);
  mr_value stored{};
  if (Status s = context.stored_offset(offset_->partition(), stored); !s.ok()) return s;
  auto offset = SourceOffset::parse(stored);
  if (!offset.ok()) return offset.status();
  offset_->current = std::move(*offset);
  offset_->render();
  writer_ = std::make_unique<EventWriter>(context, config_->events, config_->values, *offset_);
  offset_->writer = writer_.get();
  schemas_ = std::make_unique<SchemaTracker>([this] { return session(); },
                                             [&context](std::string_view text) { context.warn(text); });
  begun_ = false;
  failures_ = 0;
  return sdk::ok();
}

Result<Connection*> MariaDbTask::session() {
  if (session_ == nullptr || session_->broken() || !session_->query("SELECT 1").ok()) {
    auto opened = Connection::open(config_->connection);
    if (!opened.ok()) return opened.status();
    std::lock_guard lock(guard_);
    session_ = std::move(*opened);
  }
  return session_.get();
}

Status MariaDbTask::poll(sdk::SourceContext& context) {
  Status status = begun_ ? step(context) : begin(context);
  if (status.ok()) {
    failures_ = 0;
    return status;
  }
  if (context.stopping()) return {Code::kStopped, "stopped"};
  return judged(status);
}

/// What the server lacks fails the task, or is warned of, before anything is read.
Status MariaDbTask::check_server_of(sdk::SourceContext& context, Connection& connection) {
  auto needs = ServerNeeds::parse(context.config());
  if (!needs.ok()) return needs.status();
  const std::vector<ServerFinding> findings = check_server(connection, *needs);
  for (const ServerFinding& finding : findings) {
    if (finding.severity == ServerFinding::Severity::kWarning) context.warn("server check: " + to_text(finding));
  }
  return first_error(findings);
}

/// errors.max.retries: passing trouble is tried again that often, then fails the task.
Status MariaDbTask::judged(const Status& why) {
  if (why.code() != Code::kUnavailable) return why;
  ++failures_;
  if (config_->retries_max >= 0 && failures_ > config_->retries_max) {
    return {Code::kInternal, why.message() + " (errors.max.retries=" + std::to_string(config_->retries_max) + ")"};
  }
  return why;
}

Status MariaDbTask::begin(sdk::SourceContext& context) {
  auto connection = session();
  if (!connection.ok()) return connection.status();
  if (Status s = check_server_of(context, **connection); !s.ok()) return s;
  if (Status s = schemas_->read_server_settings(); !s.ok()) return s;
  history_ = std::make_unique<HistoryWriter>(context, config_->history, config_->events.topic_prefix);
  if (Status s = decide(context); !s.ok()) return s;
  begun_ = true;
  return sdk::ok();
}

Status MariaDbTask::decide(sdk::SourceContext& context) {
  SourceOffset& offset = offset_->current;
  auto log = read_server_log(*session_);
  if (!log.ok()) return log.status();
  SnapshotFacts facts;
  if (offset.set()) {
    const bool by_gtid = !config_->gtid_ignore_on_recovery;
    facts.stored = StoredPosition{offset.file, offset.position, by_gtid ? offset.gtids : GtidList(), offset.time_s};
    facts.snapshot_running = !offset.snapshot.empty();
    facts.lost = why_lost(*facts.stored, *log);
  }
  facts.resumable = facts.snapshot_running && offset.extra.contains(kSnapshotLedgerKey);
  SnapshotPlan plan = plan_snapshot(config_->snapshot, facts);
  if (!plan.error.empty()) return {Code::kInternal, plan.error};
  if (!plan.resume) offset.extra.erase(kSnapshotLedgerKey);  // what begins anew must not pass over rows
  // Without a stream to read the rest beside, a second read view does.
  if (plan.resume && !plan.stream) plan.read_data = true;
  if (offset.set() && !plan.read_data && (plan.resume || !facts.snapshot_running)) {
    history_->recover(offset, schemas_->registry());
  }
  if (plan.from_oldest) {
    // No snapshot tells of the server as it was then: what its oldest statements leave open stays open.
    schemas_->registry().forget_charsets();
    offset = SourceOffset{};
    offset.file = log->files.front();
    if (config_->back_fill) offset.extra.set(kCapturedKey, config_->table_lists);
    offset_->render();
  }
  stream_after_snapshot_ = plan.stream;
  incremental_ = std::make_unique<IncrementalCapture>(*config_, context, *schemas_, *writer_, *offset_);
  std::unique_ptr<InitialSnapshot> snapshot;
  if (plan.read_schema || plan.read_data) {
    if (config_->snapshot.delay_ms > 0 && context.wait(config_->snapshot.delay_ms)) return {Code::kStopped, "stopped"};
    snapshot =
        std::make_unique<InitialSnapshot>(*config_, context, *schemas_, *history_, *writer_, *offset_, *incremental_);
  }
  if (offset.set() && !plan.read_data) {
    if (Status s = incremental_->restore(); !s.ok()) return s;
  }
  if (snapshot == nullptr && !plan.resume) incremental_->initial("SKIPPED", {});
  auto streaming = std::make_unique<Streaming>(*config_, context, *schemas_, *history_, *writer_, *offset_);
  streaming->set_observer(incremental_.get());
  streaming->set_on_closed([this](unsigned long connection) {
    // The task's own session may be what was interrupted.
    ConnectionOptions options = config_->connection;
    options.connect_timeout_ms = std::min<int64_t>(options.connect_timeout_ms, kKillPatienceMs);
    auto session = Connection::open(options);
    if (session.ok()) (void)(*session)->execute("KILL " + std::to_string(connection));
  });
  {
    std::lock_guard lock(guard_);
    snapshot_ = std::move(snapshot);
    streaming_ = std::move(streaming);
  }
  return snapshot_ == nullptr ? sdk::ok() : snapshot_->start({plan.read_schema, plan.read_data, plan.keep_position});
}

Status MariaDbTask::step(sdk::SourceContext& context) {
  incremental_->take_posted();
  if (snapshot_ != nullptr) {
    tell_progress(context);
    if (!snapshot_->done()) return read_snapshot();
    if (offset_->current.extra.contains(kSnapshotLedgerKey)) {
      if (Status s = incremental_->restore(); !s.ok()) return s;
    }
    {
      std::lock_guard lock(guard_);
      snapshot_.reset();
    }
    if (stream_after_snapshot_ && config_->snapshot.streaming_delay_ms > 0)
      context.wait(config_->snapshot.streaming_delay_ms);
  }
  if (!stream_after_snapshot_) {
    context.wait(kWaitMs);
    return sdk::ok();
  }
  if (blocking_ != nullptr && blocking_->reached()) return read_blocking(context);
  if (Status s = open_chunk_session(); !s.ok()) return s;  // rows of the signal table need it
  if (!streaming_->started()) {
    if (Status s = streaming_->start(); !s.ok()) return s;
  }
  const bool listens = config_->signals.kafka || config_->signals.file;
  if (Status s = streaming_->poll(listens ? kSignalWaitMs : kWaitMs); !s.ok()) return s;
  tell_progress(context);
  if (streaming_->in_transaction()) return sdk::ok();
  if (Status s = work_on_signals(context); !s.ok()) return s;
  return heartbeat();
}

/// The read view ends with its connection, and when the task is paused: what is left is planned anew.
Status MariaDbTask::read_snapshot() {
  Status read = snapshot_->poll();
  if (read.code() == Code::kUnavailable || read.code() == Code::kStopped) {
    std::lock_guard lock(guard_);
    snapshot_.reset();
    begun_ = false;
  }
  return read;
}

Status MariaDbTask::open_chunk_session() {
  if (chunk_session_ == nullptr || chunk_session_->broken()) {
    incremental_->release();  // it must not end its view by a connection that is gone
    auto opened = Connection::open(config_->connection);
    if (!opened.ok()) return opened.status();
    std::lock_guard lock(guard_);
    chunk_session_ = std::move(*opened);
  }
  incremental_->attach(*chunk_session_);
  return sdk::ok();
}

Status MariaDbTask::work_on_signals(sdk::SourceContext& context) {
  if (Status s = open_chunk_session(); !s.ok()) return s;
  if (Status s = incremental_->work(*chunk_session_); !s.ok()) return s;
  if (auto position = incremental_->take_position()) {
    SourceOffset& offset = offset_->current;
    offset.file = position->file;
    offset.position = position->position;
    offset.gtids = position->gtids.value_or(GtidList());
    offset.events = offset.rows = 0;
    offset_->render();
    context.warn(
        "the stream goes on at " +
        (position->gtids ? "GTID " + offset.gtids.text() : offset.file + ":" + std::to_string(offset.position)) +
        ", as a signal asked for");
    streaming_->stop();
  }
  if (blocking_ == nullptr && incremental_->blocking() != nullptr) {
    if (Status s = open_blocking(context); !s.ok()) return s;
  }
  return writer_->flush();
}

/// Its view is opened here; the stream goes on to where the view is.
Status MariaDbTask::open_blocking(sdk::SourceContext& context) {
  const BlockingCapture::Parts parts{*config_, context, *schemas_, *history_, *writer_, *offset_, *incremental_};
  auto opened = BlockingCapture::open(parts, *incremental_->blocking());
  if (!opened.ok()) return blocking_failed(context, opened.status());
  if (*opened == nullptr) return sdk::ok();  // with the next poll
  incremental_->hold_at((*opened)->place());
  std::lock_guard lock(guard_);
  blocking_ = std::move(*opened);
  return sdk::ok();
}

Status MariaDbTask::read_blocking(sdk::SourceContext& context) {
  tell_progress(context);
  const Status read = blocking_->poll();
  streaming_->schemas_changed();
  if (read.ok() && !blocking_->done()) return heartbeat();
  incremental_->hold_at(std::nullopt);
  const Status result = read.ok() ? read : blocking_failed(context, read);
  std::lock_guard lock(guard_);
  blocking_.reset();
  return result;
}

/// Lost connections are tried again, with a new view. What a signal asked for wrongly must not fail the task, now and
/// at each restart.
Status MariaDbTask::blocking_failed(sdk::SourceContext& context, const Status& why) {
  if (why.code() == Code::kUnavailable || why.code() == Code::kStopped) return why;
  context.warn("a blocking snapshot is given up: " + why.message());
  if (blocking_ == nullptr || !blocking_->settled()) incremental_->blocking_done();
  incremental_->initial("ABORTED", {});
  return writer_->flush();
}

void MariaDbTask::tell_progress(sdk::SourceContext& context) {
  if (now_ms() < next_progress_ms_) return;
  next_progress_ms_ = now_ms() + 1'000;
  const EventWriter::Counters& counters = writer_->counters();
  const auto number = [](std::string_view name, auto value) {
    return mr_progress{sdk::to_mr(name), {nullptr, 0}, static_cast<double>(value)};
  };
  const auto text = [](std::string_view name, std::string_view value) {
    return mr_progress{sdk::to_mr(name), {value.data() == nullptr ? "" : value.data(), value.size()}, 0};
  };
  std::vector<mr_progress> items;
  SnapshotProgress snapshot;
  const bool blocked = snapshot_ == nullptr && blocking_ != nullptr;
  if (snapshot_ != nullptr || blocked) {
    snapshot = blocked ? blocking_->progress() : snapshot_->progress();
    items = {text("phase", blocked ? "blocking snapshot" : "snapshot"),
             text("table", snapshot.table),
             text("chunk_after", snapshot.last_key),
             number("tables_done", snapshot.tables_done),
             number("tables", snapshot.tables_total),
             number("rows_done", snapshot.rows_done),
             number("rows_estimated", snapshot.rows_estimated),
             number("rows_per_second", snapshot.rows_per_second),
             number("seconds_left", snapshot.seconds_left)};
  } else {
    items = {text("phase", incremental_->running() ? "streaming and incremental snapshot" : "streaming"),
             number("milliseconds_since_last_event", now_ms() - streaming_->last_event_ms()),
             text("binlog_file", offset_->current.file), number("binlog_position", offset_->current.position),
             number("source_time_seconds", offset_->current.time_s)};
  }
  for (const auto& [name, value] : {std::pair("events_created", counters.created),
                                    {"events_updated", counters.updated},
                                    {"events_deleted", counters.deleted},
                                    {"events_read", counters.read},
                                    {"events_filtered", counters.filtered + counters.skipped}}) {
    items.push_back(number(name, value));
  }
  context.progress(items);
}

Status MariaDbTask::heartbeat() {
  if (config_->heartbeat_ms <= 0 || now_ms() < next_heartbeat_ms_) return sdk::ok();
  next_heartbeat_ms_ = now_ms() + config_->heartbeat_ms;
  if (!config_->heartbeat_query.empty()) {
    auto connection = session();
    if (!connection.ok()) return connection.status();
    if (Status s = (*connection)->execute(config_->heartbeat_query); !s.ok()) return s;
  }
  if (Status s = writer_->heartbeat(now_ms()); !s.ok()) return s;
  return writer_->flush();
}

Status MariaDbTask::commit(sdk::SourceContext&) {
  if (incremental_ != nullptr) incremental_->committed();
  return sdk::ok();
}

Status MariaDbTask::stop(sdk::SourceContext&) {
  std::lock_guard lock(guard_);
  blocking_.reset();
  streaming_.reset();
  snapshot_.reset();
  incremental_.reset();
  chunk_session_.reset();
  session_.reset();
  history_.reset();
  return sdk::ok();
}

void MariaDbTask::interrupt() {
  std::lock_guard lock(guard_);
  if (streaming_ != nullptr) streaming_->interrupt();
  if (snapshot_ != nullptr) snapshot_->interrupt();
  if (blocking_ != nullptr) blocking_->interrupt();
  if (session_ != nullptr) session_->interrupt();
  if (chunk_session_ != nullptr) chunk_session_->interrupt();
}

}  // namespace millrace::mariadb
