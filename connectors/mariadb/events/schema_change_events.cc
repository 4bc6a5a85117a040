#include "connectors/mariadb/events/schema_change_events.h"

#include "connectors/mariadb/events/event_rules.h"
#include "connectors/mariadb/events/event_schemas.h"

namespace millrace::mariadb {

using connectors::ByteArena;

namespace {

mr_value copied(ByteArena& arena, std::string_view text) { return text_value(arena.copy(text)); }

mr_value copied(ByteArena& arena, const std::optional<std::string>& text) {
  return text.has_value() ? copied(arena, std::string_view(*text)) : null_value();
}

mr_value number(const std::optional<int32_t>& number) {
  return number.has_value() ? sdk::int_value(MR_INT32, *number) : null_value();
}

mr_value boolean(bool yes) { return sdk::int_value(MR_BOOLEAN, yes ? 1 : 0); }

/// As SQL writes a label: 'it''s'.
mr_value quoted_label(ByteArena& arena, std::string_view label) {
  std::string quoted = "'";
  for (const char c : label) quoted.append(c == '\'' ? 2 : 1, c);
  return copied(arena, std::string_view(quoted + "'"));
}

mr_value labels(ByteArena& arena, const std::vector<std::string>& values) {
  if (values.empty()) return null_value();
  mr_value* items = arena.values(values.size());
  for (size_t i = 0; i < values.size(); ++i) items[i] = quoted_label(arena, values[i]);
  return array_value(items, values.size());
}

mr_value column_value(ByteArena& arena, const ColumnDefinition& column) {
  const mr_value fields[] = {copied(arena, std::string_view(column.name)),
                             sdk::int_value(MR_INT32, column.jdbc_type),
                             null_value(),  // nativeType: no JDBC driver, no number of its own
                             copied(arena, std::string_view(column.type_name)),
                             copied(arena, std::string_view(column.type_expression)),
                             copied(arena, column.charset),
                             number(column.length),
                             number(column.scale),
                             sdk::int_value(MR_INT32, column.position),
                             boolean(column.optional),
                             boolean(column.auto_incremented),
                             boolean(column.generated),
                             copied(arena, column.comment),
                             copied(arena, column.default_expression),
                             labels(arena, column.enum_values)};
  mr_value* items = arena.values(std::size(fields));
  std::copy(std::begin(fields), std::end(fields), items);
  return struct_value(items, std::size(fields));
}

mr_value table_value(ByteArena& arena, const TableDefinition& table) {
  mr_value* keys = arena.values(table.primary_key.size());
  for (size_t i = 0; i < table.primary_key.size(); ++i) keys[i] = copied(arena, std::string_view(table.primary_key[i]));
  mr_value* columns = arena.values(table.columns.size());
  for (size_t i = 0; i < table.columns.size(); ++i) columns[i] = column_value(arena, table.columns[i]);
  mr_value* items = arena.values(4);
  items[0] = copied(arena, table.default_charset);
  items[1] = array_value(keys, table.primary_key.size());
  items[2] = array_value(columns, table.columns.size());
  items[3] = copied(arena, table.comment);
  return struct_value(items, 4);
}

std::string quoted_id(const TableId& id) { return "\"" + id.database + "\".\"" + id.table + "\""; }

mr_value change_value(ByteArena& arena, const TableChange& change) {
  constexpr std::string_view kTypes[] = {"CREATE", "ALTER", "DROP"};
  mr_value* items = arena.values(3);
  items[0] = text_value(kTypes[static_cast<size_t>(change.type)]);
  items[1] = copied(arena, std::string_view(quoted_id(change.id)));
  items[2] = change.table.has_value() ? table_value(arena, *change.table) : null_value();
  return struct_value(items, 3);
}

}  // namespace

SchemaChangeEvents::SchemaChangeEvents(sdk::SourceContext& context, const EventOptions& options, RecordBatch& batch)
    : context_(context), options_(options), batch_(batch) {}

Status SchemaChangeEvents::register_schemas() {
  if (value_schema_ != 0) return sdk::ok();
  if (Status s = schema_change_key_schema(options_.connector).register_with(context_, key_schema_); !s.ok()) return s;
  return schema_change_value_schema(options_.connector).register_with(context_, value_schema_);
}

Result<mr_record*> SchemaChangeEvents::add(const SchemaChange& change, const SourceInfo& source,
                                           const SourceTexts& texts, int64_t now_ms) {
  if (Status s = register_schemas(); !s.ok()) return s;
  ByteArena& arena = batch_.arena();
  const std::string_view database = arena.copy(change.database);
  std::optional<std::string_view> table;
  if (!change.source_table.empty() || change.blank_source_table) table = arena.copy(change.source_table);
  mr_value* origin = arena.values(SourceBlock::kFields);
  SourceBlock(options_, database, table).write(origin, source, texts);
  mr_value* changes = arena.values(change.changes.size());
  for (size_t i = 0; i < change.changes.size(); ++i) changes[i] = change_value(arena, change.changes[i]);
  mr_value* items = arena.values(7);
  items[0] = struct_value(origin, SourceBlock::kFields);
  items[1] = sdk::int_value(MR_INT64, now_ms);
  items[2] = items[6] = text_value(database);
  items[3] = null_value();  // schemaName: databases have no schemas within
  items[4] = copied(arena, std::string_view(change.ddl));
  items[5] = array_value(changes, change.changes.size());
  mr_record& record = batch_.add(options_.rules->topics.schema_change_topic());
  record.partition = 0;  // all of them in order, whatever the keys
  record.key_schema = key_schema_;
  record.key = struct_value(items + 6, 1);
  record.value_schema = value_schema_;
  record.value = struct_value(items, 6);
  return &record;
}

}  // namespace millrace::mariadb
