#include "connectors/mariadb/types/plan.h"
#include "connectors/mariadb/types/temporal.h"

namespace millrace::mariadb {
namespace {

using Kind = Cell::Kind;

bool zero(const Plan& plan, mr_value& out) {
  out = plan.zero_value;
  return true;
}

/// Two-digit years that the server took literally.
WallTime adjusted(const Plan& plan, WallTime time) {
  if (plan.time_adjuster && time.year < 100)
    time.year = static_cast<uint16_t>(time.year + (time.year < 70 ? 2000 : 1900));
  return time;
}

mr_value text_value(ByteArena& arena, const char* text, size_t size, bool utc) {
  char* out = arena.allocate(size + 1);
  std::copy_n(text, size, out);
  if (utc) out[size] = 'Z';
  return value_of(MR_STRING, std::string_view(out, size + (utc ? 1 : 0)));
}

// ---- DATE

bool convert_date(const Plan& plan, const Cell& cell, ByteArena& arena, mr_value& out) {
  if (cell.kind != Kind::kDate && cell.kind != Kind::kDateTime) [[unlikely]]
    return convert_odd(plan, cell, arena, out);
  if (!is_calendar_date(cell.time)) return zero(plan, out);
  const WallTime time = adjusted(plan, cell.time);
  out = value_of(MR_INT32, days_of(time.year, time.month, time.day));
  return true;
}

bool convert_date_to_text(const Plan& plan, const Cell& cell, ByteArena& arena, mr_value& out) {
  if (cell.kind != Kind::kDate && cell.kind != Kind::kDateTime) return convert_odd(plan, cell, arena, out);
  if (!is_calendar_date(cell.time)) return zero(plan, out);
  char text[kTemporalTextMax];
  out = text_value(arena, text, date_text(adjusted(plan, cell.time), text), true);
  return true;
}

// ---- TIME

enum class Unit { kMillis, kMicros, kNanos };

template <Unit kUnit>
bool convert_time(const Plan& plan, const Cell& cell, ByteArena& arena, mr_value& out) {
  if (cell.kind != Kind::kTime) [[unlikely]]
    return convert_odd(plan, cell, arena, out);
  out = value_of(MR_INT64, kUnit == Unit::kNanos ? cell.i64 * 1000 : cell.i64);
  return true;
}

/// Connect's Time and ISO times know one day only.
bool convert_time_of_day(const Plan& plan, const Cell& cell, ByteArena& arena, mr_value& out) {
  if (cell.kind != Kind::kTime) return convert_odd(plan, cell, arena, out);
  if (cell.i64 < 0 || cell.i64 > kMicrosPerDay) return zero(plan, out);
  out = value_of(MR_INT32, cell.i64 / 1000);
  return true;
}

bool convert_time_to_text(const Plan& plan, const Cell& cell, ByteArena& arena, mr_value& out) {
  if (cell.kind != Kind::kTime) return convert_odd(plan, cell, arena, out);
  if (cell.i64 < 0 || cell.i64 > kMicrosPerDay) return zero(plan, out);
  char text[kTemporalTextMax];
  out = text_value(arena, text, clock_text(cell.i64 % kMicrosPerDay, kTrimmed, text), true);
  return true;
}

// ---- DATETIME

/// Nanoseconds outside 1677 to 2262 wrap around, as Debezium's do.
template <Unit kUnit>
bool convert_date_time(const Plan& plan, const Cell& cell, ByteArena& arena, mr_value& out) {
  if (cell.kind != Kind::kDateTime && cell.kind != Kind::kDate) [[unlikely]]
    return convert_odd(plan, cell, arena, out);
  if (!is_calendar_date(cell.time)) return zero(plan, out);
  const WallTime time = adjusted(plan, cell.time);
  const int64_t seconds = days_of(time.year, time.month, time.day) * kSecondsPerDay + seconds_of_day(time);
  if constexpr (kUnit == Unit::kMillis) {
    out = value_of(MR_INT64, seconds * 1000 + time.micros / 1000);
  } else if constexpr (kUnit == Unit::kMicros) {
    out = value_of(MR_INT64, seconds * kMicrosPerSecond + time.micros);
  } else {
    const auto micros = static_cast<uint64_t>(seconds * kMicrosPerSecond + time.micros);
    out = value_of(MR_INT64, static_cast<int64_t>(micros * 1000));
  }
  return true;
}

bool convert_date_time_to_text(const Plan& plan, const Cell& cell, ByteArena& arena, mr_value& out) {
  if (cell.kind != Kind::kDateTime && cell.kind != Kind::kDate) return convert_odd(plan, cell, arena, out);
  if (!is_calendar_date(cell.time)) return zero(plan, out);
  char text[kTemporalTextMax];
  out = text_value(arena, text, date_time_text(adjusted(plan, cell.time), kTrimmed, text), true);
  return true;
}

// ---- TIMESTAMP

/// A snapshot drops zeros at the end of the fraction, the stream pads to the column's digits, as Debezium has it.
bool convert_timestamp(const Plan& plan, const Cell& cell, ByteArena& arena, mr_value& out) {
  if (cell.kind != Kind::kTimestamp) [[unlikely]]
    return convert_odd(plan, cell, arena, out);
  if (cell.i64 == 0 && (cell.snapshot || !plan.zero_in_stream)) return zero(plan, out);
  char text[kTemporalTextMax];
  const int digits = cell.snapshot ? kTrimmed : plan.digits;
  out = text_value(arena, text, date_time_text(wall_time_of(cell.i64), digits, text), true);
  return true;
}

void set_plan(Plan& plan, mr_kind type, std::string_view name, Plan::Convert convert) {
  name_schema(plan, type, name);
  plan.convert = convert;
  const bool text = type == MR_STRING;
  plan.zero_value = plan.optional ? mr_value{}
                    : text        ? value_of(MR_STRING, std::string_view(plan.zero_text))
                                  : value_of(type, int64_t{0});
}

void plan_date(Plan& plan, TimePrecisionMode mode) {
  plan.zero_text = "1970-01-01Z";
  if (mode == TimePrecisionMode::kIsoString)
    return set_plan(plan, MR_STRING, "io.debezium.time.IsoDate", convert_date_to_text);
  const bool connect = mode == TimePrecisionMode::kConnect;
  set_plan(plan, MR_INT32, connect ? "org.apache.kafka.connect.data.Date" : "io.debezium.time.Date", convert_date);
}

void plan_time(Plan& plan, TimePrecisionMode mode) {
  plan.zero_text = "00:00:00Z";
  switch (mode) {
    case TimePrecisionMode::kConnect:
      return set_plan(plan, MR_INT32, "org.apache.kafka.connect.data.Time", convert_time_of_day);
    case TimePrecisionMode::kIsoString:
      return set_plan(plan, MR_STRING, "io.debezium.time.IsoTime", convert_time_to_text);
    case TimePrecisionMode::kNanoseconds:
      return set_plan(plan, MR_INT64, "io.debezium.time.NanoTime", convert_time<Unit::kNanos>);
    default:
      return set_plan(plan, MR_INT64, "io.debezium.time.MicroTime", convert_time<Unit::kMicros>);
  }
}

void plan_date_time(Plan& plan, TimePrecisionMode mode) {
  plan.zero_text = "1970-01-01T00:00:00Z";
  constexpr auto kMillis = convert_date_time<Unit::kMillis>;
  constexpr auto kMicros = convert_date_time<Unit::kMicros>;
  switch (mode) {
    case TimePrecisionMode::kConnect:
      return set_plan(plan, MR_INT64, "org.apache.kafka.connect.data.Timestamp", kMillis);
    case TimePrecisionMode::kIsoString:
      return set_plan(plan, MR_STRING, "io.debezium.time.IsoTimestamp", convert_date_time_to_text);
    case TimePrecisionMode::kNanoseconds:
      return set_plan(plan, MR_INT64, "io.debezium.time.NanoTimestamp", convert_date_time<Unit::kNanos>);
    case TimePrecisionMode::kMicroseconds:
      return set_plan(plan, MR_INT64, "io.debezium.time.MicroTimestamp", kMicros);
    default:
      if (plan.digits <= 3) return set_plan(plan, MR_INT64, "io.debezium.time.Timestamp", kMillis);
      return set_plan(plan, MR_INT64, "io.debezium.time.MicroTimestamp", kMicros);
  }
}

}  // namespace

void plan_temporal(Plan& plan, const ValueOptions& options) {
  plan.time_adjuster = options.time_adjuster;
  plan.digits = plan.type.length < 0 ? 0 : plan.type.length;
  if (options.time_precision == TimePrecisionMode::kStructured) return plan_structured(plan);
  switch (plan.type.family) {
    case Family::kDate:
      return plan_date(plan, options.time_precision);
    case Family::kTime:
      return plan_time(plan, options.time_precision);
    case Family::kDateTime:
      return plan_date_time(plan, options.time_precision);
    default:
      plan.zero_text = "1970-01-01T00:00:00Z";
      return set_plan(plan, MR_STRING, "io.debezium.time.ZonedTimestamp", convert_timestamp);
  }
}

}  // namespace millrace::mariadb
