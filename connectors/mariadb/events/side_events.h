/// Heartbeats and notifications. Threads: the task's.
#pragma once

#include <span>
#include <string>
#include <utility>

#include "connectors/mariadb/events/event_options.h"
#include "connectors/mariadb/events/record_batch.h"

namespace millrace::mariadb {

class SideEvents {
 public:
  SideEvents(sdk::SourceContext& context, const EventOptions& options, RecordBatch& batch);
  Status heartbeat(int64_t now_ms);
  Status notification(std::string_view id, std::string_view aggregate_type, std::string_view type,
                      std::span<const std::pair<std::string, std::string>> additional_data, int64_t now_ms);

 private:
  sdk::SourceContext& context_;
  const EventOptions& options_;
  RecordBatch& batch_;
  mr_schema_id heartbeat_key_ = 0, heartbeat_value_ = 0, notification_key_ = 0, notification_value_ = 0;
};

}  // namespace millrace::mariadb
