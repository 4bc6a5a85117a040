#include "connectors/jdbc/source_task.h"

#include <algorithm>
#include <chrono>

namespace millrace::jdbc {
namespace {

constexpr std::string_view kNoTable =
    "Task is being killed because it was not assigned a table nor a query to execute. If run in table mode please make "
    "sure that the tables "
    "exist on the database. If the table does exist on the database, we recommend using the fully qualified table "
    "name.";
constexpr int64_t kIdleWaitMs = 1000;

int64_t monotonic_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

Status JdbcSourceTask::start(sdk::SourceContext& context) {
  // The table monitor has no list yet: this task waits to be replaced.
  idle_ = context.string("tables").empty() && context.string("tables.fetched") == "false";
  auto config = SourceConfig::parse(context.config());
  if (!config.ok()) return config.status();
  config_ = std::move(*config);
  dialect_ = make_dialect(config_->connection.url, config_->quote_identifiers);
  if (idle_) return sdk::ok();
  if (config_->query.empty() && context.string("tables").empty()) return {Code::kInvalidConfig, std::string(kNoTable)};
  if (Status s = connect(context); !s.ok()) return s;
  warn_of_ignored_parameters(context, config_->connection);
  warn_of_time_zone(context);
  return make_queriers(context);
}

Status JdbcSourceTask::make_queriers(sdk::SourceContext& context) {
  queriers_.clear();
  if (!config_->query.empty()) {
    queriers_.push_back(std::make_unique<Querier>(*config_, *dialect_, TableId{}, "query"));
  } else {
    for (const std::string& name : context.list("tables")) {
      auto table = dialect_->table_id(name, JdbcUrl{});  // the table monitor wrote it in full
      if (!table.ok()) return table.status();
      const std::string quoted = dialect_->qualified(*table);
      queriers_.push_back(std::make_unique<Querier>(*config_, *dialect_, std::move(*table), quoted));
    }
  }
  for (const auto& querier : queriers_) {
    if (Status s = querier->prepare(*session_, context, querier == queriers_.front()); !s.ok()) return s;
  }
  return sdk::ok();
}

Status JdbcSourceTask::connect(sdk::SourceContext& context) {
  if (session_ != nullptr && !session_->broken()) return sdk::ok();
  disconnect();
  auto session = open_session(config_->connection, false, [&](int64_t wait_ms) { return context.wait(wait_ms); });
  if (!session.ok()) return session.status();
  {
    std::lock_guard lock(session_guard_);
    session_ = std::move(*session);
  }
  if (config_->isolation.empty()) return sdk::ok();
  Status isolated = session_->set_isolation(config_->isolation);
  if (!isolated.ok()) context.warn("transaction.isolation.mode is not in effect: " + isolated.message());
  return sdk::ok();
}

void JdbcSourceTask::disconnect() {
  for (const auto& querier : queriers_) querier->abandon();
  std::lock_guard lock(session_guard_);
  session_.reset();
}

void JdbcSourceTask::warn_of_time_zone(sdk::SourceContext& context) {
  if (!uses_timestamp(config_->mode)) return;
  auto zone = session_->zone_now();
  if (!zone.ok()) return;
  const int64_t offset = zone->offset_seconds;
  const int64_t expected = config_->read.clock.zone.offset_at(zone->utc_seconds);
  if (offset == expected) return;
  context.warn("the session's time zone is " + std::to_string(offset / 60) + " minutes from UTC, but db.timezone=" +
               context.string("db.timezone") + " means " + std::to_string(expected / 60) +
               ": rows will arrive late or not at all; set db.timezone to the zone of the server");
}

Status JdbcSourceTask::poll(sdk::SourceContext& context) {
  if (idle_) {
    context.wait(kIdleWaitMs);
    return sdk::ok();
  }
  if (current_ == nullptr) {
    const auto due = std::min_element(queriers_.begin(), queriers_.end(),
                                      [](const auto& a, const auto& b) { return a->next_query_ms < b->next_query_ms; });
    const int64_t wait_ms = (*due)->next_query_ms - monotonic_ms();
    if (wait_ms > 0) {
      context.wait(std::min(wait_ms, kIdleWaitMs));
      if (context.stopping() || (*due)->next_query_ms > monotonic_ms()) return sdk::ok();
    }
    current_ = due->get();
  }
  Status status = read(context);
  if (status.ok()) failures_ = 0;
  if (status.ok() && current_->running()) return status;
  if (status.ok()) {
    current_->next_query_ms = monotonic_ms() + config_->poll_interval_ms;
    current_ = nullptr;
    return status;
  }
  if (context.stopping()) return {Code::kStopped, "stopped"};
  return failed(status);
}

Status JdbcSourceTask::read(sdk::SourceContext& context) {
  if (!current_->running()) {
    // After a pause the connection may have been closed by the server; asking is cheap beside a query.
    if (session_ != nullptr && !session_->alive()) disconnect();
    if (Status s = connect(context); !s.ok()) return s;
    if (Status s = current_->start(*session_, context); !s.ok()) return s;
  }
  return current_->emit_batch(context);
}

Status JdbcSourceTask::failed(const Status& why) {
  if (session_ != nullptr && session_->broken()) disconnect();
  if (why.code() != Code::kUnavailable || (session_ != nullptr && current_->running())) return why;
  ++failures_;
  if (config_->retry_attempts > 0 && failures_ >= config_->retry_attempts) {
    return {Code::kInternal, "Failed to query table after retries: " + why.message()};
  }
  return why;
}

Status JdbcSourceTask::stop(sdk::SourceContext&) {
  disconnect();
  queriers_.clear();
  current_ = nullptr;
  return sdk::ok();
}

void JdbcSourceTask::interrupt() {
  std::lock_guard lock(session_guard_);
  if (session_ != nullptr) session_->interrupt();
}

}  // namespace millrace::jdbc
