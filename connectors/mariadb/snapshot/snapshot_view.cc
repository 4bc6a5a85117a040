#include "connectors/mariadb/snapshot/snapshot_view.h"

#include <algorithm>
#include <charconv>
#include <tuple>

#include "connectors/mariadb/snapshot/table_key.h"

namespace millrace::mariadb {
namespace {

using Sessions = std::vector<std::unique_ptr<Connection>>;

// File names of one server grow in length, then by their digits.
auto order_of(const ViewPlace& place) {
  return std::make_tuple(place.file.size(), std::string_view(place.file), place.position);
}

constexpr std::string_view kNoBinlog =
    "the server writes no binlog, so changes cannot be captured; start it with log_bin, binlog_format=ROW and "
    "binlog_row_image=FULL";

uint64_t number_of(const std::string& text) {
  uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

/// Where the server's binlog ends, which is the place of views opened under a lock.
Result<ViewPlace> place_of_server(Connection& session) {
  auto rows = session.query("SHOW MASTER STATUS");
  if (!rows.ok()) rows = session.query("SHOW BINARY LOG STATUS");  // MySQL since 8.4
  if (!rows.ok()) return rows.status();
  if (rows->empty() || rows->front().size() < 2 || !rows->front()[0] || !rows->front()[1])
    return Status(Code::kInvalidConfig, std::string(kNoBinlog));
  return ViewPlace{*rows->front()[0], number_of(*rows->front()[1])};
}

/// Opens the views of all sessions again that are not where the newest is, until all are there.
Result<std::optional<ViewPlace>> agree(Sessions& sessions) {
  constexpr int kRounds = 30;
  std::vector<ViewPlace> places(sessions.size());
  for (int round = 0; round < kRounds; ++round) {
    const ViewPlace newest = *std::max_element(places.begin(), places.end(),
                                               [](const auto& a, const auto& b) { return order_of(a) < order_of(b); });
    for (size_t i = 0; i < sessions.size(); ++i) {
      if (round > 0 && places[i] == newest) continue;
      if (Status s = open_read_view(*sessions[i]); !s.ok()) return s;
      auto place = place_of_read_view(*sessions[i]);
      if (!place.ok()) return place.status();
      places[i] = std::move(place.value());
    }
    if (std::all_of(places.begin(), places.end(), [&](const ViewPlace& p) { return p == places.front(); }))
      return std::optional(places.front());
  }
  return std::optional<ViewPlace>{};
}

Status set_lock_timeout(Connection& session, int64_t timeout_ms) {
  const int64_t seconds = std::max<int64_t>((timeout_ms + 999) / 1000, 1);
  return session.execute("SET SESSION lock_wait_timeout = " + std::to_string(seconds));
}

Status lock_failed(const Status& s, const SnapshotOptions& options) {
  return {s.code(), s.message() + "; the snapshot's lock was not granted within snapshot.lock.timeout.ms=" +
                        std::to_string(options.lock_timeout_ms) +
                        "; leave out snapshot.locking.mode to read without any lock"};
}

/// FLUSH TABLES WITH READ LOCK, or the captured tables alone when the user may not lock all.
Status take_lock(SnapshotView& view, const SnapshotOptions& options, const std::vector<TableId>& tables) {
  if (Status s = set_lock_timeout(*view.lock, options.lock_timeout_ms); !s.ok()) return s;
  const Status global = view.lock->execute("FLUSH TABLES WITH READ LOCK");
  if (global.ok()) return global;
  constexpr unsigned kPrivilegeMissing = 1227, kAccessDenied = 1045, kDenied = 1142;
  const unsigned error = view.lock->last_error();
  if ((error != kPrivilegeMissing && error != kAccessDenied && error != kDenied) || tables.empty())
    return lock_failed(global, options);
  // FLUSH TABLES … WITH READ LOCK would want the same privilege again; this one keeps writers out as well.
  std::string list;
  for (const TableId& table : tables) list += (list.empty() ? "" : ", ") + sql_name(table) + " READ";
  const Status some = view.lock->execute("LOCK TABLES " + list);
  if (!some.ok()) return lock_failed(some, options);
  view.warnings.push_back(
      "the user may not lock all tables (privilege RELOAD); the captured tables were locked one by one instead");
  return some;
}

Result<ViewPlace> open_locked(SnapshotView& view) {
  for (auto& session : view.sessions) {
    if (Status s = open_read_view(*session); !s.ok()) return s;
  }
  if (!view.sessions.front()->is_mariadb()) return place_of_server(*view.lock);
  // With only some tables locked others are written, so each view must tell its own place.
  auto agreed = agree(view.sessions);
  if (!agreed.ok()) return agreed.status();
  if (*agreed) return **agreed;
  return Status(Code::kUnavailable,
                "the connections of snapshot.max.threads found no common point of the binlog; set it to 1, or grant "
                "RELOAD so that all tables can be locked for a moment");
}

Status connect(SnapshotView& view, const ConnectionOptions& connection, const SnapshotOptions& options) {
  for (int i = 0; i < std::max(options.max_threads, 1); ++i) {
    auto opened = Connection::open(connection);
    if (!opened.ok()) return opened.status();
    if (Status s = set_lock_timeout(*opened.value(), options.lock_timeout_ms); !s.ok()) return s;
    view.sessions.push_back(std::move(opened.value()));
  }
  return sdk::ok();
}

Status complete_position(SnapshotView& view, ViewPlace place) {
  Connection& session = *view.sessions.front();
  view.position.file = std::move(place.file);
  view.position.position = place.position;
  auto time = session.scalar("SELECT CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS UNSIGNED)");
  if (!time.ok()) return time.status();
  view.position.time_us = static_cast<int64_t>(number_of(time->value_or("0")));
  if (!session.is_mariadb()) return sdk::ok();
  auto gtids = gtids_at(session, view.position.file, view.position.position);
  if (!gtids.ok()) return gtids.status();
  view.position.gtids = std::move(gtids.value());
  return sdk::ok();
}

bool locks(SnapshotLocking locking) {
  return locking == SnapshotLocking::kMinimal || locking == SnapshotLocking::kMinimalAtLeastOnce ||
         locking == SnapshotLocking::kExtended;
}

Status warn_of_tables(SnapshotView& view, const SnapshotOptions& options, const std::vector<TableId>& tables) {
  auto outside = tables_outside_view(*view.sessions.front(), tables);
  if (!outside.ok()) return outside.status();
  if (outside->empty() || options.locking == SnapshotLocking::kExtended) return sdk::ok();
  std::string list;
  for (const std::string& table : outside.value()) list += (list.empty() ? "" : ", ") + table;
  view.warnings.push_back(
      "tables without transactions are read as they are at the moment, so their changes during the "
      "snapshot may come twice: " +
      list + "; snapshot.locking.mode=extended prevents it, at the price of a global read lock");
  return sdk::ok();
}

}  // namespace

Status open_read_view(Connection& session) {
  if (Status s = session.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ"); !s.ok()) return s;
  return session.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT");
}

Result<ViewPlace> place_of_read_view(Connection& session) {
  auto rows = session.query("SHOW STATUS LIKE 'binlog_snapshot%'");
  if (!rows.ok()) return rows.status();
  ViewPlace place;
  for (const SqlRow& row : rows.value()) {
    if (row.size() < 2 || !row[0] || !row[1]) continue;
    std::string name = *row[0];
    std::transform(name.begin(), name.end(), name.begin(), [](char c) { return static_cast<char>(c | 0x20); });
    if (name.ends_with("file")) place.file = *row[1];
    if (name.ends_with("position")) place.position = number_of(*row[1]);
  }
  if (place.file.empty()) return Status(Code::kInvalidConfig, std::string(kNoBinlog));
  return place;
}

Result<GtidList> gtids_at(Connection& session, const std::string& file, uint64_t position) {
  auto gtids =
      session.scalar("SELECT BINLOG_GTID_POS('" + session.escaped(file) + "', " + std::to_string(position) + ")");
  if (!gtids.ok()) return gtids.status();
  if (!*gtids) {
    return Status(Code::kUnavailable, "the server does not tell the GTID position of " + file + ":" +
                                          std::to_string(position) + "; was the binlog just reset or purged?");
  }
  return GtidList::parse(**gtids);
}

Result<SnapshotView> SnapshotView::open(const ConnectionOptions& connection, const SnapshotOptions& options,
                                        const std::vector<TableId>& tables) {
  SnapshotView view;
  if (Status s = connect(view, connection, options); !s.ok()) return s;
  const bool wants_lock = locks(options.locking) || !view.sessions.front()->is_mariadb();
  std::optional<ViewPlace> place;
  if (!wants_lock) {
    auto agreed = agree(view.sessions);
    if (!agreed.ok()) return agreed.status();
    place = std::move(agreed.value());
  }
  if (!place) {
    auto lock = Connection::open(connection);
    if (!lock.ok()) return lock.status();
    view.lock = std::move(lock.value());
    if (Status s = take_lock(view, options, tables); !s.ok()) return s;
    auto locked = open_locked(view);
    if (!locked.ok()) return locked.status();
    place = std::move(locked.value());
    if (!wants_lock) {
      if (Status s = view.release_lock(); !s.ok()) return s;
    }
  }
  if (Status s = complete_position(view, std::move(*place)); !s.ok()) return s;
  if (Status s = warn_of_tables(view, options, tables); !s.ok()) return s;
  return view;
}

Status SnapshotView::release_lock() {
  if (lock == nullptr) return sdk::ok();
  const Status s = lock->execute("UNLOCK TABLES");
  lock.reset();  // ends the lock in any case
  return s;
}

Result<std::vector<std::string>> tables_outside_view(Connection& session, const std::vector<TableId>& tables) {
  std::vector<std::string> outside;
  auto rows = session.query(
      "SELECT TABLE_SCHEMA, TABLE_NAME, ENGINE FROM information_schema.TABLES WHERE TABLE_TYPE = 'BASE TABLE' AND "
      "ENGINE IN (SELECT ENGINE FROM information_schema.ENGINES WHERE TRANSACTIONS IS NULL OR TRANSACTIONS <> 'YES') "
      "AND TABLE_SCHEMA NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys')");
  if (!rows.ok()) return rows.status();
  for (const SqlRow& row : rows.value()) {
    if (!row[0] || !row[1] || !row[2]) continue;
    const TableId id{*row[0], *row[1]};
    if (std::find(tables.begin(), tables.end(), id) != tables.end())
      outside.push_back(id.full() + " (" + *row[2] + ")");
  }
  return outside;
}

}  // namespace millrace::mariadb
