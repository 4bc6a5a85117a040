/// One destination table: how records of a schema become its columns, its DDL, and its prepared writers.
/// Threads: the task's.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "connectors/jdbc/sink_config.h"
#include "connectors/jdbc/sql.h"

namespace millrace::jdbc {

/// A column as the records of one schema pair fill it.
struct SinkField {
  std::string name;
  const mr_schema* schema = nullptr;  ///< owned by the host
  CellSource source;
  CellForm form = CellForm::kText;
  bool key = false, optional = false;
};

/// Which columns records of one (key schema, value schema) have.
struct FieldPlan {
  std::vector<SinkField> keys;    ///< in the order of pk.fields or the key schema
  std::vector<SinkField> others;  ///< in the order of the value schema
  std::vector<SinkField> all;     ///< in the order of CREATE TABLE

  /// `key`, `value`: null = no schema. Errors: kInvalidConfig with Connect's words.
  static Result<FieldPlan> make(const SinkConfig& config, const TableId& table, const sdk::TaskContext& context,
                                const mr_schema* key, const mr_schema* value);
};

class SinkTable {
 public:
  SinkTable(const SinkConfig& config, const Dialect& dialect, TableId id)
      : config_(config), dialect_(dialect), id_(std::move(id)) {}

  /// The prepared writer for records of these schemas; creates or alters the table first where that is allowed.
  /// `remove`: it deletes by key. The pointer lives until forget().
  Result<BatchWriter*> writer(Session& session, const sdk::TaskContext& context, mr_schema_id key, mr_schema_id value,
                              bool remove);
  /// Drops everything that belongs to a session, and what is known of the table.
  void forget();
  const TableId& id() const { return id_; }

  /// Records of the current put that wait for the statement of `key_schema`, `value_schema`.
  std::vector<const mr_record*> waiting;
  mr_schema_id key_schema = 0, value_schema = 0;
  bool removing = false;

 private:
  Status ensure(Session& session, const FieldPlan& plan);
  Status create(Session& session, const FieldPlan& plan);
  Status amend(Session& session, const FieldPlan& plan);
  Status refresh(Session& session);
  std::vector<const SinkField*> missing(const FieldPlan& plan) const;
  std::vector<ColumnDefinition> definitions(const std::vector<const SinkField*>& fields, Status& problem) const;

  struct Prepared {
    mr_schema_id key, value;
    bool remove;
    FieldPlan plan;  // the writer's fallbacks point into its schemas
    std::unique_ptr<BatchWriter> writer;
  };
  const SinkConfig& config_;
  const Dialect& dialect_;
  const TableId id_;
  bool known_ = false;
  std::string type_;  // JDBC's, empty = there is no such table
  std::vector<ColumnInfo> columns_;
  std::vector<Prepared> prepared_;
};

}  // namespace millrace::jdbc
