#include "connectors/mariadb/events/side_events.h"

#include "connectors/mariadb/events/event_rules.h"
#include "connectors/mariadb/events/event_schemas.h"

namespace millrace::mariadb {

SideEvents::SideEvents(sdk::SourceContext& context, const EventOptions& options, RecordBatch& batch)
    : context_(context), options_(options), batch_(batch) {}

Status SideEvents::heartbeat(int64_t now_ms) {
  if (heartbeat_value_ == 0) {
    if (Status s = heartbeat_key_schema().register_with(context_, heartbeat_key_); !s.ok()) return s;
    if (Status s = heartbeat_value_schema().register_with(context_, heartbeat_value_); !s.ok()) return s;
  }
  mr_value* items = batch_.arena().values(2);
  items[0] = text_value(options_.topic_prefix);
  items[1] = sdk::int_value(MR_INT64, now_ms);
  const size_t first = batch_.size();
  mr_record& record = batch_.add(options_.rules->topics.heartbeat_topic());
  record.partition = 0;
  record.key_schema = heartbeat_key_;
  record.key = struct_value(items, 1);
  record.value_schema = heartbeat_value_;
  record.value = struct_value(items + 1, 1);
  batch_.close_change(first);
  return sdk::ok();
}

Status SideEvents::notification(std::string_view id, std::string_view aggregate_type, std::string_view type,
                                std::span<const std::pair<std::string, std::string>> additional_data, int64_t now_ms) {
  if (options_.rules->notification_topic.empty()) return sdk::ok();
  if (notification_value_ == 0) {
    if (Status s = notification_key_schema().register_with(context_, notification_key_); !s.ok()) return s;
    if (Status s = notification_value_schema().register_with(context_, notification_value_); !s.ok()) return s;
  }
  connectors::ByteArena& arena = batch_.arena();
  mr_value* entries = arena.values(2 * additional_data.size());
  for (size_t i = 0; i < additional_data.size(); ++i) {
    entries[2 * i] = text_value(arena.copy(additional_data[i].first));
    entries[2 * i + 1] = text_value(arena.copy(additional_data[i].second));
  }
  mr_value* items = arena.values(6);
  items[0] = items[5] = text_value(arena.copy(id));
  items[1] = text_value(arena.copy(type));
  items[2] = text_value(arena.copy(aggregate_type));
  items[3] = additional_data.empty() ? null_value() : sdk::map_value({entries, 2 * additional_data.size()});
  items[4] = sdk::int_value(MR_INT64, now_ms);
  const size_t first = batch_.size();
  mr_record& record = batch_.add(options_.rules->notification_topic);
  record.key_schema = notification_key_;
  record.key = struct_value(items + 5, 1);
  record.value_schema = notification_value_;
  record.value = struct_value(items, 5);
  batch_.close_change(first);
  return sdk::ok();
}

}  // namespace millrace::mariadb
