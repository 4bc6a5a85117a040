#include "connectors/mariadb/events/transaction_events.h"

#include <algorithm>

#include "connectors/mariadb/events/event_rules.h"
#include "connectors/mariadb/events/event_schemas.h"

namespace millrace::mariadb {

TransactionEvents::TransactionEvents(sdk::SourceContext& context, const EventOptions& options, RecordBatch& batch)
    : context_(context), options_(options), batch_(batch) {}

Status TransactionEvents::register_schemas() {
  if (value_schema_ != 0) return sdk::ok();
  if (Status s = transaction_key_schema().register_with(context_, key_schema_); !s.ok()) return s;
  return transaction_value_schema().register_with(context_, value_schema_);
}

Status TransactionEvents::begin(std::string_view id, int64_t time_ms) {
  if (!options_.transaction_metadata) return sdk::ok();
  active_ = true;
  ++serial_;
  progress_.id.assign(id);
  progress_.total = 0;
  progress_.collections.clear();
  return add("BEGIN", null_value(), null_value(), time_ms);
}

Status TransactionEvents::end(int64_t time_ms) {
  if (!active_) return sdk::ok();
  const size_t count = progress_.collections.size();
  mr_value* collections = batch_.arena().values(count);
  for (size_t i = 0; i < count; ++i) {
    mr_value* pair = batch_.arena().values(2);
    pair[0] = text_value(batch_.arena().copy(progress_.collections[i].first));
    pair[1] = sdk::int_value(MR_INT64, progress_.collections[i].second);
    collections[i] = struct_value(pair, 2);
  }
  const Status status = add("END", sdk::int_value(MR_INT64, progress_.total), array_value(collections, count), time_ms);
  active_ = false;
  return status;
}

Status TransactionEvents::add(std::string_view status, const mr_value& count, const mr_value& collections,
                              int64_t time_ms) {
  if (Status s = register_schemas(); !s.ok()) return s;
  mr_value* items = batch_.arena().values(6);
  const mr_value id = text_value(batch_.arena().copy(progress_.id));
  items[0] = text_value(status);
  items[1] = items[5] = id;
  items[2] = count;
  items[3] = collections;
  items[4] = sdk::int_value(MR_INT64, time_ms);
  const size_t first = batch_.size();
  mr_record& record = batch_.add(options_.rules->topics.transaction_topic());
  record.key_schema = key_schema_;
  record.key = struct_value(items + 5, 1);
  record.value_schema = value_schema_;
  record.value = struct_value(items, 5);
  batch_.close_change(first);
  return sdk::ok();
}

mr_value TransactionEvents::next(TableEvents& table) {
  if (!active_) return null_value();
  auto& collections = progress_.collections;
  if (table.transaction != serial_) {
    const auto same = [&](const auto& entry) { return entry.first == table.collection(); };
    const auto at = std::find_if(collections.begin(), collections.end(), same);
    table.transaction_place = static_cast<size_t>(at - collections.begin());
    if (at == collections.end()) collections.emplace_back(table.collection(), 0);
    table.transaction = serial_;
  }
  mr_value* items = batch_.arena().values(3);
  items[0] = batch_.keep(id_slot_, progress_.id);
  items[1] = sdk::int_value(MR_INT64, ++progress_.total);
  items[2] = sdk::int_value(MR_INT64, ++collections[table.transaction_place].second);
  return struct_value(items, 3);
}

void TransactionEvents::resume(TransactionProgress progress) {
  if (!options_.transaction_metadata || progress.id.empty()) return;
  progress_ = std::move(progress);
  active_ = true;
  ++serial_;
}

}  // namespace millrace::mariadb
