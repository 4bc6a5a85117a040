// Tables and rows of the stream.
#include <algorithm>

#include "connectors/mariadb/capture/streaming.h"
#include "connectors/mariadb/schema/reconcile.h"

namespace millrace::mariadb {

Status Streaming::on_table_map(const Event& event) {
  if (event.body.size() < 6) return {Code::kInternal, "truncated table map"};
  TableState& table = tables_[table_map_id(event)];
  // Every statement repeats its maps; equal bytes are the same table version.
  if (std::ranges::equal(table.raw, event.body)) return sdk::ok();
  auto map = parse_table_map(event);
  if (!map.ok()) return map.status();
  table = TableState{};
  table.raw.assign(event.body.begin(), event.body.end());
  table.map = std::move(*map);
  table.captured = config_.tables.captures(table.map.table);
  table.signal = config_.signal_table == table.map.table.full();
  return sdk::ok();
}

bool Streaming::source_accepted() const {
  if (!config_.gtid_filter_rows || (config_.gtid_includes.empty() && config_.gtid_excludes.empty())) return true;
  const std::string source = std::to_string(gtid_.domain) + "-" + std::to_string(gtid_.server);
  if (!config_.gtid_includes.empty()) return config_.gtid_includes.matches(source);
  return !config_.gtid_excludes.matches(source);
}

Status Streaming::on_rows(const Event& event) {
  auto id = RowsReader::table_id_of(event);
  if (!id.ok()) return id.status();
  const auto found = tables_.find(*id);
  if (found == tables_.end()) {
    return {Code::kInternal, "rows of table id " + std::to_string(*id) + " without a table map before them"};
  }
  TableState& table = found->second;
  if (!table.captured || deferring_ || !source_accepted()) return sdk::ok();
  if (table.ddl_version != schemas_version_) {
    if (Status s = resolve(table); !s.ok()) return s;
  }
  return table.events == nullptr ? sdk::ok() : write_rows(table, event);
}

namespace {

/// What a table map without metadata does not say, but the declaration does.
void amend(TableMap& map, const TableDefinition& definition, std::span<const uint32_t> columns) {
  constexpr uint8_t kOldTimestamp = 7, kOldTime = 11, kOldDateTime = 12, kString = 254;
  constexpr uint16_t kBinary = 63;
  for (size_t i = 0; i < columns.size(); ++i) {
    const ColumnDefinition& column = definition.columns[i];
    WireColumn& wire = map.columns[columns[i]];
    const bool padded =
        column.type_name == "BINARY" || column.type_name == "UUID" || column.type_name.starts_with("INET");
    if (!map.has_charsets && wire.type == kString && padded) wire.collation = kBinary;
    if (!map.has_signs) wire.is_unsigned = column.type_name.find("UNSIGNED") != std::string::npos;
    if (wire.type == kOldTimestamp || wire.type == kOldTime || wire.type == kOldDateTime) {
      wire.metadata = static_cast<uint16_t>(column.length.value_or(0));
    }
  }
}

}  // namespace

Status Streaming::resolve(TableState& table) {
  table.events = nullptr;
  auto definition = schemas_.definition_for(table.map);
  if (!definition.ok()) {
    const Status& why = definition.status();
    if (why.code() == Code::kUnavailable || config_.on_unknown_schema == FailureMode::kFail) return why;
    if (config_.on_unknown_schema == FailureMode::kWarn) {
      context_.warn("rows of " + table.map.table.full() + " are skipped: " + why.message());
    }
    table.ddl_version = schemas_version_;
    return sdk::ok();
  }
  auto columns = match_columns(**definition, table.map);
  if (!columns.ok()) return columns.status();
  amend(table.map, **definition, *columns);
  auto events = writer_.table(**definition, &table.map);
  if (!events.ok()) return events.status();
  table.definition = **definition;
  table.columns = std::move(*columns);
  table.events = *events;
  table.ddl_version = schemas_version_;
  return sdk::ok();
}

Status Streaming::write_rows(TableState& table, const Event& event) {
  if (skip_events_ > 0 && !replaying_) return sdk::ok();
  if (Status s = rows_.open(event, table.map); !s.ok()) return s;
  SourceOffset& offset = offset_.current;
  SourceInfo source = source_of(event);
  source.query = query_;
  offset.time_s = event.header.timestamp_s;
  const Operation operation = rows_.operation() == RowOperation::kInsert   ? Operation::kCreate
                              : rows_.operation() == RowOperation::kUpdate ? Operation::kUpdate
                                                                           : Operation::kDelete;
  if (!replaying_) offset.rows = 0;  // a replayed group counts as the rows of its XA COMMIT
  const bool watched = observer_ != nullptr && observer_->watches(table.map.table);
  while (rows_.more()) {
    if (Status s = rows_.next(); !s.ok()) return s;
    ++offset.rows;
    if (skip_rows_ >= offset.rows) {
      ++source.row;
      continue;
    }
    if (watched || table.signal) {  // first, so that the row's offset tells of what the signal began
      if (Status s = observe_row(table, watched); !s.ok()) {
        --offset.rows;  // it is read again
        return s;
      }
    }
    if (Status s = writer_.row(*table.events, operation, rows_.before(), rows_.after(), source); !s.ok()) return s;
    last_row_ = source.row++;
    if (writer_.full()) {
      if (Status s = writer_.flush(); !s.ok()) return s;
    }
  }
  return sdk::ok();
}

Status Streaming::observe_row(TableState& table, bool watched) {
  if (observer_ == nullptr) return sdk::ok();
  if (watched) {
    if (Status s = observer_->row_changed(*table.events, rows_.before(), rows_.after()); !s.ok()) return s;
  }
  if (!table.signal) return sdk::ok();
  const auto ordered = [&](std::span<const Cell> cells) {
    std::vector<Cell> row;
    if (cells.empty()) return row;
    for (const uint32_t column : table.columns) row.push_back(cells[column]);
    return row;
  };
  const bool inserted = rows_.operation() == RowOperation::kInsert,
             deleted = rows_.operation() == RowOperation::kDelete;
  const std::vector<Cell> row = ordered(inserted ? rows_.after() : deleted ? rows_.before() : std::span<const Cell>());
  if (inserted) return observer_->signal_row(row, {});
  return deleted ? observer_->signal_row({}, row) : sdk::ok();
}

}  // namespace millrace::mariadb
