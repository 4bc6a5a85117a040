#include "tools/simple_date_format.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cctype>
#include <ctime>

namespace millrace {
namespace {

/// The field of a run of `count` equal pattern letters; the letters themselves when they mean nothing.
std::string field(char letter, size_t count, const std::tm& time, int64_t ms) {
  const auto padded = [count](int64_t number) { return fmt::format("{:0{}}", number, count); };
  switch (letter) {
    case 'y':
      return count == 2 ? fmt::format("{:02}", time.tm_year % 100) : padded(time.tm_year + 1900);
    case 'M':
      if (count >= 4) return fmt::format("{:%B}", time);
      return count == 3 ? fmt::format("{:%b}", time) : padded(time.tm_mon + 1);
    case 'd':
      return padded(time.tm_mday);
    case 'H':
      return padded(time.tm_hour);
    case 'h':
      return padded((time.tm_hour + 11) % 12 + 1);
    case 'm':
      return padded(time.tm_min);
    case 's':
      return padded(time.tm_sec);
    case 'S':
      return padded(ms % 1000);
    case 'a':
      return time.tm_hour < 12 ? "AM" : "PM";
    case 'E':
      return count >= 4 ? fmt::format("{:%A}", time) : fmt::format("{:%a}", time);
    default:
      return std::string(count, letter);
  }
}

}  // namespace

std::string java_date(int64_t ms, std::string_view pattern) {
  const std::time_t seconds = ms / 1000;
  std::tm time{};
  localtime_r(&seconds, &time);
  std::string text;
  for (size_t at = 0; at < pattern.size();) {
    if (pattern[at] == '\'') {
      const size_t end = std::min(pattern.find('\'', at + 1), pattern.size());
      text += end == at + 1 ? "'" : pattern.substr(at + 1, end - at - 1);
      at = end + 1;
      continue;
    }
    size_t end = at + 1;
    while (end < pattern.size() && pattern[end] == pattern[at]) ++end;
    text += field(pattern[at], end - at, time, ms);
    at = end;
  }
  return text;
}

}  // namespace millrace
