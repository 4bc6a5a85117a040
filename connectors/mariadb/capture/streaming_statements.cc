// Statements of the stream: ends of transactions, DDL, and what row capture cannot see.
#include <algorithm>

#include "connectors/mariadb/capture/streaming.h"
#include "connectors/mariadb/types/text_decoder.h"

namespace millrace::mariadb {
namespace {

bool same_word(std::string_view text, std::string_view word) {
  return text.size() == word.size() && std::equal(text.begin(), text.end(), word.begin(), [](char a, char b) {
           return (a >= 'a' && a <= 'z' ? a - 32 : a) == b;
         });
}

/// The statement in UTF-8: the binlog has it as the client sent it. Borrows from both.
std::string_view sql_text(const QueryEvent& query, connectors::ByteArena& arena) {
  const std::string_view charset = charset_of_collation(query.client_charset);
  if (charset.empty() || charset == "binary" || charset.starts_with("utf8")) return query.sql;
  return TextDecoder(charset).decode(query.sql, arena);
}

}  // namespace

Status Streaming::on_query(const Event& event) {
  auto query = parse_query(event, inflated_);
  if (!query.ok()) return query.status();
  if (same_word(query->sql, "COMMIT") || same_word(query->sql, "ROLLBACK")) return end_transaction(event);
  if (same_word(query->sql, "BEGIN") || query->sql.starts_with("SAVEPOINT ")) return sdk::ok();
  if (query->sql.starts_with("XA ")) return on_xa_outcome(event, query->sql);
  if (Status s = on_ddl(event, *query); !s.ok()) return s;
  // A DDL statement is a transaction of its own; CREATE … SELECT goes on with rows and ends with its XID.
  return gtid_event_.standalone ? end_transaction(event) : sdk::ok();
}

Status Streaming::on_ddl(const Event& event, const QueryEvent& query) {
  // What the registry does with a statement must be done again after a restart; only its records are not repeated.
  const bool written = skip_events_ > 0 || skip_rows_ > 0;
  connectors::ByteArena arena;
  const std::string_view sql = sql_text(query, arena);
  const DdlResult ddl = schemas_.apply(query.database, sql);
  if (ddl.kind == DdlResult::Kind::kIgnored) return sdk::ok();
  SourceInfo source = source_of(event);
  source.row = last_row_;  // Debezium's stays that of the row before
  SourceOffset& offset = offset_.current;
  offset.time_s = event.header.timestamp_s;
  if (ddl.kind == DdlResult::Kind::kRowStatement) {
    const bool ours = std::ranges::any_of(ddl.tables, [&](const TableId& id) { return config_.tables.captures(id); });
    if (ours) {
      context_.warn("a statement changed rows of a captured table in statement format at GTID " + gtid_text_ +
                    ": its rows are not in the binlog and are missing in the topic; SET GLOBAL binlog_format='ROW' and "
                    "read the table again with an incremental snapshot. Statement: " +
                    std::string(sql.substr(0, 200)));
    }
    return sdk::ok();
  }
  ++schemas_version_;
  if (observer_ != nullptr) {
    for (const TableId& id : ddl.tables) observer_->table_altered(id);
  }
  if (written) return sdk::ok();
  for (const SchemaChange& change : ddl.changes) {
    if (Status s = write_change(change, ddl.tables, source); !s.ok()) return s;
  }
  if (ddl.kind == DdlResult::Kind::kTruncate) return truncate(ddl.tables, source);
  return sdk::ok();
}

Status Streaming::write_change(const SchemaChange& change, const std::vector<TableId>& tables,
                               const SourceInfo& source) {
  const auto ours = [&](const TableId& id) { return config_.tables.captures(id); };
  const bool captured = std::ranges::any_of(change.changes, [&](const TableChange& table) {
    return ours(table.id) || (table.previous_id && ours(*table.previous_id));
  });
  const bool wanted = captured || (change.changes.empty() && (tables.empty() || std::ranges::any_of(tables, ours)));
  // Debezium keeps statements on databases out of a history of captured tables, but tells of them.
  const bool only_tables = config_.history.store_only_captured_tables;
  const bool stored = (!only_tables || captured || change.database.empty()) &&
                      (!config_.history.store_only_captured_databases || change.database.empty() ||
                       config_.tables.captures_database(change.database));
  if (stored) history_.record(change, offset_.current);
  if (only_tables && !wanted) return sdk::ok();
  told_ = true;
  return writer_.schema_change(change, source);
}

Status Streaming::truncate(const std::vector<TableId>& tables, const SourceInfo& source) {
  for (const TableId& id : tables) {
    const TableDefinition* definition = schemas_.registry().find(id);
    if (definition == nullptr || !config_.tables.captures(id)) continue;
    auto events = writer_.table(*definition, nullptr);
    if (!events.ok()) return events.status();
    if (Status s = writer_.truncate(**events, source); !s.ok()) return s;
  }
  return sdk::ok();
}

}  // namespace millrace::mariadb
