/// One record of the schema history, in the JSON that Debezium writes and reads (reference mariadb-cdc 4.6): a
/// connector can go on with the history of the other, both ways.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "connectors/mariadb/binlog/gtid.h"
#include "connectors/mariadb/schema/schema_registry.h"

namespace millrace::mariadb {

struct HistoryStop;

/// A place in the binlog as Debezium's offsets and history records say it.
struct HistoryPosition {
  int64_t ts_sec = 0;
  std::string file;
  uint64_t pos = 0;
  std::string gtids;  ///< empty = none
  int64_t server_id = 0, event = 0, row = 0;
  std::string snapshot;  ///< "INITIAL" …; empty = none

  /// Of an offset or a record's `position`; unknown keys are left out. kBadRecord: not a JSON object.
  static Result<HistoryPosition> parse(std::string_view json);
  std::string json() const;
  /// Whether a statement recorded here has been seen by a connector that stopped at `stop`: by GTIDs where both have
  /// them, else by file and position.
  bool at_or_before(const HistoryStop& stop) const;
};

/// Where a connector stopped, read once for all records that are compared with it.
struct HistoryStop {
  HistoryStop(HistoryPosition at);  // NOLINT(google-explicit-constructor): a position is one

  HistoryPosition position;
  std::optional<GtidList> gtids;  ///< nothing: none, or not a list of them
};

struct HistoryRecord {
  std::string server;  ///< topic.prefix
  HistoryPosition position;
  int64_t ts_ms = 0;
  SchemaChange change;  ///< source_table is not part of the record
};

std::string history_json(const HistoryRecord& record);
/// kBadRecord: not such a document.
Result<HistoryRecord> parse_history(std::string_view json);

}  // namespace millrace::mariadb
