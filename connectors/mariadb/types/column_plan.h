/// From a cell to a Connect value: one plan a column and table version, made once, then called per row without looking
/// anything up. Snapshot and stream use the same plan. TYPES.md has the whole table of types and modes.
#pragma once

#include <memory>

#include "connectors/common/byte_arena.h"
#include "connectors/common/schema_spec.h"
#include "connectors/mariadb/binlog/table_map.h"
#include "connectors/mariadb/cell.h"
#include "connectors/mariadb/schema/table_definition.h"
#include "connectors/mariadb/types/value_options.h"

namespace millrace::mariadb {

/// Threads: one at a time (character sets and hashes have a state).
class ColumnPlan {
 public:
  /// `wire` is how the column lies in row events, nullptr for a snapshot before any row event was seen; it only fills
  /// what the definition does not say. kInvalidConfig when an option cannot hold for this column.
  static Result<ColumnPlan> make(const TableId& table, const ColumnDefinition& column, const WireColumn* wire,
                                 const ValueOptions& options);
  ColumnPlan(ColumnPlan&&) noexcept;
  ColumnPlan& operator=(ColumnPlan&&) noexcept;
  ~ColumnPlan();

  /// The field's schema: type, semantic name, default, parameters.
  const connectors::SchemaSpec& schema() const;
  /// `out` may point into `arena` or borrow from the cell. kBadRecord: the value cannot be represented; the message
  /// names the column, the value and the option that would help.
  Status convert(const Cell& cell, connectors::ByteArena& arena, mr_value& out) const;

 private:
  struct Impl;
  explicit ColumnPlan(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace::mariadb
