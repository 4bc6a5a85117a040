#include "connectors/jdbc/temporal.h"

#include <charconv>

namespace millrace::jdbc {
namespace {

constexpr int64_t kDaySeconds = 86400;
constexpr uint32_t kTimeHoursMax = 838;  // of a TIME column

int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a % b < 0) != (b < 0) ? 1 : 0); }

/// Debezium counts in the proleptic Gregorian calendar, whatever date.calendar.system says.
WallClock gregorian(const TimeZone& zone) { return {zone, CalendarSystem::kProlepticGregorian}; }

Status refused(const mr_value& value, const char* what) {
  const std::string shown =
      value.kind == MR_STRING ? std::string(value.u.bytes, value.size) : std::to_string(value.u.i64);
  return {Code::kBadRecord, "'" + shown + "' " + what};
}

/// The pieces of an ISO 8601 text: [yyyy-MM-dd][T][HH:mm[:ss[.fraction]]][Z|+HH:mm].
struct IsoText {
  int32_t year = 1970;
  uint32_t month = 1, day = 1, hour = 0, minute = 0, second = 0, micros = 0;
  bool date = false, time = false;
  int32_t offset = 0;  // seconds east of Greenwich
};

class IsoReader {
 public:
  explicit IsoReader(std::string_view text) : rest_(text) {}

  bool read(IsoText& out) {
    if (rest_.size() >= 10 && rest_[4] == '-') {
      uint32_t year = 0;
      if (!number(4, year) || !take('-') || !number(2, out.month) || !take('-') || !number(2, out.day)) return false;
      out.year = static_cast<int32_t>(year);
      out.date = true;
      if (!rest_.empty() && (rest_[0] == 'T' || rest_[0] == ' ')) rest_.remove_prefix(1);
    }
    if (rest_.size() >= 5 && rest_[2] == ':' && !time(out)) return false;
    return zone(out.offset) && rest_.empty() && out.month >= 1 && out.month <= 12 && out.day >= 1 && out.day <= 31 &&
           out.hour < 24 && out.minute < 60 && out.second < 60;
  }

 private:
  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool number(size_t digits, uint32_t& out) {
    if (rest_.size() < digits) return false;
    const auto parsed = std::from_chars(rest_.data(), rest_.data() + digits, out);
    if (parsed.ec != std::errc() || parsed.ptr != rest_.data() + digits) return false;
    rest_.remove_prefix(digits);
    return true;
  }
  bool time(IsoText& out) {
    if (!number(2, out.hour) || !take(':') || !number(2, out.minute)) return false;
    out.time = true;
    if (!take(':')) return true;
    if (!number(2, out.second)) return false;
    if (!take('.')) return true;
    uint32_t scale = 100'000;
    while (!rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9') {
      out.micros += static_cast<uint32_t>(rest_[0] - '0') * scale;  // digits below microseconds weigh nothing
      scale /= 10;
      rest_.remove_prefix(1);
    }
    return true;
  }
  bool zone(int32_t& offset) {
    if (rest_.empty() || take('Z')) return true;
    const bool west = rest_[0] == '-';
    if (!take('+') && !take('-')) return false;
    uint32_t hours = 0, minutes = 0, seconds = 0;
    if (!number(2, hours)) return false;
    if (take(':') && !number(2, minutes)) return false;
    if (take(':') && !number(2, seconds)) return false;
    offset = static_cast<int32_t>(hours * 3600 + minutes * 60 + seconds) * (west ? -1 : 1);
    return true;
  }
  std::string_view rest_;
};

Status from_text(CellForm form, const mr_value& value, const WriteOptions& options, WallTime& out) {
  IsoText iso;
  const bool zoned = form == CellForm::kZonedTimestamp || form == CellForm::kZonedTime;
  if (value.kind != MR_STRING || !IsoReader({value.u.bytes, value.size}).read(iso) ||
      (!iso.date && form != CellForm::kZonedTime && form != CellForm::kIsoTime) ||
      (!iso.time && form != CellForm::kIsoDate)) {
    return refused(value, "is no ISO 8601 text of the field's type");
  }
  out.civil = {iso.year, iso.month, iso.day, iso.hour, iso.minute, iso.second, iso.micros};
  if (zoned) {
    // A time without a date takes the zone's offset at the epoch, as a TIME column knows no other day.
    const int64_t utc = days_of(CalendarSystem::kProlepticGregorian, iso.year, iso.month, iso.day) * kDaySeconds +
                        iso.hour * 3600 + iso.minute * 60 + iso.second - iso.offset;
    out.civil = gregorian(options.clock.zone).civil_of(utc, iso.micros);
    out.zoned = true;
    out.offset = options.clock.zone.offset_at(utc);
  }
  out.hours = out.civil.hour;
  return sdk::ok();
}

/// Signed, and longer than a day where the source's TIME was.
Status from_duration(const mr_value& value, int64_t per_second, WallTime& out) {
  const int64_t number = value.u.i64;
  out.negative = number < 0;
  const uint64_t magnitude = out.negative ? ~static_cast<uint64_t>(number) + 1 : static_cast<uint64_t>(number);
  const uint64_t unit = static_cast<uint64_t>(per_second), seconds = magnitude / unit;
  if (seconds / 3600 > kTimeHoursMax) return refused(value, "is outside the range of TIME");
  out.hours = static_cast<uint32_t>(seconds / 3600);
  out.civil.minute = static_cast<uint32_t>(seconds / 60 % 60);
  out.civil.second = static_cast<uint32_t>(seconds % 60);
  out.civil.micros = static_cast<uint32_t>(magnitude % unit * 1'000'000 / unit);
  return sdk::ok();
}

Civil from_epoch(int64_t number, int64_t per_second, const WallClock& clock) {
  const int64_t seconds = floor_div(number, per_second);
  return clock.civil_of(seconds, static_cast<uint32_t>((number - seconds * per_second) * 1'000'000 / per_second));
}

void from_instant(int64_t number, int64_t per_second, const WallClock& clock, WallTime& out) {
  out.civil = from_epoch(number, per_second, clock);
  out.zoned = true;
  out.offset = clock.zone.offset_at(floor_div(number, per_second));
}

Status convert(CellForm form, const mr_value& value, int64_t number, const WriteOptions& options, WallTime& out) {
  static const WallClock kPlain = gregorian({});
  switch (form) {
    case CellForm::kDate: {
      const int64_t seconds = number * kDaySeconds;
      out.civil = WallClock{{}, options.clock.calendar}.civil_of(seconds + options.date_zone.offset_at(seconds), 0);
      break;
    }
    case CellForm::kEventDate:
      out.civil = kPlain.civil_of(number * kDaySeconds, 0);
      break;
    case CellForm::kTime:
    case CellForm::kTimestamp:
      from_instant(number, 1000, options.clock, out);
      out.hours = out.civil.hour;
      break;
    case CellForm::kEpochMicros:
      from_instant(number, 1'000'000, options.clock, out);
      break;
    case CellForm::kEpochNanos:
      from_instant(number, 1'000'000'000, options.clock, out);
      break;
    case CellForm::kEventMillis:
      out.civil = from_epoch(number, 1000, kPlain);
      break;
    case CellForm::kEventMicros:
      out.civil = from_epoch(number, 1'000'000, kPlain);
      break;
    case CellForm::kEventNanos:
      out.civil = from_epoch(number, 1'000'000'000, kPlain);
      break;
    case CellForm::kTimeMillis:
      return from_duration(value, 1000, out);
    case CellForm::kTimeMicros:
      return from_duration(value, 1'000'000, out);
    case CellForm::kTimeNanos:
      return from_duration(value, 1'000'000'000, out);
    default:
      return from_text(form, value, options, out);
  }
  return sdk::ok();
}

WallTime::Kind kind_of(CellForm form) {
  switch (form) {
    case CellForm::kDate:
    case CellForm::kEventDate:
    case CellForm::kIsoDate:
      return WallTime::Kind::kDate;
    case CellForm::kTime:
    case CellForm::kTimeMillis:
    case CellForm::kTimeMicros:
    case CellForm::kTimeNanos:
    case CellForm::kZonedTime:
    case CellForm::kIsoTime:
      return WallTime::Kind::kTime;
    default:
      return WallTime::Kind::kDateTime;
  }
}

}  // namespace

Status wall_reading(CellForm form, const mr_value& value, const WriteOptions& options, WallTime& out) {
  out = WallTime{};
  out.kind = kind_of(form);
  int64_t number = value.u.i64;
  const bool epoch = form == CellForm::kEpochMicros || form == CellForm::kEpochNanos;
  if (epoch && value.kind == MR_STRING) {  // an epoch number as text
    const char* end = value.u.bytes + value.size;
    const auto parsed = std::from_chars(value.u.bytes, end, number);
    if (parsed.ec != std::errc() || parsed.ptr != end) {
      return refused(value, "is no epoch number for a field of timestamp.fields.list");
    }
  }
  if (Status s = convert(form, value, number, options, out); !s.ok()) return s;
  if (out.kind == WallTime::Kind::kDate) out.civil.hour = out.civil.minute = out.civil.second = 0;
  return sdk::ok();
}

Status wall_time(CellForm form, const mr_value& value, const WriteOptions& options, WallTime& out) {
  if (Status s = wall_reading(form, value, options, out); !s.ok()) return s;
  if (out.kind != WallTime::Kind::kTime && (out.civil.year < 0 || out.civil.year > 9999)) {
    return refused(value, "is outside the years 0 to 9999 that DATE and DATETIME have");
  }
  return sdk::ok();
}

std::string quoted(const WallTime& time) {
  char date[32] = "", clock[32] = "";
  const Civil& civil = time.civil;
  if (time.kind != WallTime::Kind::kTime) {
    std::snprintf(date, sizeof(date), "%04d-%02u-%02u", civil.year, civil.month, civil.day);
  }
  if (time.kind != WallTime::Kind::kDate) {
    const bool of_day = time.kind == WallTime::Kind::kDateTime;
    std::snprintf(clock, sizeof(clock), "%s%s%02u:%02u:%02u.%06u", of_day ? " " : "", time.negative ? "-" : "",
                  of_day ? civil.hour : time.hours, civil.minute, civil.second, civil.micros);
  }
  return "'" + std::string(date) + clock + "'";
}

}  // namespace millrace::jdbc
