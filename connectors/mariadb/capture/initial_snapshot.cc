#include "connectors/mariadb/capture/initial_snapshot.h"

#include <algorithm>
#include <chrono>

namespace millrace::mariadb {
namespace {

constexpr const char* kInitial = "INITIAL";  // Debezium's kind of a snapshot, in offsets

int64_t now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

InitialSnapshot::InitialSnapshot(const CaptureConfig& config, sdk::SourceContext& context, SchemaTracker& schemas,
                                 HistoryWriter& history, EventWriter& writer, OffsetState& offset,
                                 IncrementalCapture& teller)
    : config_(config),
      context_(context),
      schemas_(schemas),
      history_(history),
      writer_(writer),
      offset_(offset),
      teller_(teller) {}

InitialSnapshot::~InitialSnapshot() = default;

void InitialSnapshot::interrupt() { reader_.interrupt(); }

Status InitialSnapshot::start(Parts parts) {
  parts_ = parts;
  if (const std::string stored = offset_.current.extra.get(kSnapshotLedgerKey); !stored.empty()) {
    auto ledger = SnapshotLedger::parse(stored);
    if (ledger.ok()) {
      ledger_ = std::move(*ledger);
    } else {
      context_.warn("the stored state of the snapshot is unreadable, it begins anew: " + ledger.status().message());
    }
  }
  auto session = Connection::open(config_.connection);
  if (!session.ok()) return session.status();
  if (Status s = list_tables(**session); !s.ok()) return s;
  auto reader = SnapshotReader::open(config_.connection, config_.snapshot, captured_);
  if (!reader.ok()) return reader.status();
  reader_.set(std::move(*reader));

  if (!parts_.keep_position) begin_offset(ledger_ ? ledger_->cut : reader_->position());
  teller_.initial("STARTED", {});
  if (Status s = write_schemas(reader_->session()); !s.ok()) return s;
  if (Status s = reader_->schemas_read(); !s.ok()) return s;
  return parts_.data ? start_rows() : finish();
}

void InitialSnapshot::begin_offset(const BinlogPosition& at) {
  SourceOffset& offset = offset_.current;
  offset = SourceOffset{};
  offset.file = at.file;
  offset.position = at.position;
  offset.gtids = at.gtids;
  offset.time_s = at.time_us / 1'000'000;
  offset.snapshot = kInitial;
  // What is read here is known of: tables that the lists choose later are new, however quiet the database is till then.
  if (config_.back_fill) offset.extra.set(kCapturedKey, config_.table_lists);
  if (ledger_) offset.extra.set(kSnapshotLedgerKey, ledger_->text());  // or a second kill would begin anew
  offset_.render();
  context_.info("snapshot of " + std::to_string(captured_.size()) + " tables as of " + at.file + ":" +
                std::to_string(at.position) + ", GTID " + at.gtids.text() +
                (ledger_ ? "; it goes on where an earlier one ended" : ""));
}

Status InitialSnapshot::list_tables(Connection& session) {
  auto rows = session.query(
      "SELECT s.SCHEMA_NAME, s.DEFAULT_CHARACTER_SET_NAME, s.DEFAULT_COLLATION_NAME, t.TABLE_NAME "
      "FROM information_schema.SCHEMATA s LEFT JOIN information_schema.TABLES t ON t.TABLE_SCHEMA = s.SCHEMA_NAME AND "
      "t.TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED') "
      "WHERE s.SCHEMA_NAME NOT IN ('mysql','performance_schema','sys','information_schema') "
      "ORDER BY BINARY s.SCHEMA_NAME, BINARY t.TABLE_NAME");
  if (!rows.ok()) return rows.status();
  databases_.clear();
  captured_.clear();
  for (const SqlRow& row : *rows) {
    const std::string database = row[0].value_or("");
    if (databases_.empty() || databases_.back().database != database) {
      databases_.push_back({database, "CHARSET " + row[1].value_or("") + " COLLATE " + row[2].value_or(""), {}});
    }
    if (!row[3].has_value()) continue;
    TableId id{database, *row[3]};
    const bool captured = config_.tables.captures(id);
    if (captured && (config_.snapshot.include.empty() || config_.snapshot.include.matches(id.full())))
      captured_.push_back(id);
    databases_.back().tables.push_back(std::move(id));
  }
  // Debezium reads in the order of the include list, where there is one.
  std::ranges::stable_sort(captured_, {}, [&](const TableId& id) { return config_.tables.include_rank(id); });
  return sdk::ok();
}

bool InitialSnapshot::stored_only_if_captured(const TableId& id) const {
  return !config_.history.store_only_captured_tables || config_.tables.captures(id);
}

Status InitialSnapshot::write_schemas(Connection& session) {
  const bool write = parts_.schema && !ledger_;
  auto charset = session.query("SELECT @@character_set_server, @@collation_server");
  if (!charset.ok()) return charset.status();
  schemas_.registry().set_server_charset(charset->at(0).at(0).value_or("utf8mb4"));
  if (write) {
    const std::string set = "SET character_set_server=" + charset->at(0).at(0).value_or("") +
                            ", collation_server=" + charset->at(0).at(1).value_or("");
    if (Status s = write_schema("", "", set, {}); !s.ok()) return s;
    for (const DatabaseTables& database : databases_) {
      for (const TableId& id : database.tables) {
        if (!stored_only_if_captured(id)) continue;
        if (Status s = write_schema(id.database, id.table,
                                    "DROP TABLE IF EXISTS " + quoted(id.database) + "." + quoted(id.table),
                                    {TableChange{TableChange::Type::kDrop, id, std::nullopt, std::nullopt}});
            !s.ok()) {
          return s;
        }
      }
    }
  }
  const size_t all = databases_.size();
  for (size_t i = 0; i < all; ++i) {
    const DatabaseTables& database = databases_[i];
    schemas_.registry().set_database_charset(
        database.database, database.create_options.substr(8, database.create_options.find(" COLLATE") - 8));
    const bool wanted =
        std::ranges::any_of(database.tables, [&](const TableId& id) { return stored_only_if_captured(id); });
    if (write && wanted) {
      const std::string name = quoted(database.database);
      for (const std::string& ddl : {"DROP DATABASE IF EXISTS " + name,
                                     "CREATE DATABASE " + name + " " + database.create_options, "USE " + name}) {
        if (Status s = write_schema(database.database, "", ddl, {}); !s.ok()) return s;
      }
    }
    for (const TableId& id : database.tables) {
      if (!stored_only_if_captured(id)) continue;
      std::string ddl;
      auto definition = schemas_.read_table(session, id, &ddl);
      if (!definition.ok()) {
        // A table dropped in between, or one that is not ours and cannot be read, must not stop the others.
        if (config_.tables.captures(id) && definition.status().code() != Code::kNotFound) return definition.status();
        context_.warn("table " + id.full() + " is left out: " + definition.status().message());
        std::erase(captured_, id);
        continue;
      }
      if (!write) continue;
      if (Status s = write_schema(id.database, id.table, ddl,
                                  {TableChange{TableChange::Type::kCreate, id, std::nullopt, **definition}});
          !s.ok()) {
        return s;
      }
    }
  }
  return sdk::ok();
}

Status InitialSnapshot::write_schema(std::string_view database, std::string_view table, std::string ddl,
                                     std::vector<TableChange> changes) {
  if (Status s = write_kept_schema(false); !s.ok()) return s;
  SchemaChange change;
  change.database = database;
  change.ddl = std::move(ddl);
  change.changes = std::move(changes);
  change.source_table = table;
  if (!change.changes.empty() || change.database.empty() || !config_.history.store_only_captured_tables) {
    SourceOffset position = offset_.current;
    position.snapshot = kInitial;
    position.server_id = 0;  // known by events alone
    history_.record(change, position);
  }
  kept_schema_ = std::move(change);
  return sdk::ok();
}

/// The last record of a snapshot says so; without rows that is one of the schemas.
Status InitialSnapshot::write_kept_schema(bool last) {
  if (!kept_schema_) return sdk::ok();
  const SchemaChange change = std::move(*kept_schema_);
  kept_schema_.reset();
  SourceInfo source;
  source.time_us = now_us();
  source.snapshot = last ? SnapshotMarker::kLast : SnapshotMarker::kTrue;
  source.file = offset_.current.file;
  source.position = offset_.current.position;
  return writer_.schema_change(change, source);
}

Status InitialSnapshot::start_rows() {
  auto estimates = estimate_rows(reader_->session(), captured_);
  if (!estimates.ok()) return estimates.status();
  for (size_t i = 0; i < captured_.size(); ++i) {
    SnapshotTable table;
    table.definition = schemas_.registry().find(captured_[i]);
    table.rows_estimated = (*estimates)[i];
    if (const auto select = config_.snapshot.overrides.find(captured_[i].full());
        select != config_.snapshot.overrides.end()) {
      table.select = select->second;
    }
    const SnapshotLedger::Table* known = ledger_ ? ledger_->find(captured_[i]) : nullptr;
    if (known == nullptr || !known->done) tables_.push_back(std::move(table));
  }
  order_tables(tables_, config_.snapshot.order);
  std::vector<std::string> after_keys;
  for (const SnapshotTable& table : tables_) {
    auto events = writer_.table(*table.definition, nullptr);
    if (!events.ok()) return events.status();
    events_.push_back(*events);
    const SnapshotLedger::Table* known = ledger_ ? ledger_->find(table.definition->id) : nullptr;
    after_keys.push_back(known == nullptr ? "" : known->last_key);
  }
  if (!ledger_) {
    ledger_.emplace();
    ledger_->cut = reader_->position();
    for (const SnapshotTable& table : tables_) ledger_->tables.push_back({table.definition->id, false, "", 0});
  }
  return reader_->start(tables_, after_keys);
}

Status InitialSnapshot::poll() {
  auto batch = reader_->next();
  if (!batch.ok()) return batch.status();
  if (!batch->has_value()) return finish();
  if (Status s = write_batch(**batch); !s.ok()) return s;
  return writer_.flush();
}

Status InitialSnapshot::write_batch(const SnapshotReader::Batch& batch) {
  const TableId& id = tables_[batch.table].definition->id;
  if (batch.first_of_table) teller_.reading(id, captured_);
  if (batch.deferred) {
    context_.warn("table " + id.full() + " is read beside the stream: " + batch.why);
    deferred_.insert(id);
    return sdk::ok();
  }
  if (batch.rows > 0) {
    if (Status s = write_kept_schema(false); !s.ok()) return s;
  }
  const size_t width = tables_[batch.table].definition->columns.size();
  const auto entry = std::ranges::find(ledger_->tables, id, &SnapshotLedger::Table::id);
  for (size_t i = 0; i < batch.rows; ++i) {
    const std::span<const Cell> cells = batch.cells.subspan(i * width, width);
    const bool first_row = i == 0 && batch.first_of_table, last_row = i + 1 == batch.rows && batch.last_of_table;
    const SnapshotMarker marker = first_row && batch.table == 0 ? SnapshotMarker::kFirst
                                  : last_row                    ? SnapshotMarker::kLastInCollection
                                  : first_row                   ? SnapshotMarker::kFirstInCollection
                                                                : SnapshotMarker::kTrue;
    if (kept_.set) {
      if (Status s = write_kept(false); !s.ok()) return s;
    }
    ++rows_;
    if (entry != ledger_->tables.end()) ++entry->rows;
    if (i + 1 == batch.rows) {
      keep_back(batch.table, cells, marker);
      break;  // written below, with a ledger that tells of all of this batch
    }
    if (Status s = write_row(batch.table, cells, marker); !s.ok()) return s;
    if (writer_.full()) {
      if (Status s = writer_.flush(); !s.ok()) return s;
    }
  }
  if (batch.last_of_table) {
    teller_.scanned(id, captured_, entry == ledger_->tables.end() ? batch.rows : entry->rows, "SUCCEEDED");
  }
  if (batch.rows == 0) {
    if (entry != ledger_->tables.end() && batch.last_of_table) entry->done = true;
    return sdk::ok();
  }
  if (entry != ledger_->tables.end())
    pending_key_ = {static_cast<size_t>(entry - ledger_->tables.begin()), batch.last_key, batch.last_of_table};
  return batch.last ? sdk::ok() : write_kept(false);
}

Status InitialSnapshot::write_row(size_t table, std::span<const Cell> cells, SnapshotMarker marker) {
  SourceInfo source;
  source.time_us = offset_.current.time_s * 1'000'000;
  source.snapshot = marker;
  source.file = offset_.current.file;
  source.position = offset_.current.position;
  return writer_.row(*events_[table], Operation::kRead, {}, cells, source);
}

void InitialSnapshot::keep_back(size_t table, std::span<const Cell> cells, SnapshotMarker marker) {
  kept_.set = true;
  kept_.table = table;
  kept_.marker = marker;
  kept_.bytes.clear();
  kept_.cells.assign(cells.begin(), cells.end());
  for (Cell& cell : kept_.cells) {
    const bool borrowed =
        cell.kind == Cell::Kind::kBytes || cell.kind == Cell::Kind::kText || cell.kind == Cell::Kind::kDecimalText;
    if (borrowed) cell.bytes = kept_.bytes.copy(cell.text()).data();
  }
}

Status InitialSnapshot::write_kept(bool last) {
  if (!kept_.set) return sdk::ok();
  kept_.set = false;
  if (pending_key_) {
    SnapshotLedger::Table& entry = ledger_->tables[pending_key_->entry];
    entry.last_key = pending_key_->key;
    entry.done = pending_key_->done;
    pending_key_.reset();
    if (!last) offset_.current.extra.set(kSnapshotLedgerKey, ledger_->text());
  }
  if (last) {
    offset_.current.snapshot.clear();
    offset_.current.extra.erase(kSnapshotLedgerKey);
  }
  return write_row(kept_.table, kept_.cells, last ? SnapshotMarker::kLast : kept_.marker);
}

Status InitialSnapshot::finish() {
  // Tables that the view could not read any more are left to an incremental snapshot; the ledger names them.
  const bool left = ledger_ && std::ranges::any_of(ledger_->tables, [&](const auto& table) {
                      return !table.done && deferred_.contains(table.id);
                    });
  if (left) {
    offset_.current.extra.set(kSnapshotLedgerKey, ledger_->text());  // without rows nothing has stored it yet
  } else {
    offset_.current.snapshot.clear();
    offset_.current.extra.erase(kSnapshotLedgerKey);
  }
  if (Status s = write_kept_schema(!kept_.set); !s.ok()) return s;
  if (Status s = write_kept(!left); !s.ok()) return s;
  if (!left) teller_.initial("COMPLETED", {});  // else told once the rest is read
  if (Status s = writer_.flush(); !s.ok()) return s;
  reader_.reset();
  done_ = true;
  context_.info("snapshot done: " + std::to_string(rows_) + " rows of " + std::to_string(tables_.size()) + " tables");
  return sdk::ok();
}

}  // namespace millrace::mariadb
