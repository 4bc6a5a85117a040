#include "connectors/mariadb/snapshot/incremental_snapshot.h"

#include <algorithm>

#include "connectors/mariadb/config/filters.h"
#include "connectors/mariadb/snapshot/table_key.h"

namespace millrace::mariadb {
namespace {

constexpr int kAlterationsMax = 100;  // of a table, until a chunk of it can be read

bool unique_key(const TableDefinition& table, const std::vector<std::string>& key) {
  return std::none_of(key.begin(), key.end(), [&](const std::string& name) {
    const ColumnDefinition* column = table.find(name);
    return column == nullptr || column->optional;
  });
}

std::string joined(const std::vector<TableId>& tables) {
  std::string text;
  for (const TableId& table : tables) text += (text.empty() ? "" : ",") + table.full();
  return text;
}

}  // namespace

bool is_behind(const GtidList& view, const GtidList& streamed) {
  return std::any_of(view.by_domain().begin(), view.by_domain().end(), [&](const auto& entry) {
    const auto at = streamed.by_domain().find(entry.first);
    return at != streamed.by_domain().end() && !view.contains(at->second);
  });
}

void IncrementalSnapshot::set_source(ChunkSource* source) {
  drop_window();
  source_ = source;
}

Status IncrementalSnapshot::handle(const Signal& signal) {
  switch (signal.type) {
    case Signal::Type::kExecuteSnapshot:
      return execute(signal);
    case Signal::Type::kStopSnapshot:
      return stop(signal);
    case Signal::Type::kPauseSnapshot:
      if (!running() || paused_) break;
      paused_ = true;
      tell("PAUSED", {{"data_collections", collections(false)}}, false);
      break;
    case Signal::Type::kResumeSnapshot:
      if (!paused_) break;
      paused_ = false;
      tell("RESUMED", {{"data_collections", collections(false)}}, false);
      break;
    case Signal::Type::kWindowClose:
      if (window_ && window_->by_mark && signal.id == window_->mark + "-close") window_->closed = true;
      break;
    default:
      break;
  }
  return sdk::ok();
}

void IncrementalSnapshot::mark_deleted(std::string_view id) {
  if (window_ && window_->by_mark && options_.watermark == IncrementalOptions::Watermark::kInsertDelete &&
      id == window_->mark + "-open")
    window_->closed = true;
}

Result<std::vector<TableId>> IncrementalSnapshot::expand(const std::vector<std::string>& expressions) const {
  std::vector<TableId> found;
  const auto add = [&](const TableId& id) {
    if (std::find(found.begin(), found.end(), id) == found.end()) found.push_back(id);
  };
  const auto captured = host_.captured_tables();
  if (!captured.ok()) return captured.status();
  for (const std::string& expression : expressions) {
    auto list = RegexList::parse("data-collections", expression);
    if (!list.ok()) {
      host_.warn("signal: " + list.status().message());
      continue;
    }
    const size_t before = found.size();
    bool matched = false;
    for (const TableId& id : captured.value()) {
      if (!list->matches(id.full())) continue;
      matched = true;
      add(id);
    }
    if (matched || found.size() != before) continue;
    // What matches nothing is kept by its text, so that it is told of as unknown.
    const size_t dot = expression.find('.');
    add({expression.substr(0, dot), dot == std::string::npos ? "" : expression.substr(dot + 1)});
  }
  return found;
}

Status IncrementalSnapshot::execute(const Signal& signal) {
  const auto expanded = expand(signal.collections);
  if (!expanded.ok()) return expanded.status();
  const std::vector<TableId>& tables = expanded.value();
  const auto condition = [&](const TableId& id) {
    for (const auto& [expression, filter] : signal.conditions) {
      auto list = RegexList::parse("additional-conditions", expression);
      if (expression == id.full() || (list.ok() && list->matches(id.full()))) return filter;
    }
    return std::string();
  };
  if (signal.blocking) {
    BlockingSnapshot blocking{signal.id, tables, {}};
    for (const TableId& id : tables) {
      if (const std::string select = condition(id); !select.empty()) blocking.selects[id] = select;
    }
    blocking_.push_back(std::move(blocking));
    return sdk::ok();
  }
  const bool first = std::none_of(items_.begin(), items_.end(), [](const Item& item) { return !item.resumed; });
  if (first) signal_id_ = signal.id;
  for (const TableId& id : tables) {
    Item item;
    item.id = id;
    item.filter = condition(id);
    item.surrogate = signal.surrogate_key;
    items_.push_back(std::move(item));
  }
  if (first && !tables.empty()) tell("STARTED", {{"data_collections", collections(false)}}, false);
  return sdk::ok();
}

Status IncrementalSnapshot::stop(const Signal& signal) {
  const bool all = signal.collections.empty();
  const auto expanded = all ? Result<std::vector<TableId>>(std::vector<TableId>{}) : expand(signal.collections);
  if (!expanded.ok()) return expanded.status();
  const std::vector<TableId>& tables = expanded.value();
  const auto stopped = [&](const Item& item) {
    return !item.resumed && (all || std::find(tables.begin(), tables.end(), item.id) != tables.end());
  };
  const bool ran = std::any_of(items_.begin(), items_.end(), [](const Item& item) { return !item.resumed; });
  if (!ran) return sdk::ok();
  // A chunk that has been read is given out first, as its marks are in the signal table.
  const bool reading = window_ && !window_->direct && stopped(items_.front());
  if (window_ && !reading && stopped(items_.front())) drop_window();
  items_.erase(std::remove_if(items_.begin() + (reading ? 1 : 0), items_.end(), stopped), items_.end());
  std::string names = all ? "" : joined(tables);
  if (reading) {
    stopping_ = std::move(names);
  } else {
    tell_stopped(names);
  }
  return sdk::ok();
}

void IncrementalSnapshot::end_stopped() {
  items_.pop_front();
  tell_stopped(*std::exchange(stopping_, std::nullopt));
}

void IncrementalSnapshot::tell_stopped(const std::string& names) {
  const bool ended = std::none_of(items_.begin(), items_.end(), [](const Item& item) { return !item.resumed; });
  if (ended && !names.empty()) tell_end(false);
  if (ended) paused_ = false;
  Notification aborted{
      host_.new_id(), "Incremental Snapshot", "ABORTED", {{"connector_name", options_.connector_name}}};
  if (!names.empty()) aborted.additional_data.emplace_back("data_collections", names);
  host_.notify(aborted);
}

void IncrementalSnapshot::resume(SnapshotLedger ledger) {
  for (const SnapshotLedger::Table& table : ledger.tables) {
    if (table.done) continue;
    Item item;
    item.id = table.id;
    item.last_key = table.last_key;
    item.rows = table.rows;
    item.resumed = true;
    items_.push_back(std::move(item));
  }
  ledger_ = std::move(ledger);
  if (!running()) ledger_.reset();
}

void IncrementalSnapshot::table_altered(const TableId& table) {
  // Its rows were read with the old columns; they are read again.
  if (window_ && window_->id == table) drop_window();
}

void IncrementalSnapshot::drop_window() {
  if (window_ && window_->direct && source_ != nullptr) (void)source_->close_view();
  window_.reset();
  rows_.clear();
}

bool IncrementalSnapshot::waits(const GtidList& streamed) const {
  if (window_) {
    const bool passed = window_->view && streamed.contains_all(*window_->view);
    return !(window_->by_mark ? window_->closed : passed);
  }
  if (stopping_) return false;
  return source_ == nullptr || paused_ || items_.empty() || (wait_for_ && !streamed.contains_all(*wait_for_));
}

Result<bool> IncrementalSnapshot::advance(const GtidList& streamed) {
  if (waits(streamed)) return false;
  if (stopping_ && !window_) {
    end_stopped();
    return true;
  }
  if (window_) {
    if (Status s = close_window(); !s.ok()) return s;
    return true;
  }
  wait_for_.reset();
  return open_window(streamed);
}

Result<bool> IncrementalSnapshot::open_window(const GtidList& streamed) {
  Window window;
  if (Status s = open_mark(window); !s.ok()) return s;
  auto view = source_->open_view();
  if (!view.ok()) return view.status();
  window.view = std::move(view.value());
  if (window.view && is_behind(*window.view, streamed)) {
    if (Status s = source_->close_view(); !s.ok()) return s;
    if (Status s = close_mark(window); !s.ok()) return s;
    return false;  // the tables do not show yet what the binlog does
  }
  rows_.clear();
  Reading reading = Reading::kTableDone;
  while (reading == Reading::kTableDone && !items_.empty()) {
    auto read = read_chunk(window, streamed);
    if (!read.ok()) {
      rows_.clear();
      return read.status();
    }
    reading = *read;
  }
  if (!window.direct) {
    if (Status s = source_->close_view(); !s.ok()) return s;
  }
  if (Status s = close_mark(window); !s.ok()) return s;
  if (reading == Reading::kRows) window_ = std::move(window);
  return reading != Reading::kLater;
}

ChunkRequest IncrementalSnapshot::request_of(const TableDefinition& table) const {
  const Item& item = items_.front();
  ChunkRequest request;
  request.table = &table;
  request.key = item.surrogate.empty() ? table.primary_key : std::vector<std::string>{item.surrogate};
  request.unique = item.surrogate.empty() && unique_key(table, request.key);
  request.filter = item.filter;
  return request;
}

/// The next chunk is not to be read further than it may be kept.
void IncrementalSnapshot::weigh(Item& item) const {
  const uint64_t rows = rows_.rows(), bytes = rows_.bytes(), most = options_.chunk_bytes;
  if (bytes >= most) {
    item.rows_fit = std::max<uint64_t>(1, rows * most / bytes);
  } else if (item.rows_fit != 0 && bytes < most / 2) {
    item.rows_fit = item.rows_fit < options_.resumed_chunk_rows ? item.rows_fit * 2 : 0;
  }
}

/// The largest key once a table, and for keys that several rows may share the end of this chunk.
Status IncrementalSnapshot::find_bounds(ChunkRequest& request, bool& empty) {
  Item& item = items_.front();
  if (!item.sized) {
    auto maximum = source_->maximum_key(request);
    if (!maximum.ok()) return maximum.status();
    item.maximum_key = maximum->value_or("");
    item.sized = true;
  }
  empty = item.maximum_key.empty() && request.unique;
  request.after = item.last_key;
  request.up_to = item.maximum_key;
  const uint64_t rows_max = item.resumed ? options_.resumed_chunk_rows : options_.chunk_rows;
  const uint64_t rows = item.rows_fit == 0 ? rows_max : std::min(rows_max, item.rows_fit);
  if (request.unique) {
    request.limit = rows;
    return sdk::ok();
  }
  auto end = source_->key_at(request, rows);
  if (!end.ok()) return end.status();
  if (*end) request.up_to = **end;
  return sdk::ok();
}

Result<IncrementalSnapshot::Reading> IncrementalSnapshot::read_chunk(Window& window, const GtidList& streamed) {
  const Item& item = items_.front();
  const TableDefinition* table = host_.table(item.id);
  if (table == nullptr) {
    host_.warn("snapshot of " + item.id.full() + ": the table is not known or not captured");
    table_done("UNKNOWN_SCHEMA");
    return Reading::kTableDone;
  }
  ChunkRequest request = request_of(*table);
  window.id = item.id;
  if (request.key.empty() && !item.resumed) {
    host_.warn("snapshot of " + item.id.full() + ": the table has no primary key; name a column as surrogate-key");
    table_done("NO_PRIMARY_KEY");
    return Reading::kTableDone;
  }
  if (std::any_of(request.key.begin(), request.key.end(), [&](const auto& name) { return !table->find(name); })) {
    host_.warn("snapshot of " + item.id.full() + ": it has no column " + request.key.front());
    table_done("UNKNOWN_SCHEMA");
    return Reading::kTableDone;
  }
  auto reading = read_rows(window, request);
  if (reading.ok()) return reading;  // the item may be gone with its table
  const bool wrong_filter = !item.filter.empty() && source_->refused();
  if (!source_->altered() && !wrong_filter) return reading;
  // Columns of which the stream has not told yet, or a table that is gone: the stream will tell when it gets there.
  rows_.clear();
  if (source_->altered() && ++alterations_ < kAlterationsMax) {
    // What altered the table is before the server's present place; meanwhile it may be altered again.
    if (Status s = source_->close_view(); !s.ok()) return s;
    auto present = source_->open_view();
    if (!present.ok()) return present.status();
    if (*present && !streamed.contains_all(**present)) {
      wait_for_ = std::move(*present);
      return Reading::kLater;
    }
    window.view = std::move(*present);
  }
  host_.warn("snapshot of " + item.id.full() + " is given up: " + reading.status().message());
  table_done("SQL_EXCEPTION");
  return Reading::kTableDone;
}

Result<IncrementalSnapshot::Reading> IncrementalSnapshot::read_rows(Window& window, ChunkRequest& request) {
  Item& item = items_.front();
  const TableDefinition& table = *request.table;
  if (request.key.empty()) {  // read when the stream is there, out of the view that is kept open
    window.direct = window.whole = true;
    window.by_mark = !window.view;
    return Reading::kRows;
  }
  bool empty = false;
  if (Status s = find_bounds(request, empty); !s.ok()) return s;
  if (empty) {
    table_done("EMPTY");
    return Reading::kTableDone;
  }
  const TableKey key(table, request.key);
  window.keyed = !table.primary_key.empty();
  std::string row_key;
  bool full = false;
  // With keys that repeat, NULL among them, the key of the chunk is its upper end and not that of the last row.
  window.last_key = request.unique ? "" : request.up_to;
  const Status read = source_->read(request, [&](std::span<const Cell> row) {
    row_key.clear();
    if (window.keyed) {
      if (Status s = host_.key_of(table, row, row_key); !s.ok()) return s;
    }
    rows_.add(row, row_key);
    full = request.unique && rows_.bytes() >= options_.chunk_bytes;
    return full ? Status(Code::kStopped, "the chunk is full") : sdk::ok();
  });
  if (!read.ok() && !full) return read;
  weigh(item);
  if (rows_.rows() == 0) {
    table_done("SUCCEEDED");
    return Reading::kTableDone;
  }
  window.whole = item.maximum_key.empty();  // all keys are NULL
  if (request.unique) window.last_key = key.json_of_row(rows_.row(rows_.rows() - 1));
  alterations_ = 0;
  // Rows that cannot be compared are right only at the very place where they were read.
  window.by_mark = options_.watermark != IncrementalOptions::Watermark::kGtid && (window.keyed || !window.view);
  if (!window.by_mark && !window.view) {
    return Status(Code::kInvalidConfig,
                  "this server does not tell where a read view stands in the binlog; incremental snapshots need "
                  "signal.data.collection and read.only=false");
  }
  tell("IN_PROGRESS",
       {{"current_collection_in_progress", item.id.full()},
        {"maximum_key", key_for_people(item.maximum_key)},
        {"data_collections", collections(item.resumed)},
        {"last_processed_key", key_for_people(window.last_key)}},
       item.resumed);
  return Reading::kRows;
}

Status IncrementalSnapshot::emit_rows(const TableDefinition& table) {
  Item& item = items_.front();
  const SnapshotMarker marker = item.resumed ? SnapshotMarker::kTrue : SnapshotMarker::kIncremental;
  if (window_->direct) {
    ChunkRequest request;
    request.table = &table;
    request.filter = item.filter;
    item.rows = 0;
    const Status read = source_->read(request, [&](std::span<const Cell> row) {
      ++item.rows;
      return host_.emit(table, row, marker);
    });
    const Status closed = source_->close_view();
    return read.ok() ? closed : read;
  }
  for (size_t i = 0; i < rows_.rows(); ++i) {
    if (!rows_.alive(i)) continue;
    if (Status s = host_.emit(table, rows_.row(i), marker); !s.ok()) return s;
  }
  item.rows += rows_.rows();
  return sdk::ok();
}

Status IncrementalSnapshot::close_window() {
  Item& item = items_.front();
  const TableDefinition* table = host_.table(item.id);
  const Status s = table == nullptr ? sdk::ok() : emit_rows(*table);
  const bool direct = window_->direct;
  const bool whole = window_->whole;
  if (s.ok() && !direct) item.last_key = window_->last_key;
  window_.reset();
  rows_.clear();
  if (!s.ok()) return s;
  if (SnapshotLedger::Table* entry = item.resumed ? ledger_entry(item.id) : nullptr; entry != nullptr) {
    entry->last_key = item.last_key;
    entry->rows = item.rows;
  }
  if (stopping_) {
    end_stopped();
  } else if (whole) {
    table_done("SUCCEEDED");
  }
  return sdk::ok();
}

}  // namespace millrace::mariadb
