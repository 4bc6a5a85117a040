/// Debezium's source offset of a binlog connector: where to begin to read again, and how much of what comes then has
/// been written already (reference mariadb-cdc 2.8). Threads: plain value.
#pragma once

#include <millrace/connector.hpp>

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "connectors/common/byte_arena.h"
#include "connectors/mariadb/binlog/gtid.h"
#include "connectors/mariadb/events/event_writer.h"

namespace millrace::mariadb {

/// Entries of an offset that are not its position: what is not ours to read, kept as it came, and the state of
/// snapshots under own names. Tells whether it has changed, as it may be large and goes with every record.
class OffsetExtra {
 public:
  using Map = std::map<std::string, std::string>;
  const Map& entries() const { return entries_; }
  bool contains(std::string_view key) const { return entries_.contains(std::string(key)); }
  /// Empty: none.
  std::string get(std::string_view key) const;
  void set(std::string_view key, std::string value);
  /// Whether there was one.
  bool erase(std::string_view key);
  /// Two with the same number have the same entries; 0 = none.
  uint64_t version() const { return version_; }

 private:
  void changed();
  Map entries_;
  uint64_t version_ = 0;
};

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
  OffsetExtra extra;

  bool set() const { return !file.empty() || !gtids.empty(); }
  static Result<SourceOffset> parse(const mr_value& map);
  /// Content lives in `arena`. Rendered by the caller, when they change: `gtids_text`, what gtids.text() says, and
  /// `extra_items`, keys and values of `extra` in turns, whose content stays where it is.
  mr_value write(connectors::ByteArena& arena, std::string_view gtids_text, const TransactionProgress* running,
                 std::span<const mr_value> extra_items) const;
};

/// Keys of SourceOffset::extra.
inline constexpr std::string_view kSnapshotLedgerKey = "millrace_snapshot_ledger";
inline constexpr std::string_view kCapturedKey = "millrace_captured";

}  // namespace millrace::mariadb
