/// The English names in dates, and which calendar field a pattern letter stands for.
#pragma once

#include <array>
#include <string_view>

#include "transforms/java_calendar.h"

namespace millrace::smt {

inline constexpr std::array<std::string_view, 2> kEraNames{"BC", "AD"};
inline constexpr std::array<std::string_view, 2> kHalfDayNames{"AM", "PM"};
/// The short form is the first three letters.
inline constexpr std::array<std::string_view, 12> kMonthNames{"January",   "February", "March",    "April",
                                                              "May",       "June",     "July",     "August",
                                                              "September", "October",  "November", "December"};
inline constexpr std::array<std::string_view, 7> kDayNames{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                           "Thursday", "Friday", "Saturday"};

/// Of the letters whose numbers mean the same in a text as in the calendar.
inline CalendarField numeric_field(char letter) {
  switch (letter) {
    case 'd':
      return CalendarField::kDayOfMonth;
    case 'D':
      return CalendarField::kDayOfYear;
    case 'F':
      return CalendarField::kDayOfWeekInMonth;
    case 'w':
      return CalendarField::kWeekOfYear;
    case 'W':
      return CalendarField::kWeekOfMonth;
    case 'H':
      return CalendarField::kHourOfDay;
    case 'K':
      return CalendarField::kHour;
    case 'm':
      return CalendarField::kMinute;
    case 's':
      return CalendarField::kSecond;
    default:
      return CalendarField::kMillisecond;
  }
}

}  // namespace millrace::smt
