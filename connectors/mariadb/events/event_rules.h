/// The compiled part of EventOptions.
#pragma once

#include <string>

#include "connectors/mariadb/config/filters.h"
#include "connectors/mariadb/events/event_options.h"
#include "connectors/mariadb/events/key_columns.h"
#include "connectors/mariadb/events/name_adjustment.h"
#include "connectors/mariadb/events/topic_naming.h"

namespace millrace::mariadb {

/// What happens to a value that cannot be represented (event.converting.failure.handling.mode).
enum class ValueFailure {
  kFail,
  kWarn,  ///< the field becomes null and the log tells it, now and then
  kSkip,  ///< the field becomes null
};

struct EventOptions::Rules {
  TopicNaming topics;
  KeyColumns keys;
  ColumnFilter columns;
  NameAdjustment schema_names = NameAdjustment::kNone, field_names = NameAdjustment::kNone;
  ValueFailure value_failure = ValueFailure::kWarn;
  std::string notification_topic;  ///< empty: notifications do not go to a topic
};

}  // namespace millrace::mariadb
