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
constexpr int64_t kIdleWaitMs = 1000, kTrustedMs = 1000;
constexpr int64_t kPatienceMs = 100;
constexpr size_t kProbedMost = 100, kManyTables = 50;

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
  std::vector<TableId> tables;
  if (!config_->query.empty()) {
    queriers_.push_back(std::make_unique<Querier>(*config_, *dialect_, TableId{}, "query"));
  } else {
    for (const std::string& name : context.list("tables")) {
      auto table = dialect_->table_id(name, JdbcUrl{});  // the table monitor wrote it in full
      if (!table.ok()) return table.status();
      const std::string quoted = dialect_->qualified(*table);
      tables.push_back(*table);
      queriers_.push_back(std::make_unique<Querier>(*config_, *dialect_, std::move(*table), quoted));
    }
  }
  Session::ColumnsByTable columns;
  if (!tables.empty() && (config_->mode != Mode::kBulk || config_->key_from_primary)) {
    auto found = session_->columns_of(tables);
    if (!found.ok()) return found.status();
    columns = std::move(*found);
  }
  for (size_t i = 0; i < queriers_.size(); ++i) {
    const auto found = tables.empty() ? columns.end() : columns.find(tables[i]);
    const std::vector<ColumnInfo> none;
    if (Status s = queriers_[i]->prepare(*session_, context, found == columns.end() ? none : found->second); !s.ok())
      return s;
  }
  return sdk::ok();
}

Status JdbcSourceTask::connect(sdk::SourceContext& context) {
  // After a pause the server may have closed the connection; between one query and the next, asking would cost as much
  // as the query.
  const int64_t now_ms = monotonic_ms(), unused_ms = now_ms - last_use_ms_;
  last_use_ms_ = now_ms;
  if (session_ != nullptr && !session_->broken() && (unused_ms < kTrustedMs || session_->alive())) return sdk::ok();
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
    Querier* const due = next_due();
    // Of many tables each is due at a moment of its own; a little patience lets them be asked together.
    const bool patient = due->can_be_probed() && queriers_.size() >= kManyTables;
    const int64_t due_ms = due->next_query_ms + (patient ? std::min(kPatienceMs, config_->poll_interval_ms / 50) : 0);
    const int64_t wait_ms = due_ms - monotonic_ms();
    if (wait_ms > 0) {
      context.wait(std::min(wait_ms, kIdleWaitMs));
      if (context.stopping() || due_ms > monotonic_ms()) return sdk::ok();
    }
    if (due->can_be_probed()) {
      const Status probed = probe(context);
      if (!probed.ok()) return context.stopping() ? Status(Code::kStopped, "stopped") : failed(probed);
      if (!due->rows_wait()) return probed;
    }
    current_ = due;
  }
  Status status = read(context);
  if (status.ok()) failures_ = 0;
  if (status.ok() && current_->running()) return status;
  if (status.ok()) {
    current_->next_query_ms = monotonic_ms() + (current_->rows_wait() ? 0 : config_->poll_interval_ms);
    current_ = nullptr;
    return status;
  }
  if (context.stopping()) return {Code::kStopped, "stopped"};
  return failed(status);
}

Querier* JdbcSourceTask::next_due() {
  return std::min_element(queriers_.begin(), queriers_.end(),
                          [](const auto& a, const auto& b) { return a->next_query_ms < b->next_query_ms; })
      ->get();
}

/// Asks for some of the tables that are due which have rows. Those that have are read next, in the order in which they
/// were due; the others wait for their next turn. Errors: kUnavailable; for all else the tables tell themselves what is
/// wrong with them.
Status JdbcSourceTask::probe(sdk::SourceContext& context) {
  probed_.clear();
  const int64_t now_ms = monotonic_ms();
  for (const auto& querier : queriers_) {
    if (querier->next_query_ms <= now_ms && querier->can_be_probed()) probed_.push_back(querier.get());
  }
  // The oldest first, or tables at the end would wait for ever where the interval is shorter than a round of all.
  std::stable_sort(probed_.begin(), probed_.end(),
                   [](const Querier* a, const Querier* b) { return a->next_query_ms < b->next_query_ms; });
  if (probed_.size() > kProbedMost) probed_.resize(kProbedMost);
  const auto expect_all = [this] {
    for (Querier* querier : probed_) querier->expect_rows();
    return sdk::ok();
  };
  if (probed_.size() < 2) return expect_all();
  if (Status s = connect(context); !s.ok()) return s;
  Instant end;
  if (uses_timestamp(config_->mode)) {
    auto until = end_of_read(*session_, *config_);
    if (!until.ok()) return until.status();
    end = *until;
  }
  std::string sql;
  for (size_t i = 0; i < probed_.size(); ++i) sql += (i == 0 ? "" : " UNION ALL ") + probed_[i]->probe(i, end);
  auto rows = session_->query(sql);
  if (!rows.ok()) return rows.status().code() == Code::kUnavailable ? rows.status() : expect_all();
  for (const Session::Row& row : *rows)
    probed_[static_cast<size_t>(std::atoi(row[0].value_or("0").c_str()))]->expect_rows();
  const int64_t next_ms = monotonic_ms() + config_->poll_interval_ms;
  for (Querier* querier : probed_) {
    if (!querier->rows_wait()) querier->next_query_ms = next_ms;
  }
  failures_ = 0;
  return sdk::ok();
}

Status JdbcSourceTask::read(sdk::SourceContext& context) {
  if (!current_->running()) {
    if (Status s = connect(context); !s.ok()) return s;
    if (Status s = current_->start(*session_, context); !s.ok()) return s;
  }
  return current_->emit_batch(context);
}

Status JdbcSourceTask::failed(const Status& why) {
  if (session_ != nullptr && session_->broken()) disconnect();
  if (why.code() != Code::kUnavailable || (session_ != nullptr && current_ != nullptr && current_->running()))
    return why;
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
