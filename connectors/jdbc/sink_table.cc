#include "connectors/jdbc/sink_table.h"

#include <algorithm>

namespace millrace::jdbc {
namespace {

/// SinkRecordField{schema=Schema{STRING}, name='x', isPrimaryKey=false}
std::string described(const SinkField& field) {
  const std::string_view name = sdk::view(field.schema->name);
  return "SinkRecordField{schema=Schema{" + std::string(name) + (name.empty() ? "" : ":") + type_name(*field.schema) +
         "}, name='" + field.name + "', isPrimaryKey=" + (field.key ? "true" : "false") + "}";
}

std::string described(const std::vector<const SinkField*>& fields) {
  std::string out = "[";
  for (const SinkField* field : fields) out += (out.size() == 1 ? "" : ", ") + described(*field);
  return out + "]";
}

std::vector<ColumnInfo> infos_of(const std::vector<ColumnDefinition>& definitions) {
  std::vector<ColumnInfo> columns;
  for (const ColumnDefinition& definition : definitions)
    columns.push_back({definition.name, definition.optional, false});
  return columns;
}

}  // namespace

std::string SinkTable::column_of(const SinkField& field) const {
  const std::string name = dialect_.stored(field.name);
  const ColumnInfo* alike = nullptr;
  for (const ColumnInfo& column : columns_) {
    if (column.name == name) return field.name;
    if (lower(column.name) == lower(name)) alike = &column;
  }
  return alike != nullptr ? alike->name : field.name;
}

void SinkTable::forget() {
  prepared_.clear();
  waiting.clear();
  known_ = false;
}

Status SinkTable::refresh(Session& session) {
  auto type = session.table_type(id_);
  if (!type.ok()) return type.status();
  type_ = std::move(*type);
  columns_.clear();
  if (!type_.empty()) {
    auto columns = session.columns(id_);
    if (!columns.ok()) return columns.status();
    columns_ = std::move(*columns);
  }
  known_ = true;
  return sdk::ok();
}

std::vector<const SinkField*> SinkTable::missing(const FieldPlan& plan) const {
  std::vector<const SinkField*> fields;
  for (const SinkField& field : plan.all) {
    const std::string name = lower(dialect_.stored(field.name));
    const bool found = std::any_of(columns_.begin(), columns_.end(),
                                   [&](const ColumnInfo& column) { return lower(column.name) == name; });
    if (!found) fields.push_back(&field);
  }
  return fields;
}

Status SinkTable::ensure(Session& session, const FieldPlan& plan) {
  if (!known_) {
    if (Status s = refresh(session); !s.ok()) return s;
  }
  const bool usable =
      std::find(config_.table_types.begin(), config_.table_types.end(), lower(type_)) != config_.table_types.end();
  if (!usable) {
    if (!type_.empty()) {
      return {Code::kInvalidConfig,
              double_quoted(id_) + " exists, but is a " + type_ + "; add it to table.types to write into it"};
    }
    if (Status s = create(session, plan); !s.ok()) return s;
  }
  return amend(session, plan);
}

std::vector<ColumnDefinition> SinkTable::definitions(const FieldPlan& plan, const std::vector<const SinkField*>& fields,
                                                     Status& problem) const {
  std::vector<ColumnDefinition> columns;
  for (const SinkField* field : fields) {
    const bool epoch = field->form == CellForm::kEpochMicros || field->form == CellForm::kEpochNanos;
    const mr_schema& one = field->element != nullptr ? *field->element : *field->schema;
    std::string type = plan.event && !epoch ? dialect_.event_column_type(one, field->key)
                                            : dialect_.column_type(one, field->key, epoch);
    if (field->element != nullptr && !type.empty()) type = dialect_.array_of(type, field->array_depth);
    ColumnDefinition column{field->name, type, field->optional, "", field->key};
    if (field->source.from == CellSource::From::kTopic) column.type = dialect_.topic_type();
    if (column.type.empty()) {
      const std::string_view name = sdk::view(field->schema->name);
      problem = {Code::kInvalidConfig, (name.empty() ? std::string("null") : std::string(name)) + " (" +
                                           type_name(*field->schema) +
                                           ") type doesn't have a mapping to the SQL database column type (field '" +
                                           field->name + "' for table " + double_quoted(id_) + ")"};
      return columns;
    }
    if (field->schema->has_default != 0 && field->schema->default_value.kind != MR_NULL) {
      const mr_value& value = field->schema->default_value;
      column.default_text = plan.event ? dialect_.event_literal(*field->schema, field->form, value, config_.write)
                                       : dialect_.literal(*field->schema, value, config_.write);
    }
    columns.push_back(std::move(column));
  }
  return columns;
}

/// Rows committed by DDL that comes behind them would come again when a later one is refused. Under exactly once the
/// transaction starts again instead, as the offsets of all records move in one.
Status SinkTable::begins_transaction(const Session& session) {
  if (config_.exactly_once || session.ddl_in_transactions() || waiting.front() == first_) return sdk::ok();
  cut_ = waiting.front();
  return {Code::kUnavailable, "the records before a change of the table go into a transaction of their own"};
}

Status SinkTable::change(Session& session, std::string_view sql, const std::vector<ColumnDefinition>& columns) {
  if (!session.ddl_in_transactions()) {
    // It would commit offsets without their rows, and end the savepoint of those who look for bad records.
    if (Status s = session.execute("ROLLBACK"); !s.ok()) return s;
    restarted_ = true;
  }
  return session.change_table(id_, sql, infos_of(columns));
}

Status SinkTable::create(Session& session, const FieldPlan& plan) {
  if (!config_.auto_create) {
    return {Code::kInvalidConfig, "Table " + double_quoted(id_) +
                                      " is missing and auto-creation is disabled; create it or set auto.create=true"};
  }
  std::vector<const SinkField*> fields;
  for (const SinkField& field : plan.all) fields.push_back(&field);
  Status problem;
  const std::vector<ColumnDefinition> columns = definitions(plan, fields, problem);
  if (!problem.ok()) return problem;
  if (Status s = begins_transaction(session); !s.ok()) return s;
  const std::string sql = dialect_.create(id_, columns);
  const Status created = change(session, sql, columns);
  if (session.broken()) return created;
  if (Status s = refresh(session); !s.ok()) return s;
  // Another task may have been faster; then its table will do.
  if (!created.ok() && type_.empty()) return {created.code(), created.message() + " in: " + sql};
  return sdk::ok();
}

Status SinkTable::amend(Session& session, const FieldPlan& plan) {
  for (int64_t attempt = 0;; ++attempt) {
    const std::vector<const SinkField*> fields = missing(plan);
    if (fields.empty()) return sdk::ok();
    if (type_ != "TABLE") {
      std::string kind = lower(type_), upper = type_;
      if (!kind.empty()) kind[0] = static_cast<char>(kind[0] - 32);
      return {Code::kInvalidConfig, kind + " " + double_quoted(id_) + " is missing fields (" + described(fields) +
                                        ") and ALTER " + upper + " is unsupported"};
    }
    for (const SinkField* field : fields) {
      // A change event tells of a column that its source added the same way: there the older rows got zeros.
      if (plan.event || field->optional || field->schema->has_default != 0) continue;
      return {Code::kInvalidConfig, "Cannot ALTER TABLE " + double_quoted(id_) + " to add missing field " +
                                        described(*field) +
                                        ", as the field is not optional and does not have a default value"};
    }
    if (!config_.auto_evolve) {
      return {Code::kInvalidConfig, "Table " + double_quoted(id_) + " is missing fields (" + described(fields) +
                                        ") and auto-evolution is disabled"};
    }
    Status problem;
    const std::vector<ColumnDefinition> columns = definitions(plan, fields, problem);
    if (!problem.ok()) return problem;
    if (Status s = begins_transaction(session); !s.ok()) return s;
    const Status altered = change(session, dialect_.alter(id_, columns), columns);
    if (session.broken()) return altered;
    if (Status s = refresh(session); !s.ok()) return s;
    if (!altered.ok() && attempt >= config_.retries_max) {
      return {altered.code(), "Failed to amend TABLE '" + double_quoted(id_) +
                                  "' to add missing fields: " + described(fields) + ": " + altered.message()};
    }
  }
}

}  // namespace millrace::jdbc
