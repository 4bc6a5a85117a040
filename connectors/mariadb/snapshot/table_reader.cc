#include "connectors/mariadb/snapshot/table_reader.h"

#include <algorithm>

namespace millrace::mariadb {
namespace {

constexpr size_t kBatchRows = 1024, kBatchBytes = 1 << 20;

/// Errors that tell of DDL after the view was opened: no such table or column, definition changed.
bool is_altered(unsigned error) {
  constexpr unsigned kNoSuchTable = 1146, kUnknownColumn = 1054, kDefinitionChanged = 1412, kNoSuchIndex = 1176;
  return error == kNoSuchTable || error == kUnknownColumn || error == kDefinitionChanged || error == kNoSuchIndex;
}

bool is_long_text(const ColumnDefinition& column) {
  const std::string_view type = column.type_name;
  return type.find("TEXT") != type.npos || type.find("BLOB") != type.npos || type.starts_with("JSON");
}

/// Conditions of a chunk.
Result<ChunkQuery> query_of(const SnapshotTable& table, const TableKey& key, const TableChunk& chunk) {
  ChunkQuery query;
  query.table = table.definition;
  query.index = chunk.index;
  query.limit = chunk.limit;
  if (!chunk.index.empty()) query.key = &key;
  if (!chunk.after.empty()) {
    auto after = key.after(chunk.after);
    if (!after.ok()) return after.status();
    query.conditions.push_back(std::move(after.value()));
  }
  if (!chunk.up_to.empty()) {
    auto up_to = key.up_to(chunk.up_to);
    if (!up_to.ok()) return up_to.status();
    query.conditions.push_back(std::move(up_to.value()));
  }
  return query;
}

std::string without_semicolon(std::string sql) {
  while (!sql.empty() && (sql.back() == ';' || static_cast<unsigned char>(sql.back()) <= ' ')) sql.pop_back();
  return sql;
}

/// Where each column of the table is found in the result, and how it is read.
struct RowLayout {
  std::vector<FieldReader> readers;
  std::vector<size_t> fields;  // of the result; kMissing = NULL
  static constexpr size_t kMissing = static_cast<size_t>(-1);

  RowLayout(const TableDefinition& table, std::span<const MYSQL_FIELD> result, bool by_name) {
    const FieldForm form = by_name ? FieldForm::kPlain : FieldForm::kExpression;
    for (size_t i = 0; i < table.columns.size(); ++i) {
      readers.emplace_back(table.columns[i], form);
      if (!by_name) {
        fields.push_back(i);
        continue;
      }
      const auto at = std::find_if(result.begin(), result.end(),
                                   [&](const MYSQL_FIELD& f) { return table.columns[i].name == f.name; });
      fields.push_back(at == result.end() ? kMissing : static_cast<size_t>(at - result.begin()));
    }
  }

  Status read(std::span<const RowStream::Field> row, RowBatch& batch) const {
    const size_t begin = batch.cells.size();
    batch.cells.resize(begin + readers.size());
    for (size_t i = 0; i < readers.size(); ++i) {
      Cell& cell = batch.cells[begin + i];
      const RowStream::Field field = fields[i] == kMissing ? RowStream::Field{nullptr, 0} : row[fields[i]];
      if (!readers[i].read(field.data, field.size, cell)) return readers[i].refused({field.data, field.size});
      const bool borrows =
          cell.kind == Cell::Kind::kText || cell.kind == Cell::Kind::kBytes || cell.kind == Cell::Kind::kDecimalText;
      if (borrows) cell.bytes = cell.size == 0 ? "" : batch.content.copy(cell.text()).data();
    }
    ++batch.rows;
    return sdk::ok();
  }
};

/// Collects rows and hands them on in batches.
class BatchFiller {
 public:
  BatchFiller(ChunkPlanner& planner, const TableChunk& chunk, BatchQueue& queue)
      : planner_(planner), chunk_(chunk), queue_(queue) {}
  RowBatch& batch() {
    if (batch_ == nullptr) {
      batch_ = queue_.buffer();
      batch_->table = chunk_.table;
    }
    return *batch_;
  }
  bool full() const { return batch_ != nullptr && (batch_->rows >= kBatchRows || batch_->bytes() >= kBatchBytes); }
  /// False: the snapshot is stopped.
  bool hand_on() {
    RowBatch& full = batch();
    rows_ += full.rows;
    if (full.rows != 0 && !chunk_.index.empty()) {
      const size_t columns = planner_.table(chunk_.table).definition->columns.size();
      full.last_key = planner_.key(chunk_.table).json_of_row({&full.cells[(full.rows - 1) * columns], columns});
      last_key_ = full.last_key;
    }
    return queue_.put(chunk_.out, std::move(batch_));
  }
  uint64_t rows() const { return rows_; }
  const std::string& last_key() const { return last_key_; }

 private:
  ChunkPlanner& planner_;
  const TableChunk& chunk_;
  BatchQueue& queue_;
  std::unique_ptr<RowBatch> batch_;
  uint64_t rows_ = 0;
  std::string last_key_;
};

Status defer(ChunkPlanner& planner, const TableChunk& chunk, BatchQueue& queue, const Status& why) {
  planner.skip(chunk.table);
  auto batch = queue.buffer();
  batch->table = chunk.table;
  batch->deferred = true;
  batch->why = why.message();
  queue.put(chunk.out, std::move(batch));
  queue.close_chunk(chunk.out);
  return sdk::ok();
}

}  // namespace

ChunkPlanner::ChunkPlanner(std::vector<SnapshotTable> tables, std::vector<std::string> after_keys, uint64_t chunk_rows,
                           size_t readers)
    : tables_(std::move(tables)),
      after_(std::move(after_keys)),
      skipped_(tables_.size(), false),
      chunk_rows_(chunk_rows),
      look_ahead_(readers > 1) {
  after_.resize(tables_.size());
  for (const SnapshotTable& table : tables_) keys_.emplace_back(*table.definition, table.definition->primary_key);
}

Status ChunkPlanner::begin_table(Connection& session) {
  index_.clear();
  begun_ = true;
  const SnapshotTable& table = tables_[current_];
  if (!table.select.empty() || keys_[current_].empty()) return sdk::ok();
  for (const std::string& name : table.definition->primary_key) {
    if (is_long_text(*table.definition->find(name))) return sdk::ok();  // only a prefix of it is in an index
  }
  auto index = index_of_key(session, table.definition->id, table.definition->primary_key);
  if (!index.ok()) return index.status();
  index_ = index->value_or("");
  return sdk::ok();
}

Result<std::optional<std::string>> ChunkPlanner::find_end(Connection& session) {
  TableChunk chunk;
  chunk.after = after_[current_];
  chunk.index = index_;
  auto query = query_of(tables_[current_], keys_[current_], chunk);
  if (!query.ok()) return query.status();
  auto rows = session.stream(boundary_sql(query.value(), chunk_rows_ - 1));
  if (!rows.ok()) {
    // Reading the chunk meets the same error, and tells of it.
    if (is_altered(session.last_error())) return std::optional<std::string>{};
    return rows.status();
  }
  auto row = rows.value()->next();
  if (!row.ok()) {
    if (is_altered(session.last_error())) return std::optional<std::string>{};
    return row.status();
  }
  if (row->empty()) return std::optional<std::string>{};
  auto key = keys_[current_].json_of_fields(row.value());
  if (!key.ok()) return key.status();
  return std::optional(std::move(key.value()));
}

Result<std::optional<TableChunk>> ChunkPlanner::next(Connection& session, BatchQueue& queue) {
  std::lock_guard lock(mutex_);
  if (waiting_) {  // the one reader found its table's end
    waiting_ = false;
    begun_ = false;
    ++current_;
  }
  while (current_ < tables_.size() && skipped_[current_]) {
    begun_ = false;
    ++current_;
  }
  if (current_ == tables_.size() || queue.stopped()) return std::optional<TableChunk>{};
  if (!begun_) {
    if (Status s = begin_table(session); !s.ok()) return s;
  }
  TableChunk chunk;
  chunk.table = current_;
  chunk.index = index_;
  if (!index_.empty()) chunk.after = after_[current_];
  bool ends = true;
  if (!index_.empty() && look_ahead_) {
    auto end = find_end(session);
    if (!end.ok()) return end.status();
    if (*end) {
      chunk.up_to = after_[current_] = **end;
      ends = false;
    }
  } else if (!index_.empty()) {
    chunk.limit = chunk_rows_;
    waiting_ = true;
    ends = false;
  }
  chunk.out = queue.open_chunk();
  if (ends) {
    begun_ = false;
    ++current_;
  }
  return std::optional(std::move(chunk));
}

void ChunkPlanner::continue_after(size_t table, std::string last_key) {
  std::lock_guard lock(mutex_);
  after_[table] = std::move(last_key);
  waiting_ = false;
}

void ChunkPlanner::skip(size_t table) {
  std::lock_guard lock(mutex_);
  skipped_[table] = true;
}

Status read_chunk(Connection& session, ChunkPlanner& planner, const TableChunk& chunk, BatchQueue& queue) {
  const SnapshotTable& table = planner.table(chunk.table);
  auto query = query_of(table, planner.key(chunk.table), chunk);
  if (!query.ok()) return query.status();
  auto rows = session.stream(table.select.empty() ? query->sql() : without_semicolon(table.select));
  if (!rows.ok()) {
    const bool altered = is_altered(session.last_error()) && table.select.empty();
    return altered ? defer(planner, chunk, queue, rows.status()) : rows.status();
  }
  const RowLayout layout(*table.definition, rows.value()->columns(), !table.select.empty());
  BatchFiller filler(planner, chunk, queue);
  for (;;) {
    auto row = rows.value()->next();
    if (!row.ok()) {
      if (!is_altered(session.last_error())) return row.status();
      if (!filler.hand_on()) return sdk::ok();
      return defer(planner, chunk, queue, row.status());
    }
    if (row->empty()) break;
    if (Status s = layout.read(row.value(), filler.batch()); !s.ok())
      return {s.code(), table.definition->id.full() + ": " + s.message()};
    if (filler.full() && !filler.hand_on()) return sdk::ok();
  }
  const uint64_t all = filler.rows() + filler.batch().rows;
  if (!filler.hand_on()) return sdk::ok();
  if (chunk.limit != 0 && all == chunk.limit) planner.continue_after(chunk.table, filler.last_key());
  queue.close_chunk(chunk.out);
  return sdk::ok();
}

}  // namespace millrace::mariadb
