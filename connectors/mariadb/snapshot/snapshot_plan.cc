#include "connectors/mariadb/snapshot/snapshot_plan.h"

#include <algorithm>
#include <ctime>

namespace millrace::mariadb {
namespace {

constexpr std::string_view kWhatToDo =
    "set snapshot.mode=when_needed to read the tables again, or keep the binlog longer (binlog_expire_logs_seconds)";

std::string utc(int64_t seconds) {
  const std::time_t time = seconds;
  std::tm parts{};
  gmtime_r(&time, &parts);
  char text[40];
  std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

std::string since(const StoredPosition& stored) {
  return stored.time_s > 0 ? ", reached at " + utc(stored.time_s) + "," : "";
}

/// The first domain in which the server has purged more than was read.
std::string purged(const StoredPosition& stored, const ServerLog& log) {
  for (const auto& [domain, gone] : log.oldest.by_domain()) {
    if (stored.gtids.contains(gone)) continue;
    const auto at = stored.gtids.by_domain().find(domain);
    const std::string had = at == stored.gtids.by_domain().end() ? "nothing of domain " + std::to_string(domain)
                                                                 : "only " + at->second.text();
    return "the stored position " + stored.gtids.text() + since(stored) +
           " is no longer on the server: its oldest binlog file " + log.files.front() + " begins after " + gone.text() +
           ", of which " + had + " has been read";
  }
  return {};
}

/// A server that lacks what was read already is not the one read before, or it was reset.
std::string ahead(const StoredPosition& stored, const ServerLog& log) {
  for (const auto& [domain, read] : stored.gtids.by_domain()) {
    if (log.newest.contains(read)) continue;
    return "the stored position " + stored.gtids.text() + since(stored) +
           " is not known to the server, which stands at " +
           (log.newest.empty() ? "no transaction" : log.newest.text()) + " (" + read.text() +
           " is missing): another server, a restored one, or RESET MASTER";
  }
  return {};
}

SnapshotPlan failed(std::string error) {
  SnapshotPlan plan;
  plan.stream = false;
  plan.error = std::move(error);
  return plan;
}

SnapshotPlan snapshot(bool data, bool stream = true) {
  SnapshotPlan plan;
  plan.read_schema = true;
  plan.read_data = data;
  plan.stream = stream;
  return plan;
}

/// Going on where an earlier run stopped.
SnapshotPlan resume(const SnapshotFacts& facts) {
  if (!facts.lost.empty()) return failed(facts.lost + "; " + std::string(kWhatToDo));
  if (!facts.schema_known) {
    return failed(
        "the schema history is missing although a position is stored; set snapshot.mode=recovery to rebuild it from "
        "the "
        "server's tables (safe when no table was altered since), or snapshot.mode=when_needed to read all again");
  }
  return {};
}

SnapshotPlan recovery(const SnapshotFacts& facts) {
  if (!facts.stored) {
    return failed(
        "snapshot.mode=recovery rebuilds the schema history for a stored position, but none is stored; use "
        "snapshot.mode=initial");
  }
  if (facts.snapshot_running)
    return failed("snapshot.mode=recovery needs a completed snapshot, but the last one was broken off; use initial");
  if (!facts.lost.empty()) return failed(facts.lost + "; " + std::string(kWhatToDo));
  SnapshotPlan plan = snapshot(false);
  plan.keep_position = true;
  return plan;
}

SnapshotPlan configured(const SnapshotOptions& options, const SnapshotFacts& facts) {
  SnapshotPlan plan;
  plan.stream = options.based.stream;
  const bool fresh = !facts.stored || facts.snapshot_running;
  if (fresh) {
    plan.read_schema = options.based.schema;
    plan.read_data = options.based.data;
    plan.from_oldest = !plan.read_schema && !plan.read_data;
  } else if (!facts.lost.empty()) {
    if (!options.based.on_data_error)
      return failed(facts.lost + "; set snapshot.mode.configuration.based.snapshot.on.data.error=true to read again");
    plan.read_data = plan.read_schema = true;
  } else if (!facts.schema_known) {
    if (!options.based.on_schema_error)
      return failed(
          "the schema history is missing; set snapshot.mode.configuration.based.snapshot.on.schema.error=true");
    plan.read_schema = plan.keep_position = true;
  }
  if (plan.read_data) plan.read_schema = true;  // rows cannot be read without the columns
  return plan;
}

}  // namespace

std::string why_lost(const StoredPosition& stored, const ServerLog& log) {
  if (log.files.empty()) return "the server has no binlog (SHOW BINARY LOGS is empty)";
  if (!stored.gtids.empty() && !log.newest.empty()) {
    std::string reason = ahead(stored, log);
    return reason.empty() ? purged(stored, log) : reason;
  }
  if (stored.file.empty() || std::find(log.files.begin(), log.files.end(), stored.file) != log.files.end()) return {};
  return "the stored position " + stored.file + ":" + std::to_string(stored.position) + since(stored) +
         " is no longer on the server: it has the binlog files " + log.files.front() + " to " + log.files.back();
}

SnapshotPlan plan_snapshot(const SnapshotOptions& options, const SnapshotFacts& facts) {
  const bool fresh = !facts.stored || facts.snapshot_running;
  const bool goes_on = options.mode == SnapshotMode::kInitial || options.mode == SnapshotMode::kInitialOnly ||
                       options.mode == SnapshotMode::kWhenNeeded;
  if (goes_on && facts.snapshot_running && facts.resumable && facts.schema_known && facts.lost.empty()) {
    SnapshotPlan plan;
    plan.resume = true;
    plan.stream = options.mode != SnapshotMode::kInitialOnly;
    return plan;
  }
  switch (options.mode) {
    case SnapshotMode::kAlways:
      return snapshot(true);
    case SnapshotMode::kInitial:
      return fresh ? snapshot(true) : resume(facts);
    case SnapshotMode::kInitialOnly: {
      SnapshotPlan plan;
      plan.stream = false;
      return fresh ? snapshot(true, false) : plan;
    }
    case SnapshotMode::kNoData:
      return fresh ? snapshot(false) : resume(facts);
    case SnapshotMode::kRecovery:
      return recovery(facts);
    case SnapshotMode::kWhenNeeded:
      return fresh || !facts.lost.empty() || !facts.schema_known ? snapshot(true) : SnapshotPlan{};
    case SnapshotMode::kNever: {
      SnapshotPlan plan = facts.stored ? resume(facts) : SnapshotPlan{};
      plan.from_oldest = !facts.stored;
      return plan;
    }
    case SnapshotMode::kConfigurationBased:
      return configured(options, facts);
  }
  return {};
}

Result<ServerLog> read_server_log(Connection& connection) {
  auto rows = connection.query("SHOW BINARY LOGS");
  if (!rows.ok()) {
    constexpr unsigned kNoBinaryLogging = 1381;
    if (connection.last_error() == kNoBinaryLogging) {
      return Status(Code::kInvalidConfig,
                    "the server writes no binlog; start it with log_bin, binlog_format=ROW and binlog_row_image=FULL");
    }
    return rows.status();
  }
  ServerLog log;
  for (const SqlRow& row : rows.value()) {
    if (!row.empty() && row.front()) log.files.push_back(*row.front());
  }
  if (log.files.empty() || !connection.is_mariadb()) return log;
  auto oldest = connection.scalar("SELECT BINLOG_GTID_POS('" + connection.escaped(log.files.front()) + "', 4)");
  if (!oldest.ok()) return oldest.status();
  auto newest = connection.scalar("SELECT @@GLOBAL.gtid_binlog_pos");
  if (!newest.ok()) return newest.status();
  auto parsed = GtidList::parse(oldest->value_or(""));
  if (!parsed.ok()) return parsed.status();
  log.oldest = std::move(parsed.value());
  parsed = GtidList::parse(newest->value_or(""));
  if (!parsed.ok()) return parsed.status();
  log.newest = std::move(parsed.value());
  return log;
}

}  // namespace millrace::mariadb
