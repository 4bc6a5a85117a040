/// What a start of the connector has to do before it streams: read schemas, read data, both or neither, by
/// snapshot.mode and by what is left from earlier runs. Pure; the facts come from read_server_log() and the offsets.
/// Threads: plain values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "connectors/mariadb/binlog/gtid.h"
#include "connectors/mariadb/snapshot/snapshot_options.h"
#include "connectors/mariadb/sql/connection.h"

namespace millrace::mariadb {

/// The binlog that the server still has.
struct ServerLog {
  std::vector<std::string> files;  ///< SHOW BINARY LOGS, oldest first; empty = the binlog is off
  GtidList oldest;                 ///< state before the first event of the first file; empty on MySQL or without GTIDs
  GtidList newest;                 ///< @@gtid_binlog_pos
};
/// Needs REPLICATION SLAVE or BINLOG MONITOR. kInvalidConfig: the binlog is off, or the privilege is missing.
Result<ServerLog> read_server_log(Connection& connection);

/// Where an earlier run stopped.
struct StoredPosition {
  std::string file;
  uint64_t position = 0;
  GtidList gtids;      ///< empty = streaming by file and position
  int64_t time_s = 0;  ///< ts_sec of the offset; 0 = unknown
};

/// Empty when streaming can go on from `stored`; else what is missing, since when, and what to do. With GTIDs the file
/// is not looked at: another server of the cluster names its files differently.
std::string why_lost(const StoredPosition& stored, const ServerLog& log);

struct SnapshotFacts {
  std::optional<StoredPosition> stored;
  bool snapshot_running = false;  ///< the stored offset is of a snapshot that did not end
  bool resumable = false;         ///< … of which a SnapshotLedger is stored; `lost` is then about its cut
  bool schema_known = true;       ///< the schema history could be read (or is not needed)
  std::string lost;               ///< why_lost() of the stored position; empty = still on the server
};

struct SnapshotPlan {
  bool read_schema = false, read_data = false, stream = true;
  /// Go on with the stored SnapshotLedger (snapshot_reader.h); nothing else is read.
  bool resume = false;
  /// Schemas alone are read; the stream goes on at the stored position.
  bool keep_position = false;
  /// Stream from the oldest file, not from the snapshot's or the stored position (mode `never` without an offset).
  bool from_oldest = false;
  /// Why nothing can be done: for the user, says what to set. Empty = go.
  std::string error;
  bool operator==(const SnapshotPlan&) const = default;
};

SnapshotPlan plan_snapshot(const SnapshotOptions& options, const SnapshotFacts& facts);

}  // namespace millrace::mariadb
