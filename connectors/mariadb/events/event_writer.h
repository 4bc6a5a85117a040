/// Change events in Debezium's form: from rows to records of the plugin ABI, collected in batches and emitted together.
/// Constant parts (source block, headers, names) are laid out once a table version or transaction and copied per row.
/// Threads: the task's.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/common/byte_arena.h"
#include "connectors/mariadb/binlog/table_map.h"
#include "connectors/mariadb/cell.h"
#include "connectors/mariadb/events/event_options.h"
#include "connectors/mariadb/schema/schema_registry.h"
#include "connectors/mariadb/types/value_options.h"

namespace millrace::mariadb {

/// source.snapshot.
enum class SnapshotMarker : uint8_t {
  kFalse,
  kTrue,
  kFirst,
  kFirstInCollection,
  kLastInCollection,
  kLast,
  kIncremental
};

/// Where a change comes from: what the source block says besides names and version.
struct SourceInfo {
  int64_t time_us = 0;  ///< of the change, or of the snapshot; ns are us * 1000
  SnapshotMarker snapshot = SnapshotMarker::kFalse;
  uint32_t server_id = 0;
  std::string_view gtid;  ///< empty = null
  std::string_view file;
  uint64_t position = 0;
  int32_t row = 0;
  std::string_view query;  ///< empty = null
};

/// The source offset that goes with the next records: filled by the caller, read by the writer at each record.
class OffsetProvider {
 public:
  virtual ~OffsetProvider() = default;
  /// The offset map after the record being written; content borrowed until the batch has been emitted.
  virtual mr_value offset(connectors::ByteArena& arena) = 0;
  virtual mr_value partition() = 0;
};

/// A table version ready to write: schemas registered, one plan a column. Made by EventWriter, owned by it.
class TableEvents;

enum class Operation : uint8_t { kCreate, kUpdate, kDelete, kRead };

class EventWriter {
 public:
  EventWriter(sdk::SourceContext& context, EventOptions events, ValueOptions values, OffsetProvider& offsets);
  ~EventWriter();

  /// The plan of a table version; cached until the definition differs. `map` may be nullptr (snapshot). Columns of the
  /// cells given later are in the order of `map`, or of the definition without one.
  Result<TableEvents*> table(const TableDefinition& definition, const TableMap* map);

  /// One change. Key changes become delete, tombstone, create; filters of operations, unchanged rows and columns apply
  /// here.
  Status row(TableEvents& table, Operation operation, std::span<const Cell> before, std::span<const Cell> after,
             const SourceInfo& source);
  Status truncate(TableEvents& table, const SourceInfo& source);
  /// BEGIN and END of provide.transaction.metadata, and the transaction block of the rows between them; nothing when
  /// off.
  Status begin_transaction(std::string_view id, int64_t time_ms);
  Status end_transaction(int64_t time_ms);
  /// A record of the schema change topic; nothing with include.schema.changes=false.
  Status schema_change(const SchemaChange& change, const SourceInfo& source);
  Status heartbeat(int64_t now_ms);
  /// additional_data may be empty (null).
  Status notification(std::string_view id, std::string_view aggregate_type, std::string_view type,
                      std::span<const std::pair<std::string, std::string>> additional_data, int64_t now_ms);

  size_t pending() const;  ///< records not emitted yet
  bool full() const;       ///< max.batch.size reached, or enough bytes
  /// Emits what is pending. Borrowed content of rows must live until here unless copied (cells of kBytes/kText are
  /// copied).
  Status flush();

  struct Counters {
    int64_t created = 0, updated = 0, deleted = 0, read = 0, filtered = 0, skipped = 0;
  };
  const Counters& counters() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The topic and record key a row would get, for deduplication in incremental snapshots: an encoded key, equal for
/// equal keys.
Status encoded_key(const TableEvents& table, std::span<const Cell> cells, std::string& key);

}  // namespace millrace::mariadb
