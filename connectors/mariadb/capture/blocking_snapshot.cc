#include "connectors/mariadb/capture/blocking_snapshot.h"

#include <algorithm>
#include <cctype>
#include <chrono>

#include "connectors/mariadb/snapshot/table_order.h"

namespace millrace::mariadb {
namespace {

int64_t now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

bool is_select(std::string_view text) {
  constexpr std::string_view kSelect = "select";
  const size_t begin = text.find_first_not_of(" \t\r\n(");
  if (begin == text.npos || text.size() - begin < kSelect.size()) return false;
  return std::equal(kSelect.begin(), kSelect.end(), text.begin() + static_cast<std::ptrdiff_t>(begin),
                    [](char a, char b) { return a == std::tolower(static_cast<unsigned char>(b)); });
}

}  // namespace

Result<std::unique_ptr<BlockingCapture>> BlockingCapture::open(Parts parts, BlockingSnapshot request) {
  std::erase_if(request.tables, [&](const TableId& id) { return !parts.config.tables.captures(id); });
  auto reader = SnapshotReader::open(parts.config.connection, parts.config.snapshot, request.tables);
  if (!reader.ok()) return reader.status();
  if (is_behind((*reader)->position().gtids, parts.offset.current.gtids)) return std::unique_ptr<BlockingCapture>();
  for (const std::string& warning : (*reader)->warnings()) parts.context.warn(warning);
  return std::unique_ptr<BlockingCapture>(new BlockingCapture(parts, std::move(request), std::move(*reader)));
}

Status BlockingCapture::poll() {
  if (!started_) return start();
  auto batch = reader_->next();
  if (!batch.ok()) return batch.status();
  if (batch->has_value()) {
    if (Status s = write_batch(**batch); !s.ok()) return s;
  } else {
    settle();
    parts_.teller.initial("COMPLETED", {});
    parts_.context.info("blocking snapshot done: " + std::to_string(rows_) + " rows of " +
                        std::to_string(tables_.size()) + " tables");
    done_ = true;
  }
  return parts_.writer.flush();
}

Status BlockingCapture::start() {
  started_ = true;
  parts_.offset.current.time_s = reader_->position().time_us / 1'000'000;
  parts_.teller.initial("STARTED", {});
  if (Status s = find_tables(); !s.ok()) return s;
  if (Status s = write_schemas(); !s.ok()) return s;
  if (Status s = reader_->schemas_read(); !s.ok()) return s;
  // The versions of before are forgotten with this flush.
  if (Status s = parts_.writer.flush(); !s.ok()) return s;
  for (const SnapshotTable& table : tables_) {
    auto events = parts_.writer.table(*table.definition, nullptr);
    if (!events.ok()) return events.status();
    events_.push_back(*events);
  }
  return reader_->start(tables_, std::vector<std::string>(tables_.size()));
}

/// As they are at the stream's place, which is the view's.
Status BlockingCapture::find_tables() {
  for (const TableId& id : request_.tables) {
    SnapshotTable table;
    table.definition = parts_.schemas.registry().find(id);
    table.select = select_of(id);
    if (table.definition == nullptr) {
      auto read = parts_.schemas.read_table(reader_->session(), id);
      if (!read.ok() && read.status().code() == Code::kUnavailable) return read.status();
      if (read.ok()) table.definition = *read;
    }
    if (table.definition == nullptr) {
      parts_.context.warn("blocking snapshot of " + id.full() + ": the table is not known");
      tell_scanned(id, 0, "UNKNOWN_SCHEMA");
      continue;
    }
    tables_.push_back(std::move(table));
  }
  return sdk::ok();
}

/// Debezium's filter of a blocking snapshot is a SELECT; a condition as that of an incremental one is understood too.
std::string BlockingCapture::select_of(const TableId& id) const {
  const auto given = request_.selects.find(id);
  if (given == request_.selects.end()) {
    const auto configured = parts_.config.snapshot.overrides.find(id.full());
    return configured == parts_.config.snapshot.overrides.end() ? "" : configured->second;
  }
  if (is_select(given->second)) return given->second;
  return "SELECT * FROM " + quoted(id.database) + "." + quoted(id.table) + " WHERE " + given->second;
}

/// The registry is left as it is: it knows the tables as of here, the server as of now.
Status BlockingCapture::write_schemas() {
  for (const SnapshotTable& table : tables_) {
    const TableId& id = table.definition->id;
    if (Status s = write_schema(id, "DROP TABLE IF EXISTS " + quoted(id.database) + "." + quoted(id.table),
                                {TableChange::Type::kDrop, id, std::nullopt, std::nullopt});
        !s.ok()) {
      return s;
    }
  }
  for (const SnapshotTable& table : tables_) {
    const TableId& id = table.definition->id;
    auto created = reader_->session().query("SHOW CREATE TABLE " + quoted(id.database) + "." + quoted(id.table));
    if (!created.ok() && created.status().code() == Code::kUnavailable) return created.status();
    const bool told = created.ok() && !created->empty() && created->front().size() > 1;
    if (Status s = write_schema(id, told ? created->front()[1].value_or("") : "",
                                {TableChange::Type::kCreate, id, std::nullopt, *table.definition});
        !s.ok()) {
      return s;
    }
  }
  return sdk::ok();
}

Status BlockingCapture::write_schema(const TableId& id, std::string ddl, TableChange tables) {
  SchemaChange change;
  change.database = id.database;
  change.ddl = std::move(ddl);
  change.changes = {std::move(tables)};
  change.source_table = id.table;
  parts_.history.record(change, parts_.offset.current);
  SourceInfo source;
  source.time_us = now_us();
  source.snapshot = SnapshotMarker::kTrue;
  source.file = parts_.offset.current.file;
  source.position = parts_.offset.current.position;
  return parts_.writer.schema_change(change, source);
}

Status BlockingCapture::write_batch(const SnapshotReader::Batch& batch) {
  const TableDefinition& table = *tables_[batch.table].definition;
  if (batch.first_of_table) {
    table_rows_ = 0;
    parts_.teller.reading(table.id, request_.tables);
  }
  if (batch.deferred) {
    parts_.context.warn("blocking snapshot of " + table.id.full() + " is given up: " + batch.why);
    tell_scanned(table.id, table_rows_, "SQL_EXCEPTION");
    return sdk::ok();
  }
  const size_t width = table.columns.size();
  for (size_t i = 0; i < batch.rows; ++i) {
    const bool first = i == 0 && batch.first_of_table, last = i + 1 == batch.rows && batch.last_of_table;
    const SnapshotMarker marker = i + 1 == batch.rows && batch.last ? SnapshotMarker::kLast
                                  : rows_ == 0                      ? SnapshotMarker::kFirst
                                  : last                            ? SnapshotMarker::kLastInCollection
                                  : first                           ? SnapshotMarker::kFirstInCollection
                                                                    : SnapshotMarker::kTrue;
    if (marker == SnapshotMarker::kLast) settle();
    const SourceInfo source = parts_.teller.place(marker, parts_.offset.current.time_s * 1'000'000);
    if (Status s = parts_.writer.row(*events_[batch.table], Operation::kRead, {}, batch.cells.subspan(i * width, width),
                                     source);
        !s.ok()) {
      return s;
    }
    ++rows_;
    ++table_rows_;
    if (parts_.writer.full()) {
      if (Status s = parts_.writer.flush(); !s.ok()) return s;
    }
  }
  if (batch.last_of_table) tell_scanned(table.id, table_rows_, "SUCCEEDED");
  return sdk::ok();
}

/// With the last record at the latest, so that a restart after it does not begin anew.
void BlockingCapture::settle() {
  if (!settled_) parts_.teller.blocking_done();
  settled_ = true;
}

void BlockingCapture::tell_scanned(const TableId& id, uint64_t rows, std::string_view status) {
  parts_.teller.scanned(id, request_.tables, rows, status);
}

}  // namespace millrace::mariadb
