/// Dates and times of cells as numbers and ISO-8601 text. Pure; nothing allocates.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "connectors/mariadb/cell.h"

namespace millrace::mariadb {

inline constexpr int64_t kMicrosPerSecond = 1'000'000;
inline constexpr int64_t kSecondsPerDay = 86'400;
inline constexpr int64_t kMicrosPerDay = kSecondsPerDay * kMicrosPerSecond;
inline constexpr size_t kTemporalTextMax = 40;

/// Days since 1970-01-01 in the proleptic Gregorian calendar.
constexpr int64_t days_of(int64_t year, uint32_t month, uint32_t day) {
  year -= month <= 2 ? 1 : 0;
  const int64_t era = (year >= 0 ? year : year - 399) / 400;
  const auto of_era = static_cast<uint32_t>(year - era * 400);
  const uint32_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  return era * 146'097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719'468;
}

/// The wall clock reading in UTC of microseconds since the epoch.
WallTime wall_time_of(int64_t epoch_micros);

/// A day of the calendar: no part is zero and the month is that long. MariaDB stores others too.
constexpr bool is_calendar_date(const WallTime& time) {
  constexpr uint8_t kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (time.year == 0 || time.month == 0 || time.month > 12 || time.day == 0) return false;
  const bool leap = time.year % 4 == 0 && (time.year % 100 != 0 || time.year % 400 == 0);
  return time.day <= kDays[time.month - 1] + (time.month == 2 && leap ? 1 : 0);
}

constexpr int64_t seconds_of_day(const WallTime& time) { return time.hour * 3600 + time.minute * 60 + time.second; }

/// Each writes into `out` (kTemporalTextMax bytes) and returns the length. `digits` of the fraction; kTrimmed = as many
/// as the fraction has, none when it is zero.
inline constexpr int kTrimmed = -1;
size_t date_text(const WallTime& time, char* out);                   ///< 2024-02-29
size_t clock_text(int64_t micros_of_day, int digits, char* out);     ///< 12:34:56.789
size_t date_time_text(const WallTime& time, int digits, char* out);  ///< 2024-02-29T12:34:56.789

/// "2024-02-29[ 12:34:56[.789]]" (a T will do for the blank, a Z at the end is skipped); parts may be zero.
bool parse_date_time(std::string_view text, WallTime& time);
/// "[-]838:59:59[.999999]" to signed microseconds.
bool parse_duration(std::string_view text, int64_t& micros);
/// Microseconds since the epoch of a wall clock reading in UTC.
int64_t epoch_micros_of(const WallTime& time);

}  // namespace millrace::mariadb
