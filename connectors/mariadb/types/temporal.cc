#include "connectors/mariadb/types/temporal.h"

namespace millrace::mariadb {
namespace {

void put_two(uint32_t number, char* out) {
  out[0] = static_cast<char>('0' + number / 10 % 10);
  out[1] = static_cast<char>('0' + number % 10);
}

size_t fraction_text(uint32_t micros, int digits, char* out) {
  if (digits == kTrimmed) {
    if (micros == 0) return 0;
    digits = 6;
    for (uint32_t rest = micros; rest % 10 == 0; rest /= 10) --digits;
  }
  if (digits <= 0) return 0;
  uint32_t unit = 100'000;
  out[0] = '.';
  for (int i = 1; i <= digits; ++i, unit /= 10) out[i] = static_cast<char>('0' + (unit == 0 ? 0 : micros / unit % 10));
  return static_cast<size_t>(digits) + 1;
}

/// Digits at the front of `text`, which it takes away; false if there are none or too many.
bool take_number(std::string_view& text, uint32_t& number) {
  size_t used = 0;
  number = 0;
  while (used < text.size() && text[used] >= '0' && text[used] <= '9' && used < 7)
    number = number * 10 + static_cast<uint32_t>(text[used++] - '0');
  text.remove_prefix(used);
  return used > 0;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

uint32_t take_fraction(std::string_view& text) {
  if (!take(text, '.')) return 0;
  uint32_t micros = 0, unit = 100'000;
  for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; text.remove_prefix(1), unit /= 10)
    micros += static_cast<uint32_t>(text.front() - '0') * unit;
  return micros;
}

}  // namespace

WallTime wall_time_of(int64_t epoch_micros) {
  int64_t days = epoch_micros / kMicrosPerDay;
  int64_t rest = epoch_micros % kMicrosPerDay;
  if (rest < 0) {
    rest += kMicrosPerDay;
    --days;
  }
  days += 719'468;
  const int64_t era = (days >= 0 ? days : days - 146'096) / 146'097;
  const auto of_era = static_cast<uint32_t>(days - era * 146'097);
  const uint32_t year_of_era = (of_era - of_era / 1460 + of_era / 36'524 - of_era / 146'096) / 365;
  const uint32_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const uint32_t shifted = (5 * of_year + 2) / 153;
  const uint32_t month = shifted < 10 ? shifted + 3 : shifted - 9;
  const auto seconds = static_cast<uint32_t>(rest / kMicrosPerSecond);
  WallTime time{};
  time.year = static_cast<uint16_t>(era * 400 + year_of_era + (month <= 2 ? 1 : 0));
  time.month = static_cast<uint8_t>(month);
  time.day = static_cast<uint8_t>(of_year - (153 * shifted + 2) / 5 + 1);
  time.hour = static_cast<uint8_t>(seconds / 3600);
  time.minute = static_cast<uint8_t>(seconds / 60 % 60);
  time.second = static_cast<uint8_t>(seconds % 60);
  time.micros = static_cast<uint32_t>(rest % kMicrosPerSecond);
  return time;
}

size_t date_text(const WallTime& time, char* out) {
  put_two(time.year / 100U, out);
  put_two(time.year % 100U, out + 2);
  out[4] = out[7] = '-';
  put_two(time.month, out + 5);
  put_two(time.day, out + 8);
  return 10;
}

size_t clock_text(int64_t micros_of_day, int digits, char* out) {
  const auto seconds = static_cast<uint32_t>(micros_of_day / kMicrosPerSecond);
  put_two(seconds / 3600, out);
  put_two(seconds / 60 % 60, out + 3);
  put_two(seconds % 60, out + 6);
  out[2] = out[5] = ':';
  return 8 + fraction_text(static_cast<uint32_t>(micros_of_day % kMicrosPerSecond), digits, out + 8);
}

size_t date_time_text(const WallTime& time, int digits, char* out) {
  const size_t date = date_text(time, out);
  out[date] = 'T';
  return date + 1 + clock_text(seconds_of_day(time) * kMicrosPerSecond + time.micros, digits, out + date + 1);
}

bool parse_date_time(std::string_view text, WallTime& time) {
  uint32_t year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  if (!take_number(text, year) || !take(text, '-') || !take_number(text, month) || !take(text, '-') ||
      !take_number(text, day))
    return false;
  time = {};
  if (take(text, ' ') || take(text, 'T')) {
    if (!take_number(text, hour) || !take(text, ':') || !take_number(text, minute)) return false;
    if (take(text, ':') && !take_number(text, second)) return false;
    time.micros = take_fraction(text);
    take(text, 'Z');
  }
  if (!text.empty() || year > 9999 || month > 12 || day > 31 || hour > 23 || minute > 59 || second > 59) return false;
  time.year = static_cast<uint16_t>(year);
  time.month = static_cast<uint8_t>(month);
  time.day = static_cast<uint8_t>(day);
  time.hour = static_cast<uint8_t>(hour);
  time.minute = static_cast<uint8_t>(minute);
  time.second = static_cast<uint8_t>(second);
  return true;
}

bool parse_duration(std::string_view text, int64_t& micros) {
  const bool negative = take(text, '-');
  uint32_t hours = 0, minutes = 0, seconds = 0;
  if (!take_number(text, hours) || !take(text, ':') || !take_number(text, minutes)) return false;
  if (take(text, ':') && !take_number(text, seconds)) return false;
  const uint32_t fraction = take_fraction(text);
  if (!text.empty() || hours > 838 || minutes > 59 || seconds > 59) return false;
  micros = (hours * 3600LL + minutes * 60LL + seconds) * kMicrosPerSecond + fraction;
  if (negative) micros = -micros;
  return true;
}

int64_t epoch_micros_of(const WallTime& time) {
  return (days_of(time.year, time.month, time.day) * kSecondsPerDay + seconds_of_day(time)) * kMicrosPerSecond +
         time.micros;
}

}  // namespace millrace::mariadb
