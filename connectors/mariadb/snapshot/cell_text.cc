#include "connectors/mariadb/snapshot/cell_text.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>

namespace millrace::mariadb {
namespace {

using Kind = Cell::Kind;

std::string decimal_text(__int128 unscaled, int scale) {
  const bool negative = unscaled < 0;
  auto rest = negative ? -static_cast<unsigned __int128>(unscaled) : static_cast<unsigned __int128>(unscaled);
  std::string digits;
  while (rest != 0 || digits.size() <= static_cast<size_t>(scale)) {
    digits += static_cast<char>('0' + static_cast<int>(rest % 10));
    rest /= 10;
  }
  if (scale > 0) digits.insert(static_cast<size_t>(scale), 1, '.');
  if (negative) digits += '-';
  std::reverse(digits.begin(), digits.end());
  return digits;
}

std::string wall_text(const WallTime& time, bool with_clock) {
  char text[40];
  std::snprintf(text, sizeof(text), "%04u-%02u-%02u", time.year, time.month, time.day);
  if (!with_clock) return text;
  char clock[40];
  std::snprintf(clock, sizeof(clock), " %02u:%02u:%02u.%06u", time.hour, time.minute, time.second, time.micros);
  return std::string(text) + clock;
}

std::string timestamp_text(int64_t micros) {
  if (micros == 0) return "0000-00-00 00:00:00.000000";
  const int64_t seconds = micros / 1'000'000;
  // The inverse of days_since_epoch(), for the years a TIMESTAMP can have.
  int64_t days = seconds / 86'400;
  int64_t year = 1970;
  while (days_since_epoch(year + 1, 1, 1) <= days) ++year;
  int64_t month = 12;
  while (days_since_epoch(year, month, 1) > days) --month;
  WallTime time{};
  time.year = static_cast<uint16_t>(year);
  time.month = static_cast<uint8_t>(month);
  time.day = static_cast<uint8_t>(days - days_since_epoch(year, month, 1) + 1);
  time.hour = static_cast<uint8_t>(seconds / 3600 % 24);
  time.minute = static_cast<uint8_t>(seconds / 60 % 60);
  time.second = static_cast<uint8_t>(seconds % 60);
  time.micros = static_cast<uint32_t>(micros % 1'000'000);
  return wall_text(time, true);
}

std::string time_text(int64_t micros) {
  const int64_t size = std::abs(micros);
  char text[48];
  std::snprintf(text, sizeof(text), "%s%02lld:%02lld:%02lld.%06lld", micros < 0 ? "-" : "",
                static_cast<long long>(size / 3'600'000'000), static_cast<long long>(size / 60'000'000 % 60),
                static_cast<long long>(size / 1'000'000 % 60), static_cast<long long>(size % 1'000'000));
  return text;
}

std::string double_text(double number) {
  char text[40];
  const auto end = std::to_chars(text, text + sizeof(text), number, std::chars_format::scientific);
  return {text, end.ptr};
}

}  // namespace

int64_t days_since_epoch(int64_t year, int64_t month, int64_t day) {
  year -= month <= 2 ? 1 : 0;
  const int64_t era = (year >= 0 ? year : year - 399) / 400;
  const int64_t year_of_era = year - era * 400;
  const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146'097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719'468;
}

std::string text_of_cell(const Cell& cell) {
  switch (cell.kind) {
    case Kind::kAbsent:
    case Kind::kNull:
      return "NULL";
    case Kind::kInteger:
      return cell.is_unsigned ? std::to_string(static_cast<uint64_t>(cell.i64)) : std::to_string(cell.i64);
    case Kind::kBits:
    case Kind::kEnum:
    case Kind::kSet:
      return std::to_string(static_cast<uint64_t>(cell.i64));
    case Kind::kYear:
      return std::to_string(cell.i64);
    case Kind::kFloat:
    case Kind::kDouble:
      return double_text(cell.f64);
    case Kind::kDecimal:
      return decimal_text(cell.i128, cell.scale);
    case Kind::kDate:
      return wall_text(cell.time, false);
    case Kind::kDateTime:
      return wall_text(cell.time, true);
    case Kind::kTimestamp:
      return timestamp_text(cell.i64);
    case Kind::kTime:
      return time_text(cell.i64);
    default:
      return std::string(cell.text());
  }
}

}  // namespace millrace::mariadb
