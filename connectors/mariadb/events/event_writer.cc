#include "connectors/mariadb/events/event_writer.h"

#include <ctime>
#include <utility>

#include "connectors/mariadb/events/event_rules.h"
#include "connectors/mariadb/events/event_schemas.h"
#include "connectors/mariadb/events/record_batch.h"
#include "connectors/mariadb/events/schema_change_events.h"
#include "connectors/mariadb/events/side_events.h"
#include "connectors/mariadb/events/source_block.h"
#include "connectors/mariadb/events/table_cache.h"
#include "connectors/mariadb/events/table_events.h"
#include "connectors/mariadb/events/transaction_events.h"

namespace millrace::mariadb {
namespace {

constexpr size_t kContextHeaders = 4;

int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

}  // namespace

struct EventWriter::Impl {
  Impl(sdk::SourceContext& context_of_task, EventOptions events, ValueOptions value_options, OffsetProvider& offsets)
      : context(context_of_task),
        options(std::move(events)),
        values(std::move(value_options)),
        key_values(TableEvents::unmapped(values)),
        batch(context, offsets, options.max_batch_size),
        transactions(context, options, batch),
        schema_changes(context, options, batch),
        side(context, options, batch) {}

  /// Headers of a record: those of the context, behind the other key of a row that changed its key.
  void set_headers(mr_record& record) const {
    if (!options.extended_headers) return;
    record.headers = context_headers;
    record.header_count = kContextHeaders;
  }
  void set_headers(mr_record& record, std::string_view name, const TableEvents& table, const mr_value& key);
  Status register_headers();

  mr_value envelope(TableEvents& table, const mr_value& before, const mr_value& after, std::string_view operation,
                    const SourceInfo& source, const mr_value& transaction);
  mr_record& add(TableEvents& table, const mr_value& key, const mr_value& value);
  mr_record& add_tombstone(TableEvents& table, const mr_value& key);
  /// The values of one image in the batch's memory.
  Status convert(TableEvents& table, std::span<const Cell> cells, std::span<const Cell> other, mr_value*& out);

  Status write_one(TableEvents& table, std::span<const Cell> cells, std::string_view operation,
                   const SourceInfo& source);
  Status write_delete(TableEvents& table, std::span<const Cell> before, const SourceInfo& source);
  Status write_update(TableEvents& table, std::span<const Cell> before, std::span<const Cell> after,
                      const SourceInfo& source);
  void write_moved(TableEvents& table, const mr_value* old_row, const mr_value* new_row, const SourceInfo& source);

  sdk::SourceContext& context;
  const EventOptions options;
  const ValueOptions values, key_values;
  RecordBatch batch;
  TableCache tables;
  TransactionEvents transactions;
  SchemaChangeEvents schema_changes;
  SideEvents side;
  SourceTexts texts;
  Counters counters;
  mr_schema_id string_schema = 0;
  mr_header context_headers[kContextHeaders] = {};
};

Status EventWriter::Impl::register_headers() {
  if (string_schema != 0) return sdk::ok();
  if (Status s = plain_string_schema().register_with(context, string_schema); !s.ok()) return s;
  const std::pair<std::string_view, std::string_view> texts_of[kContextHeaders] = {
      {"__debezium.context.connectorLogicalName", options.topic_prefix},
      {"__debezium.context.taskId", options.task_id},
      {"__debezium.context.connectorName", options.connector_name},
      {"__debezium.context.runId", options.run_id}};
  for (size_t i = 0; i < kContextHeaders; ++i)
    context_headers[i] = {sdk::to_mr(texts_of[i].first), string_schema, 0, text_value(texts_of[i].second)};
  return sdk::ok();
}

void EventWriter::Impl::set_headers(mr_record& record, std::string_view name, const TableEvents& table,
                                    const mr_value& key) {
  const size_t context_count = options.extended_headers ? kContextHeaders : 0;
  // Headers are as strictly aligned as values and a multiple of their size.
  static_assert(alignof(mr_header) == alignof(mr_value) && sizeof(mr_header) <= 3 * sizeof(mr_value));
  auto* headers = reinterpret_cast<mr_header*>(batch.arena().values(3 * (context_count + 1)));
  headers[0] = {sdk::to_mr(name), table.key_schema(), 0, key};
  std::copy(context_headers, context_headers + context_count, headers + 1);
  record.headers = headers;
  record.header_count = static_cast<uint32_t>(context_count + 1);
}

mr_value EventWriter::Impl::envelope(TableEvents& table, const mr_value& before, const mr_value& after,
                                     std::string_view operation, const SourceInfo& source,
                                     const mr_value& transaction) {
  constexpr size_t kFields = 8;
  mr_value* items = batch.arena().values(kFields + SourceBlock::kFields);
  mr_value* origin = items + kFields;
  table.source().write(origin, source, texts);
  const int64_t now = now_ns();
  items[0] = before;
  items[1] = after;
  items[2] = struct_value(origin, SourceBlock::kFields);
  items[3] = transaction;
  items[4] = text_value(operation);
  items[5] = sdk::int_value(MR_INT64, now / 1'000'000);
  items[6] = sdk::int_value(MR_INT64, now / 1'000);
  items[7] = sdk::int_value(MR_INT64, now);
  return struct_value(items, kFields);
}

mr_record& EventWriter::Impl::add(TableEvents& table, const mr_value& key, const mr_value& value) {
  mr_record& record = batch.add(table.topic());
  record.key_schema = key.kind == MR_NULL ? 0 : table.key_schema();
  record.key = key;
  record.value_schema = table.value_schema();
  record.value = value;
  set_headers(record);
  return record;
}

mr_record& EventWriter::Impl::add_tombstone(TableEvents& table, const mr_value& key) {
  mr_record& record = add(table, key, null_value());
  record.value_schema = 0;
  return record;
}

Status EventWriter::Impl::convert(TableEvents& table, std::span<const Cell> cells, std::span<const Cell> other,
                                  mr_value*& out) {
  out = batch.arena().values(table.value_count());
  return table.convert(cells, other, batch.arena(), out);
}

Status EventWriter::Impl::write_one(TableEvents& table, std::span<const Cell> cells, std::string_view operation,
                                    const SourceInfo& source) {
  mr_value* row = nullptr;
  if (Status s = convert(table, cells, {}, row); !s.ok()) return s;
  const bool streamed = operation == "c";
  const mr_value transaction = streamed ? transactions.next(table) : null_value();
  add(table, table.key(row, batch.arena()),
      envelope(table, null_value(), table.row(row), operation, source, transaction));
  return sdk::ok();
}

Status EventWriter::Impl::write_delete(TableEvents& table, std::span<const Cell> before, const SourceInfo& source) {
  mr_value* row = nullptr;
  if (Status s = convert(table, before, {}, row); !s.ok()) return s;
  const mr_value key = table.key(row, batch.arena());
  add(table, key, envelope(table, table.row(row), null_value(), "d", source, transactions.next(table)));
  if (options.tombstones) add_tombstone(table, key);
  return sdk::ok();
}

Status EventWriter::Impl::write_update(TableEvents& table, std::span<const Cell> before, std::span<const Cell> after,
                                       const SourceInfo& source) {
  mr_value *old_row = nullptr, *new_row = nullptr;
  if (Status s = convert(table, before, {}, old_row); !s.ok()) return s;
  if (Status s = convert(table, after, before, new_row); !s.ok()) return s;
  if (table.has_key() && !table.same_key(old_row, new_row)) {
    write_moved(table, old_row, new_row, source);
    ++counters.updated;
    return sdk::ok();
  }
  if (options.skip_unchanged && table.same_fields(old_row, new_row)) {
    ++counters.skipped;
    return sdk::ok();
  }
  add(table, table.key(new_row, batch.arena()),
      envelope(table, table.row(old_row), table.row(new_row), "u", source, transactions.next(table)));
  ++counters.updated;
  return sdk::ok();
}

void EventWriter::Impl::write_moved(TableEvents& table, const mr_value* old_row, const mr_value* new_row,
                                    const SourceInfo& source) {
  constexpr std::string_view kNewKey = "__debezium.newkey", kOldKey = "__debezium.oldkey";
  const mr_value old_key = table.key(old_row, batch.arena()), new_key = table.key(new_row, batch.arena());
  set_headers(
      add(table, old_key, envelope(table, table.row(old_row), null_value(), "d", source, transactions.next(table))),
      kNewKey, table, new_key);
  if (options.tombstones) set_headers(add_tombstone(table, old_key), kNewKey, table, new_key);
  set_headers(
      add(table, new_key, envelope(table, null_value(), table.row(new_row), "c", source, transactions.next(table))),
      kOldKey, table, old_key);
}

EventWriter::EventWriter(sdk::SourceContext& context, EventOptions events, ValueOptions values, OffsetProvider& offsets)
    : impl_(std::make_unique<Impl>(context, std::move(events), std::move(values), offsets)) {}

EventWriter::~EventWriter() = default;

Result<TableEvents*> EventWriter::table(const TableDefinition& definition, const TableMap* map) {
  if (TableEvents* known = impl_->tables.find(definition, map); known != nullptr) return known;
  if (Status s = impl_->register_headers(); !s.ok()) return s;
  auto made = TableEvents::make(impl_->context, impl_->options, impl_->values, impl_->key_values, definition, map);
  if (!made.ok()) return made.status();
  return impl_->tables.add(std::move(made.value()));
}

Status EventWriter::row(TableEvents& table, Operation operation, std::span<const Cell> before,
                        std::span<const Cell> after, const SourceInfo& source) {
  Impl& impl = *impl_;
  const bool skipped = (operation == Operation::kCreate && impl.options.skip_create) ||
                       (operation == Operation::kUpdate && impl.options.skip_update) ||
                       (operation == Operation::kDelete && impl.options.skip_delete);
  if (skipped) {
    ++impl.counters.filtered;
    return sdk::ok();
  }
  impl.texts.set(impl.batch, source);
  const size_t first = impl.batch.size();
  Status status;
  switch (operation) {
    case Operation::kCreate:
      status = impl.write_one(table, after, "c", source);
      impl.counters.created += status.ok() ? 1 : 0;
      break;
    case Operation::kRead:
      status = impl.write_one(table, after, "r", source);
      impl.counters.read += status.ok() ? 1 : 0;
      break;
    case Operation::kDelete:
      status = impl.write_delete(table, before, source);
      impl.counters.deleted += status.ok() ? 1 : 0;
      break;
    case Operation::kUpdate:
      status = impl.write_update(table, before, after, source);
      break;
  }
  impl.batch.close_change(first);
  return status;
}

Status EventWriter::truncate(TableEvents& table, const SourceInfo& source) {
  Impl& impl = *impl_;
  if (impl.options.skip_truncate) {
    ++impl.counters.filtered;
    return sdk::ok();
  }
  impl.texts.set(impl.batch, source);
  const size_t first = impl.batch.size();
  impl.add(table, null_value(),
           impl.envelope(table, null_value(), null_value(), "t", source, impl.transactions.next(table)));
  impl.batch.close_change(first);
  return sdk::ok();
}

Status EventWriter::begin_transaction(std::string_view id, int64_t time_ms) {
  return impl_->transactions.begin(id, time_ms);
}

Status EventWriter::end_transaction(int64_t time_ms) { return impl_->transactions.end(time_ms); }

const TransactionProgress* EventWriter::transaction() const { return impl_->transactions.progress(); }

void EventWriter::resume_transaction(TransactionProgress progress) { impl_->transactions.resume(std::move(progress)); }

Status EventWriter::schema_change(const SchemaChange& change, const SourceInfo& source) {
  Impl& impl = *impl_;
  for (const TableChange& each : change.changes) {
    if (each.type == TableChange::Type::kDrop) impl.tables.forget(each.id);
    if (each.previous_id.has_value()) impl.tables.forget(*each.previous_id);
  }
  if (!impl.options.include_schema_changes) return sdk::ok();
  if (Status s = impl.register_headers(); !s.ok()) return s;
  SourceInfo without_query = source;  // recorded so: the ddl has the statement
  without_query.query = {};
  impl.texts.set(impl.batch, without_query);
  const size_t first = impl.batch.size();
  auto record = impl.schema_changes.add(change, without_query, impl.texts, now_ns() / 1'000'000);
  if (!record.ok()) return record.status();
  impl.set_headers(*record.value());
  impl.batch.close_change(first);
  return sdk::ok();
}

Status EventWriter::heartbeat(int64_t now_ms) { return impl_->side.heartbeat(now_ms); }

Status EventWriter::notification(std::string_view id, std::string_view aggregate_type, std::string_view type,
                                 std::span<const std::pair<std::string, std::string>> additional_data, int64_t now_ms) {
  return impl_->side.notification(id, aggregate_type, type, additional_data, now_ms);
}

size_t EventWriter::pending() const { return impl_->batch.size(); }

bool EventWriter::full() const { return impl_->batch.full(); }

Status EventWriter::flush() {
  if (Status s = impl_->batch.flush(); !s.ok()) return s;
  impl_->tables.sweep();
  return sdk::ok();
}

const EventWriter::Counters& EventWriter::counters() const { return impl_->counters; }

}  // namespace millrace::mariadb
