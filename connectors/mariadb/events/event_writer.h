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
  /// The offset map after the record being written; content borrowed until the next call or the batch has been emitted.
  virtual mr_value offset(connectors::ByteArena& arena) = 0;
  virtual mr_value partition() = 0;
};

/// A table version ready to write: schemas registered, one plan a column. Made by EventWriter, owned by it.
class TableEvents;

/// How far a transaction has come, as its rows and its END count it. Offsets carry it so that the counts go on after a
/// restart: transaction_id and transaction_data_collection_order_<db.table>.
struct TransactionProgress {
  std::string id;
  int64_t total = 0;
  std::vector<std::pair<std::string, int64_t>> collections;  ///< "db.table" and its rows, in order of appearance
};

enum class Operation : uint8_t { kCreate, kUpdate, kDelete, kRead };

class EventWriter {
 public:
  EventWriter(sdk::SourceContext& context, EventOptions events, ValueOptions values, OffsetProvider& offsets);
  ~EventWriter();

  /// The plan of a table version; cached until the definition differs. `map` may be nullptr (snapshot). Columns of the
  /// cells given later are in the order of `map`, or of the definition without one. It compares both in full, about
  /// 20 ns a column: call it once a table map event, or keep the answer for as long as both are the same. The answer
  /// lives until four newer versions of the table have been made, or until the flush after a schema_change() that drops
  /// or renames it. kBadRecord: definition and map do not fit together; kInvalidConfig: a setting cannot hold here.
  Result<TableEvents*> table(const TableDefinition& definition, const TableMap* map);

  /// One change. Key changes become delete, tombstone, create; filters of operations, unchanged rows and columns apply
  /// here. `before` is empty for kCreate and kRead, `after` for kDelete; a cell of `after` that is absent is taken from
  /// `before`. kBadRecord: nothing was written.
  Status row(TableEvents& table, Operation operation, std::span<const Cell> before, std::span<const Cell> after,
             const SourceInfo& source);
  Status truncate(TableEvents& table, const SourceInfo& source);
  /// BEGIN and END of provide.transaction.metadata, and the transaction block of the rows between them; nothing when
  /// off.
  Status begin_transaction(std::string_view id, int64_t time_ms);
  Status end_transaction(int64_t time_ms);
  /// Of the transaction begun last, nullptr outside of one; counts the row being written when an OffsetProvider asks.
  const TransactionProgress* transaction() const;
  /// After a restart within a transaction: its rows are counted on from here, without another BEGIN.
  void resume_transaction(TransactionProgress progress);
  /// A record of the schema change topic; nothing with include.schema.changes=false.
  /// Always to be called, as it also forgets versions of tables that are gone.
  Status schema_change(const SchemaChange& change, const SourceInfo& source);
  Status heartbeat(int64_t now_ms);
  /// additional_data may be empty (null). Nothing without the channel `sink`.
  Status notification(std::string_view id, std::string_view aggregate_type, std::string_view type,
                      std::span<const std::pair<std::string, std::string>> additional_data, int64_t now_ms);

  size_t pending() const;  ///< records not emitted yet
  bool full() const;       ///< max.batch.size reached, or 4 MB
  /// Emits what is pending. Borrowed content of rows must live until here unless copied (cells of kBytes/kText are
  /// copied). When it fails all stays pending for another call.
  Status flush();

  struct Counters {
    int64_t created = 0, updated = 0, deleted = 0, read = 0;
    int64_t filtered = 0;  ///< by skipped.operations
    int64_t skipped = 0;   ///< updates without change
  };
  const Counters& counters() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// What tells a row from the others of its table, for deduplication in incremental snapshots: its primary key in bytes,
/// equal for equal keys whether the cells come from a SELECT or from the binlog. Not the key of its records, which
/// message.key.columns may give to many rows. Empty for a table without primary key.
Status encoded_key(const TableEvents& table, std::span<const Cell> cells, std::string& key);

}  // namespace millrace::mariadb
