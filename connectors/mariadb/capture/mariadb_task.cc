#include "connectors/mariadb/capture/mariadb_task.h"

#include <chrono>

#include "connectors/mariadb/snapshot/snapshot_plan.h"

namespace millrace::mariadb {
namespace {

constexpr int64_t kWaitMs = 500;

int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

Status MariaDbTask::start(sdk::SourceContext& context) {
  auto config = CaptureConfig::parse(context.config());
  if (!config.ok()) return config.status();
  config_ = std::move(*config);
  config_->events.connector_name = context.name();
  offset_ = std::make_unique<OffsetState>(config_->events.topic_prefix);
  mr_value stored{};
  if (Status s = context.stored_offset(offset_->partition(), stored); !s.ok()) return s;
  auto offset = SourceOffset::parse(stored);
  if (!offset.ok()) return offset.status();
  offset_->current = std::move(*offset);
  offset_->render();
  writer_ = std::make_unique<EventWriter>(context, config_->events, config_->values, *offset_);
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
  if (Status s = schemas_->read_server_settings(); !s.ok()) return s;
  if (history_ == nullptr) {
    auto history = HistoryWriter::open(context, config_->history, config_->events.topic_prefix);
    if (!history.ok()) return history.status();
    history_ = std::move(*history);
  }
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
  const SnapshotPlan plan = plan_snapshot(config_->snapshot, facts);
  if (!plan.error.empty()) return {Code::kInternal, plan.error};
  if (offset.set() && !plan.read_data && !facts.snapshot_running) {
    if (Status s = history_->recover(offset, schemas_->registry()); !s.ok()) return s;
  }
  if (plan.from_oldest) {
    offset = SourceOffset{};
    offset.file = log->files.front();
    offset_->render();
  }
  stream_after_snapshot_ = plan.stream;
  std::unique_ptr<InitialSnapshot> snapshot;
  if (plan.read_schema || plan.read_data) {
    if (config_->snapshot.delay_ms > 0 && context.wait(config_->snapshot.delay_ms)) return {Code::kStopped, "stopped"};
    snapshot = std::make_unique<InitialSnapshot>(*config_, context, *schemas_, history_.get(), *writer_, *offset_);
  }
  auto streaming = std::make_unique<Streaming>(*config_, context, *schemas_, history_.get(), *writer_, *offset_);
  {
    std::lock_guard lock(guard_);
    snapshot_ = std::move(snapshot);
    streaming_ = std::move(streaming);
  }
  return snapshot_ == nullptr ? sdk::ok() : snapshot_->start({plan.read_schema, plan.read_data});
}

Status MariaDbTask::step(sdk::SourceContext& context) {
  if (snapshot_ != nullptr) {
    if (!snapshot_->done()) return snapshot_->poll();
    std::lock_guard lock(guard_);
    snapshot_.reset();
    if (stream_after_snapshot_ && config_->snapshot.streaming_delay_ms > 0)
      context.wait(config_->snapshot.streaming_delay_ms);
  }
  if (!stream_after_snapshot_) {
    context.wait(kWaitMs);
    return sdk::ok();
  }
  if (!streaming_->started()) {
    if (Status s = streaming_->start(); !s.ok()) return s;
  }
  if (Status s = streaming_->poll(kWaitMs); !s.ok()) return s;
  return heartbeat();
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

Status MariaDbTask::stop(sdk::SourceContext&) {
  std::lock_guard lock(guard_);
  streaming_.reset();
  snapshot_.reset();
  session_.reset();
  history_.reset();
  return sdk::ok();
}

void MariaDbTask::interrupt() {
  std::lock_guard lock(guard_);
  if (streaming_ != nullptr) streaming_->interrupt();
  if (snapshot_ != nullptr) snapshot_->interrupt();
  if (session_ != nullptr) session_->interrupt();
}

}  // namespace millrace::mariadb
