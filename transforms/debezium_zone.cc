#include "transforms/debezium_zone.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "converters/civil_date.h"

namespace millrace::debezium {
namespace {

constexpr int64_t kDay = 86'400, kCycle = 146'097 * kDay;  // 400 years
constexpr int64_t kLastYear = 2437;                        // rules run to here; the last zoneinfo year is 2037

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The rule behind the last change of a zone file, in POSIX's form: CET-1CEST,M3.5.0,M10.5.0/3.
class PosixRule {
 public:
  static std::optional<PosixRule> parse(std::string_view text) {
    PosixRule rule;
    rule.rest_ = text;
    if (!rule.name() || !rule.time(rule.standard_)) return {};
    rule.standard_ = -rule.standard_;
    if (rule.rest_.empty()) return rule;
    if (!rule.name()) return {};
    rule.summer_ = rule.standard_ + 3600;
    if (!rule.rest_.empty() && rule.rest_[0] != ',') {
      if (!rule.time(rule.summer_)) return {};
      rule.summer_ = -rule.summer_;
    }
    rule.changes_ = rule.date(rule.start_) && rule.date(rule.end_);
    return rule.changes_ ? std::optional(rule) : std::nullopt;
  }

  bool changes() const { return changes_; }
  int32_t standard() const { return standard_; }
  int32_t summer() const { return summer_; }
  int64_t start(int64_t year) const { return instant(start_, year) - standard_; }
  int64_t end(int64_t year) const { return instant(end_, year) - summer_; }

 private:
  struct Date {
    char kind = 'M';  // M: week `week` (5 = last) of `month`; J: day 1 to 365 without 29 February; 0: day from 0
    int32_t month = 0, week = 0, day = 0, time = 7200;
  };

  bool name() {
    const size_t begin = rest_.size();
    if (rest_.starts_with("<")) {
      rest_.remove_prefix(std::min(rest_.find('>'), rest_.size() - 1) + 1);
    } else {
      while (!rest_.empty() && !is_digit(rest_[0]) && rest_[0] != '-' && rest_[0] != '+' && rest_[0] != ',')
        rest_.remove_prefix(1);
    }
    return rest_.size() < begin;
  }
  bool number(int32_t& to) {
    if (rest_.empty() || !is_digit(rest_[0])) return false;
    for (to = 0; !rest_.empty() && is_digit(rest_[0]); rest_.remove_prefix(1)) to = to * 10 + (rest_[0] - '0');
    return true;
  }
  bool accept(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool time(int32_t& seconds) {
    const bool negative = accept('-');
    if (!negative) accept('+');
    int32_t hours = 0, minutes = 0, rest = 0;
    if (!number(hours)) return false;
    if (accept(':') && !number(minutes)) return false;
    if (accept(':') && !number(rest)) return false;
    seconds = hours * 3600 + minutes * 60 + rest;
    if (negative) seconds = -seconds;
    return true;
  }
  bool date(Date& to) {
    if (!accept(',')) return false;
    if (accept('M')) {
      if (!number(to.month) || !accept('.') || !number(to.week) || !accept('.') || !number(to.day)) return false;
    } else {
      to.kind = accept('J') ? 'J' : '0';
      if (!number(to.day)) return false;
    }
    return !accept('/') || time(to.time);
  }
  static int64_t instant(const Date& date, int64_t year) {
    int64_t day = 0;
    if (date.kind == 'M') {
      const int64_t first = days_from_civil(year, date.month, 1);
      const int64_t next = days_from_civil(date.month == 12 ? year + 1 : year, date.month % 12 + 1, 1);
      const int64_t weekday = ((first + 4) % 7 + 7) % 7;  // 1970-01-01 was a Thursday
      day = first + (date.day - weekday + 7) % 7 + 7 * (date.week - 1);
      while (day >= next) day -= 7;
    } else {
      const bool leap = days_from_civil(year + 1, 1, 1) - days_from_civil(year, 1, 1) == 366;
      day = days_from_civil(year, 1, 1) + date.day - (date.kind == 'J' ? 1 : 0);
      if (date.kind == 'J' && leap && date.day >= 60) ++day;
    }
    return day * kDay + date.time;
  }

  std::string_view rest_;
  int32_t standard_ = 0, summer_ = 0;
  bool changes_ = false;
  Date start_, end_;
};

}  // namespace

/// Reads TZif, version 2 and later (RFC 8536).
class ZoneFile {
 public:
  explicit ZoneFile(std::string bytes) : bytes_(std::move(bytes)) {}

  std::optional<Zone> read() {
    if (!header() || version_ < '2') return {};
    skip(4);
    if (!header()) return {};
    const size_t times = at_, indices = times + 8 * count_[3], types = indices + count_[3];
    skip(8);
    if (at_ > bytes_.size() || count_[4] == 0) return {};
    const auto offset_of = [&](size_t type) { return static_cast<int32_t>(number(types + 6 * type, 4)); };
    Zone zone;
    zone.first_offset_ = offset_of(0);
    int32_t before = zone.first_offset_;
    for (size_t i = 0; i < count_[3]; ++i) {
      const auto type = static_cast<uint8_t>(bytes_[indices + i]);
      if (type >= count_[4]) return {};
      add(zone, number(times + 8 * i, 8), before, offset_of(type));
      before = offset_of(type);
    }
    follow_rule(zone, before);
    return zone;
  }

 private:
  bool header() {
    if (bytes_.size() < at_ + 44 || bytes_.compare(at_, 4, "TZif") != 0) return false;
    version_ = bytes_[at_ + 4];
    for (size_t i = 0; i < 6; ++i) count_[i] = static_cast<size_t>(number(at_ + 20 + 4 * i, 4));
    at_ += 44;
    return true;
  }
  /// Behind the data that the header at hand announces.
  void skip(size_t time_bytes) {
    at_ +=
        count_[3] * (time_bytes + 1) + count_[4] * 6 + count_[5] + count_[2] * (time_bytes + 4) + count_[1] + count_[0];
  }
  int64_t number(size_t at, size_t size) const {
    uint64_t value = at < bytes_.size() && static_cast<int8_t>(bytes_[at]) < 0 ? ~uint64_t{0} : 0;
    for (size_t i = at; i < at + size && i < bytes_.size(); ++i) value = value << 8 | static_cast<uint8_t>(bytes_[i]);
    return static_cast<int64_t>(value);
  }
  static void add(Zone& zone, int64_t at, int32_t before, int32_t after) {
    if (before != after) zone.changes_.push_back({at, before, after});
  }
  void follow_rule(Zone& zone, int32_t offset) const {
    const std::string_view footer = std::string_view(bytes_).substr(std::min(at_ + 1, bytes_.size()));
    const auto rule = PosixRule::parse(footer.substr(0, footer.find('\n')));
    if (!rule || !rule->changes()) return;
    zone.repeats_ = true;
    const int64_t last = zone.changes_.empty() ? INT64_MIN : zone.changes_.back().at;
    const int64_t first_year =
        zone.changes_.empty() ? 1970 : civil_from_days(floor_div(zone.changes_.back().at, kDay)).year;
    for (int64_t year = first_year; year <= kLastYear; ++year) {
      std::pair<int64_t, int32_t> both[] = {{rule->start(year), rule->summer()}, {rule->end(year), rule->standard()}};
      std::sort(std::begin(both), std::end(both));
      for (const auto& [at, after] : both) {
        if (at <= last) continue;
        add(zone, at, offset, after);
        offset = after;
      }
    }
  }

  std::string bytes_;
  size_t at_ = 0;
  char version_ = 0;
  size_t count_[6] = {};  // isutcnt, isstdcnt, leapcnt, timecnt, typecnt, charcnt
};

Expected<Zone> Zone::from_offset(std::string_view text) {
  const auto two = [&](size_t at) { return (text[at] - '0') * 10 + (text[at + 1] - '0'); };
  const int hours = two(1), minutes = two(4), seconds = text.size() > 6 ? two(7) : 0;
  const int total = hours * 3600 + minutes * 60 + seconds;
  if (hours > 18 || minutes > 59 || seconds > 59 || total > 18 * 3600)
    return fail(ErrorCode::kInvalidConfig, "Zone offset not in valid range: " + std::string(text));
  Zone zone;
  zone.first_offset_ = text[0] == '-' ? -total : total;
  return zone;
}

Expected<Zone> Zone::from_region(std::string_view name) {
  const auto unknown = [&] { return fail(ErrorCode::kNotFound, "Unknown time-zone ID: " + std::string(name)); };
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || c == '+' || c == '-' ||
           c == '/';
  };
  // The folder holds more than regions; a path must not lead out of it.
  constexpr std::string_view kOthers[] = {"posix/", "right/", "/", "localtime", "posixrules", "Factory"};
  if (name.empty() || !std::ranges::all_of(name, allowed)) return unknown();
  for (const std::string_view other : kOthers) {
    if (name.starts_with(other)) return unknown();
  }
  const char* folder = std::getenv("TZDIR");
  const std::string path = std::string(folder == nullptr ? "/usr/share/zoneinfo" : folder) + "/" + std::string(name);
  std::error_code failed;
  if (!std::filesystem::is_regular_file(path, failed)) return unknown();
  std::ifstream file(path, std::ios::binary);
  std::string bytes(std::istreambuf_iterator<char>(file), {});
  auto zone = ZoneFile(std::move(bytes)).read();
  if (!zone) return unknown();
  return std::move(*zone);
}

int32_t Zone::offset_at(int64_t instant) const {
  if (changes_.empty()) return first_offset_;
  if (repeats_) {
    while (instant >= changes_.back().at) instant -= kCycle;
  }
  const auto next = std::ranges::upper_bound(changes_, instant, {}, &Change::at);
  return next == changes_.begin() ? changes_.front().before : std::prev(next)->after;
}

int32_t Zone::offset_at_local(int64_t local) const {
  const auto ends = [](const Change& change) { return change.at + std::max(change.before, change.after); };
  if (changes_.empty()) return first_offset_;
  if (repeats_) {
    while (local >= ends(changes_.back())) local -= kCycle;
  }
  const auto next = std::ranges::upper_bound(changes_, local, {}, ends);
  return next == changes_.end() ? changes_.back().after : next->before;
}

}  // namespace millrace::debezium
