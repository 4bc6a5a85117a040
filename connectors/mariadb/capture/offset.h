/// Debezium's source offset of a binlog connector: where to begin to read again, and how much of what comes then has
/// been written already (reference mariadb-cdc 2.8). Threads: plain value.
#pragma once

#include <millrace/connector.hpp>

#include <cstdint>
#include <map>
#include <string>

#include "connectors/common/byte_arena.h"
#include "connectors/mariadb/binlog/gtid.h"
#include "connectors/mariadb/events/event_writer.h"

namespace millrace::mariadb {

struct SourceOffset {
  std::string file;       ///< of the GTID event that begins the transaction being read; after its end, of what follows
  uint64_t position = 4;  ///< there
  GtidList gtids;         ///< complete before that point
  /// Events of the transaction that are done, its GTID event included; and rows done of the event after these. An
  /// offset with events and no rows comes with the record of an event that has none (DDL, END): that event is done.
  uint64_t events = 0, rows = 0;
  uint32_t server_id = 0;
  int64_t time_s = 0;
  std::string snapshot;             ///< "INITIAL", "BLOCKING", "INCREMENTAL"; empty = none running
  TransactionProgress transaction;  ///< as it was stored; while reading, the event writer has it
  /// What is not ours to read: kept and written as it came, and the state of snapshots under own names.
  std::map<std::string, std::string> extra;

  bool set() const { return !file.empty() || !gtids.empty(); }
  static Result<SourceOffset> parse(const mr_value& map);
  /// Content lives in `arena`; `gtids_text` is what gtids.text() says, rendered once a transaction by the caller.
  mr_value write(connectors::ByteArena& arena, std::string_view gtids_text, const TransactionProgress* running) const;
};

/// Keys of SourceOffset::extra.
inline constexpr std::string_view kSnapshotLedgerKey = "millrace_snapshot_ledger";
inline constexpr std::string_view kCapturedKey = "millrace_captured";

}  // namespace millrace::mariadb
