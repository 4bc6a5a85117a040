/// Days since 1970-01-01 and the proleptic Gregorian calendar, for years beyond those of std::chrono.
#pragma once

#include <cstdint>

namespace millrace {

inline constexpr int64_t kDayMs = 86'400'000;

struct CivilDate {
  int64_t year;
  int64_t month;  ///< 1 = January
  int64_t day;
};

constexpr int64_t floor_div(int64_t number, int64_t divisor) {
  return number / divisor - (number % divisor < 0 ? 1 : 0);
}

/// Counted in eras of 400 years that begin on 1 March, so that the leap day is a year's last.
constexpr CivilDate civil_from_days(int64_t days) {
  const int64_t shifted = days + 719468;
  const int64_t era = floor_div(shifted, 146097);
  const int64_t day_of_era = shifted - era * 146097;
  const int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t month_from_march = (5 * day_of_year + 2) / 153;
  const int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
  return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month, day_of_year - (153 * month_from_march + 2) / 5 + 1};
}

/// `month` 1 to 12; `day` may be any number and is counted on.
constexpr int64_t days_from_civil(int64_t year, int64_t month, int64_t day) {
  const int64_t from_march = month > 2 ? year : year - 1;
  const int64_t era = floor_div(from_march, 400);
  const int64_t year_of_era = from_march - era * 400;
  const int64_t first_of_month = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5;
  return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + first_of_month + day - 1 - 719468;
}

/// The same by the Julian calendar, which Java's dates follow up to 1582-10-04.
constexpr int64_t days_from_julian(int64_t year, int64_t month, int64_t day) {
  const int64_t from_march = month > 2 ? year : year - 1;
  const int64_t first_of_month = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5;
  return from_march * 365 + floor_div(from_march, 4) + first_of_month + day - 1 - 719470;
}

}  // namespace millrace
