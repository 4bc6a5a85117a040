#include "transforms/cast_value.h"

#include <cmath>
#include <limits>

#include "converters/civil_date.h"
#include "converters/values_text.h"
#include "core/java_text.h"
#include "transforms/big_decimal.h"
#include "transforms/operand.h"

namespace millrace::smt {
namespace {

constexpr std::string_view kInputTypes = "[INT8, INT16, INT32, INT64, FLOAT32, FLOAT64, BOOLEAN, STRING, BYTES]";

tl::unexpected<Error> out_of_range(std::string_view text) {
  Error error{
      ErrorCode::kBadRecord, fmt::format("Value ({}) was out of range for requested data type", text), {}, {}, {}};
  error.cause.push_back({ErrorCode::kBadRecord,
                         fmt::format("For input string: \"{}\"", text),
                         "java.lang.NumberFormatException",
                         {},
                         {}});
  return fail(std::move(error));
}

Status check_input(const Schema* schema, const Value& value) {
  if (schema == nullptr && (value.kind == MR_DECIMAL || value.kind == MR_TIMESTAMP)) {
    return bad_record(
        fmt::format("Cast transformation was passed a value of type class {} which is not supported by "
                    "Connect's data API",
                    java_class_of(schema, value)));
  }
  const Type type = schema != nullptr ? schema->type() : type_of_kind(value.kind);
  if (type == Type::kArray || type == Type::kMap || type == Type::kStruct) {
    return bad_record(fmt::format("Cast transformation does not support casting from {}; supported types are {}",
                                  type_name(type), kInputTypes));
  }
  return {};
}

/// Java's narrowing of a floating number: NaN is 0, what is too large stays at the end of the range.
template <class Int>
Int saturated(double number) {
  if (std::isnan(number)) return 0;
  if (number <= static_cast<double>(std::numeric_limits<Int>::min())) return std::numeric_limits<Int>::min();
  if (number >= static_cast<double>(std::numeric_limits<Int>::max())) return std::numeric_limits<Int>::max();
  return static_cast<Int>(number);
}

/// BigDecimal.longValue(). Most decimals are short enough for machine arithmetic.
int64_t decimal_integer(const Value& value) {
  const std::string_view bytes = bytes_of(value);
  if (bytes.empty() || bytes.size() > 8 || value.scale < 0 || value.scale > 18) {
    std::string text;
    append_java_decimal(text, bytes, value.scale);
    return long_value(parse_big_decimal(text).value_or(BigDecimal{false, "0", 0}));
  }
  uint64_t bits = static_cast<int8_t>(bytes.front()) < 0 ? ~uint64_t{0} : 0;
  for (const char byte : bytes) bits = bits << 8 | static_cast<uint8_t>(byte);
  auto number = static_cast<int64_t>(bits);
  for (int16_t i = 0; i < value.scale; ++i) number /= 10;
  return number;
}

bool is_floating(const Value& value) { return value.kind == MR_FLOAT32 || value.kind == MR_FLOAT64; }

/// The number as the widest integer that Java goes through for `to`: bytes and shorts are cut out of an int.
int64_t integer_of(const Value& value, Type to) {
  if (value.kind == MR_DECIMAL) return decimal_integer(value);
  if (!is_floating(value)) return value.u.i64;
  return to == Type::kInt64 || to == Type::kBoolean ? saturated<int64_t>(value.u.f64) : saturated<int32_t>(value.u.f64);
}

Value narrowed(int64_t number, Type to) {
  switch (to) {
    case Type::kInt8:
      return scalar(MR_INT8, static_cast<int8_t>(number));
    case Type::kInt16:
      return scalar(MR_INT16, static_cast<int16_t>(number));
    case Type::kInt32:
      return scalar(MR_INT32, static_cast<int32_t>(number));
    default:
      return int64_value(number);
  }
}

Expected<Value> parse_integer(std::string_view text, Type to) {
  const int bits = to == Type::kInt8 ? 8 : to == Type::kInt16 ? 16 : to == Type::kInt32 ? 32 : 64;
  const int64_t max = std::numeric_limits<int64_t>::max() >> (64 - bits);
  const auto number = parse_java_integer(text, -max - 1, max);
  if (!number) return out_of_range(text);
  return narrowed(*number, to);
}

Expected<Value> to_floating(const Value& value, Type to, std::string& scratch) {
  double number = 0;
  if (value.kind == MR_STRING) {
    const auto parsed = parse_java_double(bytes_of(value));
    if (!parsed) return out_of_range(bytes_of(value));
    number = *parsed;
  } else if (value.kind == MR_DECIMAL) {
    scratch.clear();
    append_java_decimal(scratch, bytes_of(value), value.scale);
    number = parse_java_double(scratch).value_or(0);
  } else if (is_floating(value)) {
    number = value.u.f64;
  } else if (to == Type::kFloat32) {  // not by way of a double, which would round twice
    return floating(MR_FLOAT32, static_cast<double>(static_cast<float>(value.u.i64)));
  } else {
    number = static_cast<double>(value.u.i64);
  }
  if (to == Type::kFloat64) return floating(MR_FLOAT64, number);
  return floating(MR_FLOAT32, static_cast<double>(static_cast<float>(number)));
}

bool is_true(std::string_view text) {
  constexpr std::string_view kTrue = "true";
  if (text.size() != kTrue.size()) return false;
  for (size_t i = 0; i < kTrue.size(); ++i) {
    if ((text[i] | 0x20) != kTrue[i]) return false;
  }
  return true;
}

Value to_text(const Schema* schema, const Value& value, Arena& arena, std::string& scratch) {
  if (value.kind == MR_STRING) return value;
  if (value.kind == MR_BOOLEAN) return string_value(value.u.i64 != 0 ? "true" : "false");
  const bool moment = java_class_of(schema, value) == "java.util.Date";
  if (value.kind >= MR_INT8 && value.kind <= MR_INT64 && !moment) {
    const fmt::format_int digits(value.u.i64);
    return string_value(arena.copy({digits.data(), digits.size()}));
  }
  char digits[kJavaNumberBytesMax];
  if (value.kind == MR_FLOAT32) {
    const char* end = write_java_float(digits, static_cast<float>(value.u.f64));
    return string_value(arena.copy({digits, static_cast<size_t>(end - digits)}));
  }
  if (value.kind == MR_FLOAT64) {
    const char* end = write_java_double(digits, value.u.f64);
    return string_value(arena.copy({digits, static_cast<size_t>(end - digits)}));
  }
  scratch.clear();
  append_values_text(scratch, schema, value);
  return string_value(arena.copy(scratch));
}

/// A java.util.Date that somebody put under one of Connect's schemas, as that schema's number.
Expected<Value> encoded(const Schema& schema, const Value& moment) {
  const int64_t ms = moment.u.i64;
  if (schema.is_date()) {
    if (ms % kDayMs == 0) return scalar(MR_INT32, ms / kDayMs);
    return bad_record("Kafka Connect Date type should not have any time fields set to non-zero values.");
  }
  if (!schema.is_time()) return int64_value(ms);
  if (ms >= 0 && ms <= kDayMs) return scalar(MR_INT32, ms);
  return bad_record("Kafka Connect Time type should not have any date fields set to non-zero values.");
}

}  // namespace

Expected<Value> cast_value(const Schema* schema, const Value& value, Type to, Arena& arena, std::string& scratch) {
  if (is_null(value)) return value;
  if (auto status = check_input(schema, value); !status) return fail(std::move(status.error()));
  if (to == Type::kString) return to_text(schema, value, arena, scratch);
  if (value.kind == MR_TIMESTAMP && (schema->is_date() || schema->is_time() || schema->is_timestamp())) {
    auto number = encoded(*schema, value);
    if (!number) return number;
    return cast_value(schema, *number, to, arena, scratch);
  }
  if (value.kind == MR_BYTES || value.kind == MR_TIMESTAMP || value.kind == MR_ARRAY || value.kind == MR_MAP ||
      value.kind == MR_STRUCT) {
    return bad_record(fmt::format("Unexpected type in Cast transformation: class {}", java_class_of(schema, value)));
  }
  switch (to) {
    case Type::kBoolean:
      if (value.kind == MR_STRING) return boolean_value(is_true(bytes_of(value)));
      return boolean_value(integer_of(value, to) != 0);
    case Type::kFloat32:
    case Type::kFloat64:
      return to_floating(value, to, scratch);
    default:
      if (value.kind == MR_STRING) return parse_integer(bytes_of(value), to);
      return narrowed(integer_of(value, to), to);
  }
}

}  // namespace millrace::smt
