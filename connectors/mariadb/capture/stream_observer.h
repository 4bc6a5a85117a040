/// What passes in the stream, told to incremental snapshots. Threads: the task's.
#pragma once

#include <span>

#include "connectors/mariadb/cell.h"
#include "connectors/mariadb/events/event_writer.h"
#include "connectors/mariadb/table_id.h"

namespace millrace::mariadb {

class StreamObserver {
 public:
  virtual ~StreamObserver() = default;
  /// Whether row_changed() is to be called for this table's rows.
  virtual bool watches(const TableId& table) const = 0;
  /// Cells in the order that `events` was made for; empty where there is no image.
  virtual Status row_changed(const TableEvents& events, std::span<const Cell> before, std::span<const Cell> after) = 0;
  /// A row of the signal table, in the definition's order. Not ok: nothing was done; the row is to be given again.
  virtual Status signal_row(std::span<const Cell> inserted, std::span<const Cell> deleted) = 0;
  virtual void table_altered(const TableId& table) = 0;
  /// Asked outside of transactions: whether the stream is to stand still here.
  virtual bool holds() const = 0;
  /// All before is written; the offset stands after it. `last`: where its last event was.
  virtual Status transaction_ended(const SourceInfo& last) = 0;
};

}  // namespace millrace::mariadb
