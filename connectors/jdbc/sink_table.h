/// One destination table: how records of a schema become its columns, its DDL, and its prepared writers.
/// Threads: the task's.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "connectors/jdbc/sink_plan.h"

namespace millrace::jdbc {

class SinkTable {
 public:
  SinkTable(const SinkConfig& config, const Dialect& dialect, TableId id)
      : config_(config), dialect_(dialect), id_(std::move(id)) {}

  /// Writes the waiting records, in order; creates or alters the table first where that is allowed.
  /// `first`: with what the transaction begins.
  Status flush(Session& session, const sdk::TaskContext& context, const mr_record* first);
  /// Empties the table. The database may commit what was written before, unless that must be `undoable`.
  Status truncate(Session& session, bool undoable);
  /// Drops everything that belongs to a session, and what is known of the table.
  void forget();
  const TableId& id() const { return id_; }
  /// The transaction was given up for DDL that would have committed it; the records come again. Counts once.
  bool restarted() { return std::exchange(restarted_, false); }
  /// The table has to change before this record, and the database would commit with that what came before it; the
  /// transaction must end there. Null: no. Counts once.
  const mr_record* cut() { return std::exchange(cut_, nullptr); }

  /// Records of the current put that wait for one statement, and what they have in common.
  std::vector<const mr_record*> waiting;
  mr_schema_id key_schema = 0, value_schema = 0;
  RecordShape shape;
  std::string topic;    ///< only when field lists tell topics apart
  std::string headers;  ///< header_signature()
  bool removing = false;
  bool event_key = false;   ///< removing by a key whose columns a change event made
  bool has_events = false;  ///< the task has seen change events for this table

 private:
  /// Columns, by their place among the plan's others, that a record leaves as they are.
  using Absent = std::vector<uint32_t>;
  struct Prepared {
    mr_schema_id key, value;
    bool remove, event_key;
    std::string topic, headers;
    Absent absent;
    FieldPlan plan;                       // the writer's fallbacks point into its schemas
    std::unique_ptr<BatchWriter> writer;  // null: there is nothing to write
  };
  /// The pointer lives until forget(); null when the records ask for nothing.
  Result<const Prepared*> prepared(Session& session, const sdk::TaskContext& context, const Absent& absent);
  Result<FieldPlan> plan(const sdk::TaskContext& context) const;
  Result<std::unique_ptr<BatchWriter>> prepare(Session& session, const FieldPlan& plan, const Absent& absent) const;
  std::vector<Cell> cells(const std::vector<SinkField>& fields) const;
  bool is_primary_key(const std::vector<std::string>& names) const;
  Status write_runs(Session& session, const sdk::TaskContext& context, const FieldPlan& plan);
  void find_absent(const FieldPlan& plan, const mr_record& record, Absent& absent) const;
  Status ensure(Session& session, const FieldPlan& plan);
  Status create(Session& session, const FieldPlan& plan);
  Status amend(Session& session, const FieldPlan& plan);
  Status refresh(Session& session);
  Status begins_transaction(const Session& session);
  Status change(Session& session, std::string_view sql, const std::vector<ColumnDefinition>& columns);
  /// The column's name as the table has it: exactly the field's, or one that differs in case.
  std::string column_of(const SinkField& field) const;
  std::vector<std::string> columns_of(const std::vector<SinkField>& fields) const;
  std::vector<const SinkField*> missing(const FieldPlan& plan) const;
  std::vector<ColumnDefinition> definitions(const FieldPlan& plan, const std::vector<const SinkField*>& fields,
                                            Status& problem) const;

  const SinkConfig& config_;
  const Dialect& dialect_;
  const TableId id_;
  bool known_ = false, restarted_ = false;
  const mr_record *first_ = nullptr, *cut_ = nullptr;
  std::string type_;  // JDBC's, empty = there is no such table
  std::vector<ColumnInfo> columns_;
  std::vector<std::unique_ptr<Prepared>> prepared_;
  Absent run_absent_, next_absent_;  // kept for their memory
};

}  // namespace millrace::jdbc
