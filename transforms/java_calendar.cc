#include "transforms/java_calendar.h"

#include <algorithm>

#include "converters/civil_date.h"

namespace millrace::smt {
namespace {

using F = CalendarField;

constexpr int64_t kCutoverDays = -141427;  // 1582-10-15, the first Gregorian day
constexpr int64_t kSunday = 1;

/// 1 = Sunday; 1970-01-01 was a Thursday.
int64_t day_of_week(int64_t days) { return days + 4 - floor_div(days + 4, 7) * 7 + 1; }
/// The last day of that name up to `days`.
int64_t on_or_before(int64_t days, int64_t weekday) {
  const int64_t back = day_of_week(days) - weekday;
  return days - (back < 0 ? back + 7 : back);
}

/// The Julian calendar's date, by counting eras of four years that begin on 1 March.
CivilDate julian_from_days(int64_t days) {
  const int64_t shifted = days + 719470;
  const int64_t era = floor_div(shifted, 1461);
  const int64_t day_of_era = shifted - era * 1461;
  const int64_t year_of_era = std::min<int64_t>(day_of_era / 365, 3);
  const int64_t day_of_year = day_of_era - year_of_era * 365;
  const int64_t month_from_march = (5 * day_of_year + 2) / 153;
  const int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
  return {era * 4 + year_of_era + (month <= 2 ? 1 : 0), month, day_of_year - (153 * month_from_march + 2) / 5 + 1};
}

/// Stamp of a pair of fields that only counts together.
int both(int left, int right) { return left == 0 || right == 0 ? 0 : std::max(left, right); }

}  // namespace

int64_t days_of(int64_t year, int64_t month, int64_t day) {
  year += floor_div(month, 12);
  month -= floor_div(month, 12) * 12;
  const int64_t gregorian = days_from_civil(year, month + 1, day);
  return gregorian >= kCutoverDays ? gregorian : days_from_julian(year, month + 1, day);
}

std::array<int64_t, kCalendarFields> calendar_fields(int64_t epoch_ms) {
  std::array<int64_t, kCalendarFields> fields{};
  const auto set = [&fields](F field, int64_t value) { fields[static_cast<size_t>(field)] = value; };
  const int64_t days = floor_div(epoch_ms, kDayMs), ms = epoch_ms - days * kDayMs;
  const CivilDate date = days >= kCutoverDays ? civil_from_days(days) : julian_from_days(days);
  const int64_t month_start = days_of(date.year, date.month - 1, 1), year_start = days_of(date.year, 0, 1);
  set(F::kEra, date.year > 0 ? 1 : 0);
  set(F::kYear, date.year > 0 ? date.year : 1 - date.year);
  set(F::kMonth, date.month - 1);
  set(F::kDayOfMonth, date.day);
  set(F::kDayOfYear, days - year_start + 1);
  set(F::kDayOfWeek, day_of_week(days));
  set(F::kDayOfWeekInMonth, (date.day - 1) / 7 + 1);
  // A week belongs to the year that its Saturday lies in.
  const bool next = on_or_before(days, kSunday) + 6 >= days_of(date.year + 1, 0, 1);
  set(F::kWeekYear, date.year + (next ? 1 : 0));
  set(F::kWeekOfYear, next ? 1 : (days - on_or_before(year_start, kSunday)) / 7 + 1);
  set(F::kWeekOfMonth, (days - on_or_before(month_start, kSunday)) / 7 + 1);
  const int64_t hour = ms / 3'600'000;
  set(F::kAmPm, hour / 12);
  set(F::kHour, hour % 12);
  set(F::kHourOfDay, hour);
  set(F::kMinute, ms / 60'000 % 60);
  set(F::kSecond, ms / 1000 % 60);
  set(F::kMillisecond, ms % 1000);
  return fields;
}

void CalendarBuilder::set(CalendarField field, int64_t value) {
  values_[static_cast<size_t>(field)] = value;
  stamps_[static_cast<size_t>(field)] = next_stamp_++;
}

int64_t CalendarBuilder::epoch_ms() const {
  const auto total = static_cast<uint64_t>(days()) * static_cast<uint64_t>(kDayMs) +
                     static_cast<uint64_t>(ms_of_day()) - static_cast<uint64_t>(get(F::kZoneOffset, 0));
  return static_cast<int64_t>(total);  // wraps like Java's for years far beyond the range
}

int64_t CalendarBuilder::ms_of_day() const {
  int64_t hour = get(F::kHourOfDay, 0);
  const int half_day = both(stamp(F::kHour), stamp(F::kAmPm));
  const int other = half_day != 0 || has(F::kHourOfDay) ? half_day : std::max(stamp(F::kHour), stamp(F::kAmPm));
  if (other > stamp(F::kHourOfDay)) hour = get(F::kHour, 0) + 12 * get(F::kAmPm, 0);
  return hour * 3'600'000 + get(F::kMinute, 0) * 60'000 + get(F::kSecond, 0) * 1000 + get(F::kMillisecond, 0);
}

int64_t CalendarBuilder::days() const {
  int64_t year = get(F::kYear, 1970);
  if (has(F::kEra) && get(F::kEra, 1) == 0) year = 1 - year;
  if (stamp(F::kWeekYear) > stamp(F::kYear)) {
    const int64_t first = on_or_before(days_of(get(F::kWeekYear, 1970), 0, 1), kSunday);
    return first + 7 * (get(F::kWeekOfYear, 1) - 1) + get(F::kDayOfWeek, kSunday) - 1;
  }
  const int weekday = stamp(F::kDayOfWeek);
  int of_month = stamp(F::kDayOfMonth), week_of_month = both(stamp(F::kWeekOfMonth), weekday);
  int in_month = both(stamp(F::kDayOfWeekInMonth), weekday), week_of_year = both(stamp(F::kWeekOfYear), weekday);
  const int of_year = stamp(F::kDayOfYear);
  int best = std::max({of_month, week_of_month, in_month, of_year, week_of_year});
  if (best == 0) {  // no complete pair: single fields count
    week_of_month = stamp(F::kWeekOfMonth);
    in_month = std::max(stamp(F::kDayOfWeekInMonth), weekday);
    week_of_year = stamp(F::kWeekOfYear);
    best = std::max({week_of_month, in_month, week_of_year});
  }
  if (best == of_month) return days_by_month(year, F::kDayOfMonth);
  if (best == week_of_month && stamp(F::kWeekOfMonth) >= stamp(F::kWeekOfYear))
    return days_by_month(year, F::kWeekOfMonth);
  if (best == in_month && stamp(F::kDayOfWeekInMonth) >= stamp(F::kWeekOfYear))
    return days_by_month(year, F::kDayOfWeekInMonth);
  const int64_t year_start = days_of(year, 0, 1);
  if (best == of_year) return year_start + get(F::kDayOfYear, 1) - 1;
  const int64_t first = on_or_before(year_start, kSunday);
  return first + get(F::kDayOfWeek, kSunday) - 1 + 7 * (get(F::kWeekOfYear, 1) - 1);
}

int64_t CalendarBuilder::days_by_month(int64_t year, CalendarField by) const {
  const int64_t month = get(F::kMonth, 0);
  if (by == F::kDayOfMonth) return days_of(year, month, 1) + get(F::kDayOfMonth, 1) - 1;
  const int64_t month_start = days_of(year, month, 1), weekday = get(F::kDayOfWeek, kSunday);
  if (by == F::kWeekOfMonth)
    return on_or_before(month_start, kSunday) + weekday - 1 + 7 * (get(F::kWeekOfMonth, 1) - 1);
  const int64_t which = get(F::kDayOfWeekInMonth, 1);
  if (which >= 0) return on_or_before(month_start + 7 * which - 1, weekday);
  return on_or_before(days_of(year, month + 1, 1) + 7 * (which + 1) - 1, weekday);
}

}  // namespace millrace::smt
