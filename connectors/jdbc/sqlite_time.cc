#include "connectors/jdbc/sqlite_time.h"

#include <cmath>

#include "connectors/jdbc/temporal.h"

namespace millrace::jdbc {
namespace {

constexpr double kEpochJulianDay = 2440587.5, kLastJulianDay = 5373484.5;  // the end of the year 9999
constexpr int64_t kMostSeconds = 8'000'000'000'000;                        // microseconds of it fit 64 bits
constexpr size_t kDateSize = 10;                                           // yyyy-MM-dd

Instant from_units(int64_t number, int64_t per_second) {
  int64_t seconds = number / per_second, rest = number % per_second;
  if (rest < 0) {
    --seconds;
    rest += per_second;
  }
  return {seconds, static_cast<int32_t>(rest * (1'000'000'000 / per_second))};
}

bool from_text(std::string_view text, const TimeRules& rules, Instant& out) {
  const bool zoned =
      text.ends_with('Z') || (text.size() > kDateSize && text.find_first_of("+-", kDateSize) != text.npos);
  const CellForm form = text.size() <= kDateSize ? CellForm::kIsoDate
                        : zoned                  ? CellForm::kZonedTimestamp
                                                 : CellForm::kIsoTimestamp;
  WallTime wall;
  if (!wall_reading(form, sdk::string_value(text), rules.zones, wall).ok()) return false;
  if (!wall.zoned) {
    out = rules.zones.clock.instant_of(wall.civil);
    return true;
  }
  const Civil& civil = wall.civil;
  out.seconds = days_of(CalendarSystem::kProlepticGregorian, civil.year, civil.month, civil.day) * 86400 +
                civil.hour * 3600 + civil.minute * 60 + civil.second - wall.offset;
  out.nanos = static_cast<int32_t>(civil.micros * 1000);
  return true;
}

template <class Text>
std::string_view view(Text* bytes, int size) {
  return size == 0 ? std::string_view() : std::string_view(static_cast<const char*>(bytes), static_cast<size_t>(size));
}

}  // namespace

StoredValue stored_value(sqlite3_stmt* row, int column) {
  StoredValue out;
  out.type = sqlite3_column_type(row, column);
  if (out.type == SQLITE_INTEGER) out.integer = sqlite3_column_int64(row, column);
  if (out.type == SQLITE_FLOAT) out.real = sqlite3_column_double(row, column);
  if (out.type == SQLITE_TEXT || out.type == SQLITE_BLOB) {
    const void* bytes = out.type == SQLITE_TEXT ? static_cast<const void*>(sqlite3_column_text(row, column))
                                                : sqlite3_column_blob(row, column);
    out.text = view(bytes, sqlite3_column_bytes(row, column));
  }
  return out;
}

StoredValue stored_value(sqlite3_value* value) {
  StoredValue out;
  out.type = sqlite3_value_type(value);
  if (out.type == SQLITE_INTEGER) out.integer = sqlite3_value_int64(value);
  if (out.type == SQLITE_FLOAT) out.real = sqlite3_value_double(value);
  if (out.type == SQLITE_TEXT) {
    const void* bytes = sqlite3_value_text(value);
    out.text = view(bytes, sqlite3_value_bytes(value));
  }
  return out;
}

bool instant_of(const StoredValue& value, const TimeRules& rules, Instant& out) {
  switch (value.type) {
    case SQLITE_INTEGER:
      out = from_units(value.integer, rules.units_per_second);
      return out.seconds >= -kMostSeconds && out.seconds <= kMostSeconds;
    case SQLITE_FLOAT:
      if (!(value.real >= 0 && value.real < kLastJulianDay)) return false;
      out = from_units(std::llround((value.real - kEpochJulianDay) * 86'400'000), 1000);
      return true;
    case SQLITE_TEXT:
      return from_text(value.text, rules, out);
    default:
      return false;
  }
}

int64_t micros_of(const Instant& instant) { return instant.seconds * 1'000'000 + instant.nanos / 1000; }

}  // namespace millrace::jdbc
