/// One point of the binlog and sessions that see the tables as they were there: how they are made to agree, with locks
/// or without. Threads: one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "connectors/mariadb/binlog/gtid.h"
#include "connectors/mariadb/snapshot/snapshot_options.h"
#include "connectors/mariadb/sql/connection.h"

namespace millrace::mariadb {

/// A place in the binlog, and the time it was taken.
struct BinlogPosition {
  std::string file;
  uint64_t position = 0;
  GtidList gtids;
  int64_t time_us = 0;  ///< by the server's clock
};

struct SnapshotView {
  /// Each inside a REPEATABLE READ transaction at `position`; at least one.
  std::vector<std::unique_ptr<Connection>> sessions;
  /// Holds what is locked, if anything, so that unlocking ends no transaction of the others.
  std::unique_ptr<Connection> lock;
  BinlogPosition position;
  std::vector<std::string> warnings;  ///< for the user: tables outside the view, fewer threads, …

  /// Without a lock: the server tells the position of each session's own read view; sessions are opened anew until all
  /// tell the same, and FLUSH TABLES WITH READ LOCK is held for milliseconds only when a busy server does not let them.
  /// minimal, minimal_at_least_once and extended take that lock first (LOCK TABLES of the tables alone when the user
  /// may not). MySQL tells no position of a view, so it needs the lock in all modes. Errors: kInvalidConfig without a
  /// binlog or a privilege, kUnavailable when a lock cannot be had in time.
  static Result<SnapshotView> open(const ConnectionOptions& connection, const SnapshotOptions& options,
                                   const std::vector<TableId>& tables);
  Status release_lock();
};

/// Begins a consistent REPEATABLE READ transaction.
Status open_read_view(Connection& session);
struct ViewPlace {
  std::string file;
  uint64_t position = 0;
  bool operator==(const ViewPlace&) const = default;
};
/// Where the session's own read view stands; MariaDB only. kInvalidConfig: the server writes no binlog.
Result<ViewPlace> place_of_read_view(Connection& session);
/// The GTIDs before a place of the binlog.
Result<GtidList> gtids_at(Connection& session, const std::string& file, uint64_t position);

/// Whose rows are not in any read view, with their engine: MyISAM, Aria, MEMORY, …
Result<std::vector<std::string>> tables_outside_view(Connection& session, const std::vector<TableId>& tables);

}  // namespace millrace::mariadb
