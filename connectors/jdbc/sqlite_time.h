/// Points in time as SQLite databases keep them, which have no type for them: ISO 8601 texts, epoch numbers as Xerial's
/// driver writes them, Julian days.
/// Threads: any (pure). No allocation.
#pragma once

#include <sqlite3.h>

#include "connectors/jdbc/session.h"

namespace millrace::jdbc {

/// A value with its storage class, whatever its column was declared as. Views end with the row.
struct StoredValue {
  int type = SQLITE_NULL;
  int64_t integer = 0;
  double real = 0;
  std::string_view text;  ///< of a TEXT or BLOB
};

StoredValue stored_value(sqlite3_stmt* row, int column);
StoredValue stored_value(sqlite3_value* value);

struct TimeRules {
  WriteOptions zones;               ///< texts without an offset are readings of zones.clock
  int64_t units_per_second = 1000;  ///< of whole numbers
};

/// False when the value is no point in time.
bool instant_of(const StoredValue& value, const TimeRules& rules, Instant& out);

/// Since the epoch; what the SQL function millrace_micros and the parameters of timestamp modes are.
int64_t micros_of(const Instant& instant);

}  // namespace millrace::jdbc
