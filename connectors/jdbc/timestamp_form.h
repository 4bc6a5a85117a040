/// The forms a timestamp column takes in records (timestamp.granularity), the same for every database.
/// Threads: any (pure). No allocation but in the arena.
#pragma once

#include "connectors/jdbc/session.h"

namespace millrace::jdbc {

/// Sets the type of a timestamp column.
void describe_timestamp(TimestampGranularity granularity, ResultColumn& column);

/// Whether put_timestamp needs the wall clock reading.
inline bool wants_civil(TimestampGranularity granularity) {
  return granularity == TimestampGranularity::kMicrosIso || granularity == TimestampGranularity::kNanosIso;
}

/// Sets the content of `value`, whose kind is set already. `civil` is looked at only where wants_civil() says so.
void put_timestamp(const Instant& instant, const Civil& civil, TimestampGranularity granularity, mr_value& value,
                   ByteArena& bytes);

}  // namespace millrace::jdbc
