#include "transforms/debezium_zoned_text.h"

#include <fmt/format.h>

#include "converters/civil_date.h"

namespace millrace::debezium {
namespace {

constexpr int64_t kDay = 86'400;

/// Reads from the front of a text; the first failure sticks.
struct Reader {
  std::string_view rest;
  bool fine = true;

  bool accept(char c) {
    if (!rest.starts_with(c)) return false;
    rest.remove_prefix(1);
    return true;
  }
  void expect(char c) { fine = accept(c) && fine; }
  int32_t number(size_t digits_min, size_t digits_max, int32_t max) {
    int32_t value = 0;
    size_t digits = 0;
    for (; digits < digits_max && digits < rest.size() && rest[digits] >= '0' && rest[digits] <= '9'; ++digits)
      value = value * 10 + (rest[digits] - '0');
    rest.remove_prefix(digits);
    fine = fine && digits >= digits_min && value <= max;
    return value;
  }
  int64_t date() {
    const bool negative = accept('-');
    if (!negative) accept('+');
    const int32_t year = number(4, 9, 999'999'999);
    expect('-');
    const int32_t month = number(2, 2, 12);
    expect('-');
    const int32_t day = number(2, 2, 31);
    const int64_t days = days_from_civil(negative ? -year : year, month == 0 ? 1 : month, day);
    const CivilDate back = civil_from_days(days);
    fine = fine && month > 0 && day > 0 && back.month == month && back.day == day;
    return days;
  }
  void time(ZonedText& to) {
    to.local += number(2, 2, 23) * 3600;
    expect(':');
    to.local += number(2, 2, 59) * 60;
    if (!accept(':')) return;
    to.local += number(2, 2, 59);
    if (!accept('.')) return;
    const size_t before = rest.size();
    to.nanos = number(0, 9, 999'999'999);
    for (size_t digits = before - rest.size(); digits < 9; ++digits) to.nanos *= 10;
  }
  void offset(ZonedText& to) {
    if (accept('Z')) return;
    const bool negative = accept('-');
    if (!negative) expect('+');
    to.offset = number(2, 2, 18) * 3600;
    expect(':');
    to.offset += number(2, 2, 59) * 60;
    if (accept(':')) to.offset += number(2, 2, 59);
    if (negative) to.offset = -to.offset;
  }
};

std::optional<ZonedText> parse(std::string_view text, bool with_date) {
  Reader reader{text};
  ZonedText result;
  if (with_date) {
    result.local = reader.date() * kDay;
    if (!reader.accept('T')) reader.expect('t');
  }
  reader.time(result);
  reader.offset(result);
  if (!reader.fine || !reader.rest.empty()) return {};
  return result;
}

}  // namespace

std::optional<ZonedText> parse_zoned_date_time(std::string_view text) { return parse(text, true); }
std::optional<ZonedText> parse_zoned_time(std::string_view text) { return parse(text, false); }

std::string_view at_offset(const ZonedText& moment, int32_t offset, bool with_date, Arena& arena) {
  const int64_t local = moment.local - moment.offset + offset;
  const int64_t days = floor_div(local, kDay), second = local - days * kDay;
  char text[64];
  char* end = text;
  if (with_date) {
    const CivilDate date = civil_from_days(days);
    end = date.year >= 0 && date.year <= 9999
              ? fmt::format_to(end, "{:04}", date.year)
              : fmt::format_to(end, "{}{:04}", date.year < 0 ? "-" : "+", date.year < 0 ? -date.year : date.year);
    end = fmt::format_to(end, "-{:02}-{:02}T", date.month, date.day);
  }
  end = fmt::format_to(end, "{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
  if (moment.nanos != 0) {
    end = fmt::format_to(end, ".{:09}", moment.nanos);
    while (end[-1] == '0') --end;
  }
  if (offset == 0) {
    *end++ = 'Z';
  } else {
    const int32_t size = offset < 0 ? -offset : offset;
    end = fmt::format_to(end, "{}{:02}:{:02}", offset < 0 ? '-' : '+', size / 3600, size / 60 % 60);
    if (size % 60 != 0) end = fmt::format_to(end, ":{:02}", size % 60);
  }
  return arena.copy({text, static_cast<size_t>(end - text)});
}

}  // namespace millrace::debezium
