/// A table version ready to write: its topic, its schemas as the worker numbered them, one plan a column. Made once a
/// version; nothing is looked up per row. Threads: the task's.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "connectors/common/schema_spec.h"
#include "connectors/mariadb/events/event_options.h"
#include "connectors/mariadb/events/event_rules.h"
#include "connectors/mariadb/events/source_block.h"
#include "connectors/mariadb/types/column_plan.h"

namespace millrace::mariadb {

class TableEvents {
 public:
  /// `options` must outlive it. `key_values` are those of keys, see unmapped(). kInvalidConfig: an option cannot hold
  /// for this table; kBadRecord: definition and map do not fit together.
  static Result<std::unique_ptr<TableEvents>> make(sdk::SourceContext& context, const EventOptions& options,
                                                   const ValueOptions& values, const ValueOptions& key_values,
                                                   const TableDefinition& definition, const TableMap* map);
  /// Keys are neither masked, hashed nor cut, nor do their schemas tell source types: `values` without those settings.
  static ValueOptions unmapped(const ValueOptions& values);

  /// Whether it was made of this definition and map.
  bool made_of(const TableDefinition& definition, const TableMap* map) const;

  const TableId& id() const { return definition_.id; }
  const std::string& topic() const { return topic_; }
  const std::string& collection() const { return collection_; }  ///< "db.table"
  const SourceBlock& source() const { return *source_; }
  mr_schema_id key_schema() const { return key_schema_; }  ///< 0 = the table has no key
  mr_schema_id value_schema() const { return value_schema_; }
  size_t cell_count() const { return cell_count_; }

  /// How many values convert() writes: the fields of the row's struct first, then those that only the key has.
  size_t value_count() const { return columns_.size(); }
  size_t field_count() const { return field_count_; }

  /// Values of one row image at `out`; a cell that is not in it is taken from `other`, the row's other image, if that
  /// is not empty. Content is copied to `arena` once. `failures` counts values that became null.
  Status convert(std::span<const Cell> cells, std::span<const Cell> other, connectors::ByteArena& arena, mr_value* out);
  bool has_key() const { return key_schema_ != 0; }
  bool same_key(const mr_value* a, const mr_value* b) const;
  bool same_fields(const mr_value* a, const mr_value* b) const;
  /// The key struct from what convert() wrote.
  mr_value key(const mr_value* values, connectors::ByteArena& arena) const;
  mr_value row(const mr_value* values) const { return struct_value(values, field_count_); }

  /// Of the primary key, see encoded_key().
  Status encode_key(std::span<const Cell> cells, std::string& key) const;

  /// Where this table stands in the counts of the transaction with this serial number (transaction_events.h).
  uint64_t transaction = 0;
  size_t transaction_place = 0;

 private:
  struct Column {
    ColumnPlan plan;
    size_t cell;
    bool in_key, optional;
    int64_t failures = 0;
  };
  TableEvents(const EventOptions& options, const TableDefinition& definition, const TableMap* map,
              sdk::SourceContext& context);
  /// Per column of the definition the place of its cell; columns that the server hides have none.
  Result<std::vector<uint32_t>> cells_of_columns(const TableMap* map) const;
  Status add_columns(const TableMap* map, const ValueOptions& values, const ValueOptions& key_values);
  Status add_column(size_t index, size_t cell, bool in_key, const ValueOptions& values);
  Status add_row_key(const std::vector<size_t>& cells);
  Status register_schemas();
  Status failed(Column& column, const Status& why, mr_value& out);

  sdk::SourceContext& context_;
  const EventOptions& options_;
  TableDefinition definition_;
  std::optional<std::vector<WireColumn>> wire_;
  bool wire_has_names_ = false;
  std::string topic_, collection_, key_field_value_;
  mr_schema_id key_schema_ = 0, value_schema_ = 0;
  std::optional<SourceBlock> source_;
  size_t cell_count_ = 0, field_count_ = 0;
  std::vector<Column> columns_;
  std::vector<std::string> field_names_;  ///< of columns_, adjusted
  std::vector<size_t> key_;               ///< places in columns_
  struct RowKeyColumn {
    ColumnPlan plan;  // for texts alone, whose bytes differ between SELECT and binlog
    size_t cell;
  };
  std::vector<RowKeyColumn> row_key_;  ///< what tells its rows apart, whatever the settings make of keys and values
};

}  // namespace millrace::mariadb
