/// How far a snapshot has come: kept as one JSON text in the source offset, so that it survives kill -9.
/// Threads: plain values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "connectors/mariadb/snapshot/snapshot_view.h"
#include "connectors/mariadb/table_id.h"

namespace millrace::mariadb {

struct SnapshotLedger {
  BinlogPosition cut;  ///< the first read view; streaming starts here
  struct Table {
    TableId id;
    bool done = false;
    std::string last_key;  ///< JSON array of the last key emitted; empty = none
    uint64_t rows = 0;
  };
  std::vector<Table> tables;
  bool done() const;
  const Table* find(const TableId& id) const;  ///< nullptr: none
  std::string text() const;
  /// kBadRecord: not such a text.
  static Result<SnapshotLedger> parse(std::string_view text);
};

}  // namespace millrace::mariadb
