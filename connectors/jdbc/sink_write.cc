/// The writing half of SinkTable: prepared statements per schema pair, and runs of records that leave columns alone.
#include <algorithm>
#include <cstring>

#include "connectors/jdbc/sink_table.h"

namespace millrace::jdbc {
namespace {

constexpr size_t kPreparedMax = 128;  // statements of one table

bool holds_text(const SinkField& field) { return field.form == CellForm::kText || field.form == CellForm::kBytes; }

}  // namespace

Status SinkTable::flush(Session& session, const sdk::TaskContext& context, const mr_record* first) {
  first_ = first;
  if (waiting.empty()) return sdk::ok();
  if (prepared_.size() >= kPreparedMax) prepared_.clear();
  if (event_key) {
    // Whatever the events before this one wrote is gone with its table, or compacted away: nothing to delete.
    if (Status s = known_ ? sdk::ok() : refresh(session); !s.ok()) return s;
    if (type_.empty() && config_.auto_create) return sdk::ok();
  }
  auto found = prepared(session, context, {});
  if (!found.ok()) return found.status();
  const Prepared& all = **found;
  const bool partly = !removing && config_.insert_mode != InsertMode::kInsert && !config_.unavailable.empty() &&
                      std::any_of(all.plan.others.begin(), all.plan.others.end(), holds_text);
  Status s;
  if (partly) {
    s = write_runs(session, context, all.plan);
  } else if (all.writer != nullptr) {
    s = all.writer->write(waiting);
  }
  if (s.ok()) return s;
  return {s.code(), "Write to table " + double_quoted(id_) + " failed: " + s.message()};
}

Status SinkTable::truncate(Session& session, bool undoable) {
  if (!known_) {
    if (Status s = refresh(session); !s.ok()) return s;
  }
  if (type_.empty() && config_.auto_create) return sdk::ok();  // it will be empty when it comes
  if (undoable && !session.ddl_in_transactions()) return session.execute(dialect_.remove(id_, {}));
  return session.change_table(id_, dialect_.truncate(id_), {});
}

/// Consecutive records that leave the same columns alone go into one statement.
Status SinkTable::write_runs(Session& session, const sdk::TaskContext& context, const FieldPlan& plan) {
  const std::span<const mr_record* const> records = waiting;
  find_absent(plan, *records[0], run_absent_);
  for (size_t begin = 0; begin < records.size();) {
    size_t end = begin + 1;
    for (; end < records.size(); ++end) {
      find_absent(plan, *records[end], next_absent_);
      if (next_absent_ != run_absent_) break;
    }
    auto found = prepared(session, context, run_absent_);
    if (!found.ok()) return found.status();
    if ((*found)->writer != nullptr) {
      if (Status s = (*found)->writer->write(records.subspan(begin, end - begin)); !s.ok()) return s;
    }
    begin = end;
    run_absent_.swap(next_absent_);
  }
  return sdk::ok();
}

void SinkTable::find_absent(const FieldPlan& plan, const mr_record& record, Absent& absent) const {
  absent.clear();
  const std::string& mark = config_.unavailable;
  for (uint32_t i = 0; i < plan.others.size(); ++i) {
    if (!holds_text(plan.others[i])) continue;
    const mr_value value = cell_of(record, plan.others[i].source);
    if ((value.kind == MR_STRING || value.kind == MR_BYTES) && value.size == mark.size() &&
        std::memcmp(value.u.bytes, mark.data(), mark.size()) == 0) {
      absent.push_back(i);
    }
  }
}

Result<const SinkTable::Prepared*> SinkTable::prepared(Session& session, const sdk::TaskContext& context,
                                                       const Absent& absent) {
  for (const auto& one : prepared_) {
    if (one->key == key_schema && one->value == value_schema && one->remove == removing &&
        one->event_key == event_key && one->topic == topic && one->headers == headers && one->absent == absent) {
      return one.get();
    }
  }
  auto made = plan(context);
  if (!made.ok()) return made.status();
  auto one = std::make_unique<Prepared>();
  one->key = key_schema;
  one->value = value_schema;
  one->remove = removing;
  one->event_key = event_key;
  one->topic = topic;
  one->headers = headers;
  one->absent = absent;
  one->plan = std::move(*made);
  if (Status s = ensure(session, one->plan); !s.ok()) {
    restarted_ = false;  // failed, that is
    return s;
  }
  if (restarted_) return Status(Code::kUnavailable, "the transaction starts again behind a change of the table");
  auto writer = prepare(session, one->plan, absent);
  if (!writer.ok()) return writer.status();
  one->writer = std::move(*writer);
  prepared_.push_back(std::move(one));
  return prepared_.back().get();
}

Result<FieldPlan> SinkTable::plan(const sdk::TaskContext& context) const {
  const auto schema_of = [&](mr_schema_id id) { return id == 0 ? nullptr : context.describe(id); };
  FieldPlan::Input input;
  input.key = schema_of(key_schema);
  const bool envelope = !removing && shape.kind == RecordShape::Kind::kEnvelope;
  input.value = schema_of(envelope ? shape.row_schema : value_schema);
  if (!removing) input.shape = shape;
  input.event = event_key || envelope;
  input.topic = sdk::view(waiting.front()->topic);
  input.sample = waiting.front();
  return FieldPlan::make(config_, id_, context, input);
}

std::vector<std::string> SinkTable::columns_of(const std::vector<SinkField>& fields) const {
  std::vector<std::string> names;
  for (const SinkField& field : fields) names.push_back(column_of(field));
  return names;
}

std::vector<Cell> SinkTable::cells(const std::vector<SinkField>& fields) const {
  // The row of a change event is exact: its nulls are nulls.
  const bool replace = config_.replace_null && shape.kind != RecordShape::Kind::kEnvelope;
  std::vector<Cell> cells;
  for (const SinkField& field : fields) {
    const bool fallback = replace && field.schema->has_default != 0 && field.schema->default_value.kind != MR_NULL;
    cells.push_back({field.source, field.form, fallback ? &field.schema->default_value : nullptr});
  }
  return cells;
}

bool SinkTable::is_primary_key(const std::vector<std::string>& names) const {
  size_t found = 0;
  for (const ColumnInfo& column : columns_) {
    if (!column.primary_key) continue;
    if (std::find(names.begin(), names.end(), column.name) == names.end()) return false;
    ++found;
  }
  return found != 0 && found == names.size();
}

Result<std::unique_ptr<BatchWriter>> SinkTable::prepare(Session& session, const FieldPlan& plan,
                                                        const Absent& absent) const {
  const auto is_absent = [&](size_t i) { return std::find(absent.begin(), absent.end(), i) != absent.end(); };
  RowWrite write;
  write.table = id_;
  write.dialect = &dialect_;
  write.keys = columns_of(plan.keys);
  write.by_primary_key = is_primary_key(write.keys);
  const std::vector<std::string> others = columns_of(plan.others);
  std::vector<std::string>& changed = write.changed;
  std::vector<Cell> key_cells = cells(plan.keys), other_cells = cells(plan.others), changed_cells;
  for (size_t i = 0; i < others.size(); ++i) {
    if (!is_absent(i)) {
      changed.push_back(others[i]);
      changed_cells.push_back(other_cells[i]);
    } else if (plan.others[i].optional) {
      other_cells[i].source.from = CellSource::From::kNothing;  // for a row that is new after all
    }
  }
  const auto joined = [](std::vector<Cell> first, const std::vector<Cell>& second) {
    first.insert(first.end(), second.begin(), second.end());
    return first;
  };
  if (removing) {
    write.kind = RowWrite::Kind::kDelete;
    write.changed.clear();
    write.sql = dialect_.remove(id_, write.keys);
    return session.writer(write, std::move(key_cells), config_.write);
  }
  write.others = others;
  switch (config_.insert_mode) {
    case InsertMode::kUpdate:
      if (changed.empty() && !absent.empty()) return std::unique_ptr<BatchWriter>();
      write.kind = RowWrite::Kind::kUpdate;
      write.sql = dialect_.update(id_, write.keys, changed);
      return session.writer(write, joined(changed_cells, key_cells), config_.write);
    case InsertMode::kUpsert:
      write.kind = RowWrite::Kind::kUpsert;
      write.sql = dialect_.upsert(id_, write.keys, others, changed);
      break;
    case InsertMode::kInsert:
      write.kind = RowWrite::Kind::kInsert;
      write.sql = dialect_.insert(id_, write.keys, others);
      break;
  }
  return session.writer(write, joined(key_cells, other_cells), config_.write);
}

}  // namespace millrace::jdbc
