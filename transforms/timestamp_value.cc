#include "transforms/timestamp_value.h"

#include <limits>

#include "converters/civil_date.h"

namespace millrace::smt {
namespace {

/// As java.util.concurrent.TimeUnit: what does not fit stays at the end of the range.
int64_t saturated_product(int64_t number, int64_t factor) {
  int64_t product = 0;
  if (!__builtin_mul_overflow(number, factor, &product)) return product;
  return number < 0 ? std::numeric_limits<int64_t>::min() : std::numeric_limits<int64_t>::max();
}

int64_t scaled(int64_t number, int64_t from_per_second, int64_t to_per_second) {
  return to_per_second >= from_per_second ? saturated_product(number, to_per_second / from_per_second)
                                          : number / (from_per_second / to_per_second);
}

tl::unexpected<Error> unexpected_class(std::string_view expected, const Schema* schema, const Value& value) {
  return bad_record(fmt::format("Expected {}, but found class {}", expected, java_class_of(schema, value)));
}

Expected<int64_t> parse(const TimestampTarget& target, const Schema* schema, const Value& value) {
  if (value.kind != MR_STRING) return unexpected_class("string timestamp to be a String", schema, value);
  if (!target.format) return bad_record("A string timestamp needs the option format", "java.lang.NullPointerException");
  const std::string_view text = bytes_of(value);
  if (const auto ms = target.format->parse(text)) return *ms;
  Error error{
      ErrorCode::kBadRecord,
      fmt::format("Could not parse timestamp: value ({}) does not match pattern ({})", text, target.format->pattern()),
      {},
      {},
      {}};
  error.cause.push_back(
      {ErrorCode::kBadRecord, fmt::format("Unparseable date: \"{}\"", text), "java.text.ParseException", {}, {}});
  return fail(std::move(error));
}

/// Milliseconds since the epoch.
Expected<int64_t> moment_of(const TimestampTarget& target, const Schema* schema, TimestampForm from,
                            const Value& value) {
  const bool date = value.kind == MR_TIMESTAMP || java_class_of(schema, value) == "java.util.Date";
  switch (from) {
    case TimestampForm::kString:
      return parse(target, schema, value);
    case TimestampForm::kUnix:
      if (value.kind != MR_INT64) return unexpected_class("Unix timestamp to be a Long", schema, value);
      return scaled(value.u.i64, target.unix_per_second, 1000);
    case TimestampForm::kDate:
      if (!date) return unexpected_class("Date to be a java.util.Date", schema, value);
      return value.kind == MR_TIMESTAMP ? value.u.i64 : value.u.i64 * kDayMs;
    case TimestampForm::kTime:
      if (!date) return unexpected_class("Time to be a java.util.Date", schema, value);
      return value.u.i64;
    case TimestampForm::kTimestamp:
      break;
  }
  if (!date) return unexpected_class("Timestamp to be a java.util.Date", schema, value);
  return value.u.i64;
}

Value in_form(TimestampTarget& target, bool with_schema, int64_t ms, Arena& arena) {
  const int64_t days = floor_div(ms, kDayMs);
  switch (target.form) {
    case TimestampForm::kString:
      target.scratch.clear();
      target.format->format(ms, target.scratch);
      return string_value(arena.copy(target.scratch));
    case TimestampForm::kUnix:
      return int64_value(scaled(ms, 1000, target.unix_per_second));
    case TimestampForm::kDate:
      return with_schema ? scalar(MR_INT32, days) : scalar(MR_TIMESTAMP, days * kDayMs);
    case TimestampForm::kTime:
      return scalar(with_schema ? MR_INT32 : MR_TIMESTAMP, ms - days * kDayMs);
    case TimestampForm::kTimestamp:
      break;
  }
  return scalar(with_schema ? MR_INT64 : MR_TIMESTAMP, ms);
}

}  // namespace

Expected<TimestampForm> timestamp_form(const Schema& schema) {
  const std::string_view name = schema.name() ? std::string_view(*schema.name()) : std::string_view();
  if (name == kTimestampName) return TimestampForm::kTimestamp;
  if (name == kDateName) return TimestampForm::kDate;
  if (name == kTimeName) return TimestampForm::kTime;
  if (schema.type() == Type::kString) return TimestampForm::kString;
  if (schema.type() == Type::kInt64) return TimestampForm::kUnix;
  return bad_record(fmt::format("Schema Schema{{{}{}{}}} does not correspond to a known timestamp type format", name,
                                schema.name() ? ":" : "", type_name(schema.type())),
                    "org.apache.kafka.connect.errors.ConnectException");
}

SchemaPtr timestamp_form_schema(TimestampForm form, bool optional) {
  switch (form) {
    case TimestampForm::kString:
      return plain_schema(Type::kString, optional);
    case TimestampForm::kUnix:
      return plain_schema(Type::kInt64, optional);
    case TimestampForm::kDate:
      return date_schema(optional);
    case TimestampForm::kTime:
      return time_schema(optional);
    case TimestampForm::kTimestamp:
      break;
  }
  return timestamp_schema(optional);
}

Expected<Value> convert_timestamp(TimestampTarget& target, const Schema& schema, TimestampForm from, const Value& value,
                                  Arena& arena) {
  if (is_null(value)) return value;
  const auto ms = moment_of(target, &schema, from, value);
  if (!ms) return fail(ms.error());
  return in_form(target, true, *ms, arena);
}

Expected<Value> convert_timestamp(TimestampTarget& target, const Value& value, Arena& arena) {
  TimestampForm from = TimestampForm::kTimestamp;
  switch (value.kind) {
    case MR_NULL:
      return value;
    case MR_TIMESTAMP:
      break;
    case MR_INT64:
      from = TimestampForm::kUnix;
      break;
    case MR_STRING:
      from = TimestampForm::kString;
      break;
    default:
      return bad_record(fmt::format("TimestampConverter does not support class {} objects as timestamps",
                                    java_class_of(nullptr, value)));
  }
  const auto ms = moment_of(target, nullptr, from, value);
  if (!ms) return fail(ms.error());
  return in_form(target, false, *ms, arena);
}

}  // namespace millrace::smt
