#include "connectors/jdbc/calendar.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <utility>

namespace millrace::jdbc {
namespace {

constexpr int64_t kGregorianStart = -141427;  // 1582-10-15

int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a % b < 0) != (b < 0) ? 1 : 0); }

/// Days since the epoch, counting years from March so that the leap day comes last.
int64_t gregorian_days(int64_t year, int64_t month, int64_t day) {
  year -= month <= 2;
  const int64_t era = floor_div(year, 400);
  const int64_t year_of_era = year - era * 400;
  const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

int64_t julian_days(int64_t year, int64_t month, int64_t day) {
  year -= month <= 2;
  const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return year * 365 + floor_div(year, 4) + day_of_year - 719470;
}

Civil from_march(int64_t year, int64_t day_of_year) {
  const int64_t month_index = (5 * day_of_year + 2) / 153;
  Civil civil;
  civil.day = static_cast<uint32_t>(day_of_year - (153 * month_index + 2) / 5 + 1);
  civil.month = static_cast<uint32_t>(month_index < 10 ? month_index + 3 : month_index - 9);
  civil.year = static_cast<int32_t>(year + (civil.month <= 2));
  return civil;
}

Civil gregorian_date(int64_t days) {
  days += 719468;
  const int64_t era = floor_div(days, 146097);
  const int64_t day_of_era = days - era * 146097;
  const int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  return from_march(year_of_era + era * 400, day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100));
}

Civil julian_date(int64_t days) {
  days += 719470;
  const int64_t cycle = floor_div(days, 1461);
  const int64_t day_of_cycle = days - cycle * 1461;
  const int64_t year_of_cycle = (day_of_cycle - day_of_cycle / 1460) / 365;
  return from_march(year_of_cycle + cycle * 4, day_of_cycle - 365 * year_of_cycle);
}

/// Java's three-letter ids (java.time.ZoneId.SHORT_IDS).
constexpr std::pair<std::string_view, std::string_view> kShortIds[] = {
    {"ACT", "Australia/Darwin"},
    {"AET", "Australia/Sydney"},
    {"AGT", "America/Argentina/Buenos_Aires"},
    {"ART", "Africa/Cairo"},
    {"AST", "America/Anchorage"},
    {"BET", "America/Sao_Paulo"},
    {"BST", "Asia/Dhaka"},
    {"CAT", "Africa/Harare"},
    {"CNT", "America/St_Johns"},
    {"CST", "America/Chicago"},
    {"CTT", "Asia/Shanghai"},
    {"EAT", "Africa/Addis_Ababa"},
    {"ECT", "Europe/Paris"},
    {"IET", "America/Indiana/Indianapolis"},
    {"IST", "Asia/Kolkata"},
    {"JST", "Asia/Tokyo"},
    {"MIT", "Pacific/Apia"},
    {"NET", "Asia/Yerevan"},
    {"NST", "Pacific/Auckland"},
    {"PLT", "Asia/Karachi"},
    {"PNT", "America/Phoenix"},
    {"PRT", "America/Puerto_Rico"},
    {"PST", "America/Los_Angeles"},
    {"SST", "Pacific/Guadalcanal"},
    {"VST", "Asia/Ho_Chi_Minh"},
    {"EST", "-05:00"},
    {"MST", "-07:00"},
    {"HST", "-10:00"},
};

bool read_digits(std::string_view& text, size_t count_max, int32_t& number) {
  size_t count = 0;
  number = 0;
  while (count < text.size() && count < count_max && text[count] >= '0' && text[count] <= '9') {
    number = number * 10 + (text[count++] - '0');
  }
  text.remove_prefix(count);
  return count != 0;
}

/// "+9", "+09:00", "-0530" as java.time.ZoneOffset takes them.
bool parse_offset(std::string_view text, int32_t& seconds) {
  if (text.empty() || (text[0] != '+' && text[0] != '-')) return false;
  const int32_t sign = text[0] == '-' ? -1 : 1;
  text.remove_prefix(1);
  int32_t hours = 0, minutes = 0;
  if (!read_digits(text, 2, hours)) return false;
  if (!text.empty()) {
    if (text[0] == ':') text.remove_prefix(1);
    if (!read_digits(text, 2, minutes)) return false;
  }
  seconds = sign * (hours * 3600 + minutes * 60);
  return text.empty() && hours <= 18 && minutes < 60;
}

int64_t big_endian(std::string_view bytes, size_t at, size_t width) {
  uint64_t number = width == 8 || (static_cast<unsigned char>(bytes[at]) & 0x80) == 0 ? 0 : ~uint64_t{0};
  for (size_t i = 0; i < width; ++i) number = number << 8 | static_cast<unsigned char>(bytes[at + i]);
  return static_cast<int64_t>(number);
}

/// Skips a zone abbreviation of a POSIX TZ string.
bool skip_name(std::string_view& text) {
  if (text.starts_with('<')) {
    const size_t close = text.find('>');
    if (close == std::string_view::npos) return false;
    text.remove_prefix(close + 1);
    return true;
  }
  size_t count = 0;
  while (count < text.size() && ((text[count] | 32) >= 'a' && (text[count] | 32) <= 'z')) ++count;
  text.remove_prefix(count);
  return count >= 3;
}

/// [+-]hh[:mm[:ss]] in seconds.
bool read_time(std::string_view& text, int32_t& seconds) {
  int32_t sign = 1, part = 0;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    sign = text[0] == '-' ? -1 : 1;
    text.remove_prefix(1);
  }
  if (!read_digits(text, 3, part)) return false;
  seconds = part * 3600;
  for (const int32_t unit : {60, 1}) {
    if (!text.starts_with(':')) break;
    text.remove_prefix(1);
    if (!read_digits(text, 2, part)) return false;
    seconds += part * unit;
  }
  seconds *= sign;
  return true;
}

}  // namespace

int64_t days_of(CalendarSystem system, int32_t year, uint32_t month, uint32_t day) {
  const int64_t days = gregorian_days(year, month, day);
  return system == CalendarSystem::kLegacy && days < kGregorianStart ? julian_days(year, month, day) : days;
}

Civil date_of(CalendarSystem system, int64_t days) {
  return system == CalendarSystem::kLegacy && days < kGregorianStart ? julian_date(days) : gregorian_date(days);
}

Result<TimeZone> TimeZone::load(std::string_view name) {
  const Status unknown(Code::kInvalidConfig,
                       "Invalid time zone. See the list of valid time zones at "
                       "https://docs.oracle.com/javase/8/docs/api/java/time/ZoneId.html#shortIds");
  for (const auto& [id, zone] : kShortIds) {
    if (name == id) name = zone;
  }
  TimeZone zone;
  if (name == "UTC" || name == "GMT" || name == "UT" || name == "Z" || name == "Etc/UTC") return zone;
  std::string_view offset = name;
  for (const std::string_view prefix : {"UTC", "GMT", "UT"}) {
    if (offset.starts_with(prefix) && offset.size() > prefix.size()) {
      offset.remove_prefix(prefix.size());
      break;
    }
  }
  if (parse_offset(offset, zone.before_)) return zone;
  const bool plain = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '/' || c == '_' || c == '-' ||
           c == '+';
  });
  if (!plain || name.front() == '/') return unknown;
  std::ifstream file("/usr/share/zoneinfo/" + std::string(name), std::ios::binary);
  if (!file) return unknown;
  const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!parse_zone_file(bytes, zone)) return unknown;
  return zone;
}

bool TimeZone::parse_zone_file(std::string_view bytes, TimeZone& zone) {
  constexpr size_t kHeaderBytes = 44;
  struct Counts {
    size_t utc, standard, leaps, times, types, chars;
    size_t bytes(size_t width) const {
      return times * (width + 1) + types * 6 + chars + leaps * (width + 4) + standard + utc;
    }
  };
  const auto counts_at = [&](size_t at) {
    const auto number = [&](size_t i) { return static_cast<size_t>(big_endian(bytes, at + 20 + 4 * i, 4)); };
    return Counts{number(0), number(1), number(2), number(3), number(4), number(5)};
  };
  if (bytes.size() < 2 * kHeaderBytes || !bytes.starts_with("TZif") || bytes[4] < '2') return false;
  // The first block has 32-bit times for old readers; the second says the same in 64 bits.
  const size_t second = kHeaderBytes + counts_at(0).bytes(4);
  if (second + kHeaderBytes > bytes.size() || bytes.substr(second, 4) != "TZif") return false;
  const Counts counts = counts_at(second);
  const size_t times = second + kHeaderBytes, indexes = times + counts.times * 8, types = indexes + counts.times;
  const size_t end = times + counts.bytes(8);
  if (end > bytes.size() || counts.types == 0) return false;
  const auto offset_of = [&](size_t type) { return static_cast<int32_t>(big_endian(bytes, types + type * 6, 4)); };
  zone.before_ = offset_of(0);
  for (size_t i = 0; i < counts.times; ++i) {
    const auto type = static_cast<unsigned char>(bytes[indexes + i]);
    if (type >= counts.types) return false;
    zone.transitions_.push_back({big_endian(bytes, times + 8 * i, 8), offset_of(type)});
  }
  std::string_view footer = bytes.substr(end);
  if (footer.starts_with('\n')) footer.remove_prefix(1);
  footer = footer.substr(0, footer.find('\n'));
  return footer.empty() || parse_rule(footer, zone.rule_);
}

bool TimeZone::parse_rule(std::string_view text, Rule& rule) {
  int32_t west = 0;
  if (!skip_name(text) || !read_time(text, west)) return false;
  rule.present = true;
  rule.standard = rule.summer = -west;
  if (text.empty()) return true;
  if (!skip_name(text)) return false;
  rule.summer = rule.standard + 3600;
  if (!text.empty() && text[0] != ',') {
    if (!read_time(text, west)) return false;
    rule.summer = -west;
  }
  for (RuleDay* day : {&rule.start, &rule.end}) {
    if (!text.starts_with(",M")) return false;  // no current zone uses the other two forms
    text.remove_prefix(2);
    if (!read_digits(text, 2, day->month) || !text.starts_with('.')) return false;
    text.remove_prefix(1);
    if (!read_digits(text, 1, day->week) || !text.starts_with('.')) return false;
    text.remove_prefix(1);
    if (!read_digits(text, 1, day->weekday)) return false;
    if (text.starts_with('/')) {
      text.remove_prefix(1);
      if (!read_time(text, day->second)) return false;
    }
  }
  return text.empty();
}

int32_t TimeZone::rule_offset(int64_t utc_seconds) const {
  if (rule_.standard == rule_.summer) return rule_.standard;
  const int32_t year = gregorian_date(floor_div(utc_seconds + rule_.standard, 86400)).year;
  const auto change = [&](const RuleDay& day) {
    const int64_t first = gregorian_days(year, day.month, 1);
    const int64_t weekday = ((first + 4) % 7 + 7) % 7;
    int64_t at = first + (day.weekday - weekday + 7) % 7 + (day.week - 1) * 7;
    const int64_t next_month =
        day.month == 12 ? gregorian_days(year + 1, 1, 1) : gregorian_days(year, day.month + 1, 1);
    while (at >= next_month) at -= 7;
    return at * 86400 + day.second;
  };
  const int64_t start = change(rule_.start) - rule_.standard, end = change(rule_.end) - rule_.summer;
  const bool summer =
      start < end ? utc_seconds >= start && utc_seconds < end : utc_seconds >= start || utc_seconds < end;
  return summer ? rule_.summer : rule_.standard;
}

int32_t TimeZone::offset_at(int64_t utc_seconds) const {
  if (transitions_.empty()) return rule_.present ? rule_offset(utc_seconds) : before_;
  if (utc_seconds >= transitions_.back().at)
    return rule_.present ? rule_offset(utc_seconds) : transitions_.back().offset;
  const auto after = std::upper_bound(transitions_.begin(), transitions_.end(), utc_seconds,
                                      [](int64_t at, const Transition& transition) { return at < transition.at; });
  return after == transitions_.begin() ? before_ : std::prev(after)->offset;
}

int64_t TimeZone::utc_of(int64_t local_seconds) const {
  if (utc()) return local_seconds;
  // Offsets a day before and after enclose any change nearby; the earlier offset wins where both fit.
  const int32_t before = offset_at(local_seconds - 86400), after = offset_at(local_seconds + 86400);
  const int64_t early = local_seconds - before;
  if (before == after || offset_at(early) == before) return early;
  const int64_t late = local_seconds - after;
  return offset_at(late) == after ? late : early;
}

Instant WallClock::instant_of(const Civil& civil) const {
  const int64_t days = days_of(calendar, civil.year, civil.month, civil.day);
  const int64_t local = days * 86400 + civil.hour * 3600 + civil.minute * 60 + civil.second;
  return {zone.utc_of(local), static_cast<int32_t>(civil.micros * 1000)};
}

Civil WallClock::civil_of(int64_t utc_seconds, uint32_t micros) const {
  const int64_t local = utc_seconds + zone.offset_at(utc_seconds);
  const int64_t days = floor_div(local, 86400);
  const auto second = static_cast<uint32_t>(local - days * 86400);
  Civil civil = date_of(calendar, days);
  civil.hour = second / 3600;
  civil.minute = second / 60 % 60;
  civil.second = second % 60;
  civil.micros = micros;
  return civil;
}

}  // namespace millrace::jdbc
