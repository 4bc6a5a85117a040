/// The fields of a java.util.GregorianCalendar in UTC, and the moment they stand for.
#pragma once

#include <array>
#include <cstdint>

namespace millrace::smt {

enum class CalendarField : uint8_t {
  kEra,  ///< 0 = BC, 1 = AD
  kYear,
  kWeekYear,
  kMonth,  ///< 0 = January
  kWeekOfYear,
  kWeekOfMonth,
  kDayOfMonth,
  kDayOfYear,
  kDayOfWeek,         ///< 1 = Sunday
  kDayOfWeekInMonth,  ///< which Tuesday of the month
  kAmPm,
  kHour,  ///< 0 to 11
  kHourOfDay,
  kMinute,
  kSecond,
  kMillisecond,
  kZoneOffset,  ///< milliseconds
};
inline constexpr size_t kCalendarFields = 17;

/// Days since the epoch in the calendar that Java uses at that time: Julian up to 1582-10-04. `month` from 0, any
/// number; `day` is counted on.
int64_t days_of(int64_t year, int64_t month, int64_t day);

/// All fields of a moment; kYear is that of the era.
std::array<int64_t, kCalendarFields> calendar_fields(int64_t epoch_ms);

/// Collects fields and resolves them as a lenient calendar does: of contradictory ones those set last count.
class CalendarBuilder {
 public:
  void set(CalendarField field, int64_t value);
  int64_t epoch_ms() const;

 private:
  bool has(CalendarField field) const { return stamps_[static_cast<size_t>(field)] != 0; }
  int stamp(CalendarField field) const { return stamps_[static_cast<size_t>(field)]; }
  int64_t get(CalendarField field, int64_t otherwise) const {
    return has(field) ? values_[static_cast<size_t>(field)] : otherwise;
  }
  int64_t days() const;
  int64_t days_by_month(int64_t year, CalendarField by) const;
  int64_t ms_of_day() const;

  std::array<int64_t, kCalendarFields> values_{};
  std::array<int, kCalendarFields> stamps_{};  // 0 = not set, else the order of setting
  int next_stamp_ = 1;
};

}  // namespace millrace::smt
