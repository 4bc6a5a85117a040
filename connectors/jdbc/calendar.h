/// Wall clock and calendar arithmetic for temporal columns: day numbers, Java's hybrid calendar, time zones.
/// Threads: any (immutable). No allocation after TimeZone::load.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/common/result.h"

namespace millrace::jdbc {

using connectors::Code;
using connectors::Result;
using connectors::Status;

struct Civil {
  int32_t year = 1970;
  uint32_t month = 1, day = 1, hour = 0, minute = 0, second = 0, micros = 0;
};

/// A point in time with the precision of the database.
struct Instant {
  int64_t seconds = 0;  ///< since the epoch, rounded down
  int32_t nanos = 0;    ///< 0 to 999,999,999
  auto operator<=>(const Instant&) const = default;
  int64_t millis() const { return seconds * 1000 + nanos / 1'000'000; }
};

/// kLegacy: Julian before 1582-10-15, as java.util.GregorianCalendar has it.
enum class CalendarSystem { kLegacy, kProlepticGregorian };

/// Days since 1970-01-01.
int64_t days_of(CalendarSystem system, int32_t year, uint32_t month, uint32_t day);
/// The date of a day number; only year, month and day are set.
Civil date_of(CalendarSystem system, int64_t days);

class TimeZone {
 public:
  /// UTC.
  TimeZone() = default;
  /// A zone of the system's zone database, an offset (+09:00, GMT+9, UTC) or one of Java's short ids (EST, PST …).
  /// Errors: kInvalidConfig when there is no such zone.
  static Result<TimeZone> load(std::string_view name);

  /// Seconds to add to UTC for local time at a point in time.
  int32_t offset_at(int64_t utc_seconds) const;
  /// UTC of a wall clock reading; in a gap the time after it, in an overlap the earlier point in time.
  int64_t utc_of(int64_t local_seconds) const;
  bool utc() const { return transitions_.empty() && before_ == 0 && !rule_.present; }

 private:
  struct Transition {
    int64_t at;
    int32_t offset;
  };
  struct RuleDay {
    int32_t month = 0, week = 0, weekday = 0;
    int32_t second = 7200;
  };
  /// What holds after the last transition: two changes a year.
  struct Rule {
    bool present = false;
    int32_t standard = 0, summer = 0;
    RuleDay start, end;
  };
  static bool parse_zone_file(std::string_view bytes, TimeZone& zone);
  static bool parse_rule(std::string_view text, Rule& rule);
  int32_t rule_offset(int64_t utc_seconds) const;

  std::vector<Transition> transitions_;  // in order of time
  int32_t before_ = 0;                   // offset before the first one
  Rule rule_;
};

/// Where a value of the session meets the wall clock: zone and calendar of one task.
struct WallClock {
  TimeZone zone;
  CalendarSystem calendar = CalendarSystem::kLegacy;

  Instant instant_of(const Civil& civil) const;
  Civil civil_of(int64_t utc_seconds, uint32_t micros) const;
};

}  // namespace millrace::jdbc
