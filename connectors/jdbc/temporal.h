/// Temporal values of records as the wall clock readings that go into a column.
/// Threads: any (pure). No allocation unless a value is refused.
#pragma once

#include <string>

#include "connectors/jdbc/session.h"

namespace millrace::jdbc {

/// What a DATE, TIME or DATETIME parameter holds.
struct WallTime {
  enum class Kind : uint8_t { kDate, kTime, kDateTime } kind = Kind::kDateTime;
  Civil civil;            ///< for a time of the day only minute, second and micros
  uint32_t hours = 0;     ///< kTime: may pass 24, as TIME columns do
  bool negative = false;  ///< kTime
  bool zoned = false;     ///< a point in time, read in a zone that is `offset` seconds east of Greenwich
  int32_t offset = 0;
};

/// Connect's Date, Time and Timestamp are moved into the zones of `options`; Debezium's types without a zone are wall
/// clock readings already; ZonedTimestamp and ZonedTime are moved into the session's zone.
/// Errors: kBadRecord when the value is no such time or no column can hold it.
Status wall_time(CellForm form, const mr_value& value, const WriteOptions& options, WallTime& out);

/// The same for years that only some databases have; year 0 is 1 BC.
Status wall_reading(CellForm form, const mr_value& value, const WriteOptions& options, WallTime& out);

/// 'yyyy-MM-dd', 'HH:mm:ss.SSSSSS' or both, in quotes, as SQL literal.
std::string quoted(const WallTime& time);

}  // namespace millrace::jdbc
