#include <array>
#include <bit>
#include <cstring>

#include "connectors/mariadb/types/decimal_value.h"
#include "connectors/mariadb/types/plan.h"

namespace millrace::mariadb {
namespace {

using Kind = Cell::Kind;

template <mr_kind kKind>
bool convert_integer(const Plan& plan, const Cell& cell, ByteArena& arena, mr_value& out) {
  if (cell.kind != Kind::kInteger) [[unlikely]]
    return convert_odd(plan, cell, arena, out);
  out = value_of(kKind, cell.i64);
  return true;
}

/// Without the signs of binlog_row_metadata the row reader took the number for a signed one.
template <mr_kind kKind>
bool convert_unsigned(const Plan& plan, const Cell& cell, ByteArena& arena, mr_value& out) {
  if (cell.kind != Kind::kInteger) [[unlikely]]
    return convert_odd(plan, cell, arena, out);
  out = value_of(kKind, static_cast<int64_t>(static_cast<uint64_t>(cell.i64) & plan.unsigned_mask));
  return true;
}

bool convert_boolean(const Plan& plan, const Cell& cell, ByteArena& arena, mr_value& out) {
  if (cell.kind != Kind::kInteger && cell.kind != Kind::kBits) [[unlikely]]
    return convert_odd(plan, cell, arena, out);
  out = value_of(MR_BOOLEAN, int64_t{cell.i64 != 0});
  return true;
}

template <mr_kind kKind>
bool convert_floating(const Plan& plan, const Cell& cell, ByteArena& arena, mr_value& out) {
  if (cell.kind != Kind::kFloat && cell.kind != Kind::kDouble) [[unlikely]]
    return convert_odd(plan, cell, arena, out);
  out = value_of(kKind, kKind == MR_FLOAT32 ? static_cast<double>(static_cast<float>(cell.f64)) : cell.f64);
  return true;
}

bool convert_year(const Plan& plan, const Cell& cell, ByteArena& arena, mr_value& out) {
  if (cell.kind != Kind::kYear && cell.kind != Kind::kInteger) [[unlikely]]
    return convert_odd(plan, cell, arena, out);
  out = value_of(MR_INT32, cell.i64);
  return true;
}

bool convert_bits(const Plan& plan, const Cell& cell, ByteArena& arena, mr_value& out) {
  static_assert(std::endian::native == std::endian::little);
  if (cell.kind != Kind::kBits) [[unlikely]]
    return convert_odd(plan, cell, arena, out);
  char* bytes = arena.allocate(8);
  std::memcpy(bytes, &cell.i64, 8);
  out = value_of(MR_BYTES, std::string_view(bytes, plan.size));
  return true;
}

// ---- decimals

bool finish_decimal(const Plan& plan, const char* bytes, size_t size, mr_value& out) {
  out = value_of(MR_DECIMAL, std::string_view(bytes, size));
  out.scale = plan.scale;
  return size > 0;
}

/// Text of a cell that is not in the plan's form: too long, or of another scale.
std::string_view number_text(const Cell& cell, std::array<char, kDecimalTextMax>& room) {
  if (cell.kind != Kind::kDecimal) return cell.text();
  return {room.data(), decimal_text(cell.i128, cell.scale, room.data())};
}

bool convert_decimal(const Plan& plan, const Cell& cell, ByteArena& arena, mr_value& out) {
  if (cell.kind == Kind::kDecimal && cell.scale == plan.scale) [[likely]] {
    char* bytes = arena.allocate(16);
    return finish_decimal(plan, bytes, decimal_bytes(cell.i128, bytes), out);
  }
  if (cell.kind != Kind::kDecimalText && cell.kind != Kind::kDecimal) return convert_odd(plan, cell, arena, out);
  std::array<char, kDecimalTextMax> room;
  char* bytes = arena.allocate(kDecimalBytesMax);
  return finish_decimal(plan, bytes, decimal_bytes(number_text(cell, room), plan.scale, bytes), out);
}

bool convert_decimal_to_text(const Plan& plan, const Cell& cell, ByteArena& arena, mr_value& out) {
  if (cell.kind == Kind::kDecimal) [[likely]] {
    char* text = arena.allocate(48);
    out = value_of(MR_STRING, std::string_view(text, decimal_text(cell.i128, cell.scale, text)));
    return true;
  }
  if (cell.kind != Kind::kDecimalText) return convert_odd(plan, cell, arena, out);
  out = value_of(MR_STRING, cell.text());
  return true;
}

bool convert_decimal_to_double(const Plan& plan, const Cell& cell, ByteArena& arena, mr_value& out) {
  double number = 0;
  if (cell.kind == Kind::kDecimal) {
    number = decimal_double(cell.i128, cell.scale);
  } else if (cell.kind == Kind::kDecimalText) {
    if (!parse_double(cell.text(), number)) return false;
  } else {
    return convert_odd(plan, cell, arena, out);
  }
  out = value_of(MR_FLOAT64, number);
  return true;
}

bool convert_unsigned_to_decimal(const Plan& plan, const Cell& cell, ByteArena& arena, mr_value& out) {
  if (cell.kind != Kind::kInteger) [[unlikely]]
    return convert_odd(plan, cell, arena, out);
  char* bytes = arena.allocate(16);
  return finish_decimal(plan, bytes, decimal_bytes(static_cast<__int128>(static_cast<uint64_t>(cell.i64)), bytes), out);
}

void name_decimal(Plan& plan, int scale, int precision) {
  name_schema(plan, MR_BYTES, "org.apache.kafka.connect.data.Decimal");
  plan.scale = static_cast<int16_t>(scale);
  plan.schema.parameters = {{"scale", std::to_string(scale)}, {"connect.decimal.precision", std::to_string(precision)}};
}

void plan_decimal(Plan& plan, DecimalMode mode) {
  constexpr int kDefaultPrecision = 10;  // of DECIMAL without numbers
  const int precision = plan.type.length < 0 ? kDefaultPrecision : plan.type.length;
  const int scale = plan.type.scale < 0 ? 0 : plan.type.scale;
  plan.scale = static_cast<int16_t>(scale);
  switch (mode) {
    case DecimalMode::kPrecise:
      name_decimal(plan, scale, precision);
      plan.convert = convert_decimal;
      return;
    case DecimalMode::kDouble:
      plan.schema.type = MR_FLOAT64;
      plan.convert = convert_decimal_to_double;
      return;
    case DecimalMode::kString:
      plan.schema.type = MR_STRING;
      plan.convert = convert_decimal_to_text;
      return;
  }
}

template <mr_kind kSigned, mr_kind kUnsigned>
void plan_integer(Plan& plan, int bytes) {
  plan.unsigned_mask = ~uint64_t{0} >> (64 - 8 * bytes);
  plan.schema.type = plan.type.is_unsigned ? kUnsigned : kSigned;
  plan.convert = plan.type.is_unsigned ? convert_unsigned<kUnsigned> : convert_integer<kSigned>;
}

void plan_bigint(Plan& plan, BigintUnsignedMode mode) {
  constexpr int kDigits = 20;
  if (plan.type.is_unsigned && mode == BigintUnsignedMode::kPrecise) {
    name_decimal(plan, 0, kDigits);
    plan.convert = convert_unsigned_to_decimal;
  } else {
    plan.schema.type = MR_INT64;
    plan.convert = convert_integer<MR_INT64>;
  }
}

void plan_bit(Plan& plan) {
  const int32_t bits = plan.type.length < 1 ? 1 : plan.type.length;
  if (bits == 1) {
    plan.schema.type = MR_BOOLEAN;
    plan.convert = convert_boolean;
    return;
  }
  name_schema(plan, MR_BYTES, "io.debezium.data.Bits");
  plan.schema.parameters = {{"length", std::to_string(bits)}};
  plan.size = static_cast<uint32_t>((bits + 7) / 8);
  plan.convert = convert_bits;
}

}  // namespace

void plan_number(Plan& plan, const ValueOptions& options) {
  switch (plan.type.family) {
    case Family::kTinyInt:
      return plan_integer<MR_INT16, MR_INT16>(plan, 1);
    case Family::kSmallInt:
      return plan_integer<MR_INT16, MR_INT32>(plan, 2);
    case Family::kMediumInt:
      return plan_integer<MR_INT32, MR_INT32>(plan, 3);
    case Family::kInt:
      return plan_integer<MR_INT32, MR_INT64>(plan, 4);
    case Family::kBigInt:
      return plan_bigint(plan, options.bigint_unsigned);
    case Family::kDecimal:
      return plan_decimal(plan, options.decimal);
    case Family::kBit:
      return plan_bit(plan);
    case Family::kFloat:
      plan.schema.type = MR_FLOAT32;
      plan.convert = convert_floating<MR_FLOAT32>;
      return;
    case Family::kDouble:
      plan.schema.type = MR_FLOAT64;
      plan.convert = convert_floating<MR_FLOAT64>;
      return;
    case Family::kYear:
      name_schema(plan, MR_INT32, "io.debezium.time.Year");
      plan.convert = convert_year;
      return;
    default:
      plan.schema.type = MR_BOOLEAN;
      plan.convert = convert_boolean;
      return;
  }
}

}  // namespace millrace::mariadb
