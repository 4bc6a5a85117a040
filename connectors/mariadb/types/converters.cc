/// The three converters of Debezium that are built in: each replaces schema and conversion of the columns it takes.
#include "connectors/mariadb/types/decimal_value.h"
#include "connectors/mariadb/types/plan.h"
#include "connectors/mariadb/types/rules.h"
#include "connectors/mariadb/types/temporal.h"

namespace millrace::mariadb {
namespace {

using Kind = Cell::Kind;

/// What a converter decides by.
struct Target {
  const ColumnDefinition& column;
  Plan& plan;
};

bool is_integer(Family family) { return family <= Family::kBigInt || family == Family::kYear; }
bool is_number(Family family) { return family <= Family::kDecimal || family == Family::kYear; }

bool number_of(const Cell& cell, int64_t& number) {
  number = cell.i64;
  return cell.kind == Kind::kInteger || cell.kind == Kind::kBits || cell.kind == Kind::kYear;
}

template <mr_kind kKind>
bool convert_positive(const Plan& plan, const Cell& cell, ByteArena& arena, mr_value& out) {
  int64_t number = 0;
  if (!number_of(cell, number)) return convert_odd(plan, cell, arena, out);
  if (plan.type.is_unsigned) number = static_cast<int64_t>(static_cast<uint64_t>(number) & plan.unsigned_mask);
  out = value_of(kKind, int64_t{number > 0});
  return true;
}

template <mr_kind kKind>
bool convert_real(const Plan& plan, const Cell& cell, ByteArena& arena, mr_value& out) {
  double number = 0;
  if (cell.kind == Kind::kFloat || cell.kind == Kind::kDouble) {
    number = cell.f64;
  } else if (cell.kind == Kind::kInteger) {
    number = cell.is_unsigned ? static_cast<double>(static_cast<uint64_t>(cell.i64)) : static_cast<double>(cell.i64);
  } else if (cell.kind == Kind::kDecimal) {
    number = decimal_double(cell.i128, cell.scale);
  } else if (cell.kind == Kind::kDecimalText) {
    if (!parse_double(cell.text(), number)) return false;
  } else {
    return convert_odd(plan, cell, arena, out);
  }
  out = value_of(kKind, kKind == MR_FLOAT32 ? static_cast<double>(static_cast<float>(number)) : number);
  return true;
}

void replace_schema(Plan& plan, mr_kind type, std::string_view name = {}) {
  plan.schema = {};
  name_schema(plan, type, name);
  plan.schema.optional = plan.optional;
}

bool take(const BooleanConverter& rule, std::string_view name, const Target& target) {
  Plan& plan = target.plan;
  if (plan.type.family != Family::kTinyInt || (rule.length_checker && plan.type.length != 1)) return false;
  if (rule.selector && !rule.selector->matches(name)) return false;
  replace_schema(plan, MR_BOOLEAN);
  plan.convert = convert_positive<MR_BOOLEAN>;
  return true;
}

bool take(const JdbcSinkConverter& rule, std::string_view name, const Target& target) {
  Plan& plan = target.plan;
  const Family family = plan.type.family;
  if ((is_integer(family) || family == Family::kBit) && rule.boolean.matches(name)) {
    replace_schema(plan, MR_INT16);
    plan.convert = convert_positive<MR_INT16>;
    return true;
  }
  if (is_number(family) && rule.real.matches(name)) {
    replace_schema(plan, rule.real_as_double ? MR_FLOAT64 : MR_FLOAT32);
    plan.convert = rule.real_as_double ? convert_real<MR_FLOAT64> : convert_real<MR_FLOAT32>;
    return true;
  }
  const bool text =
      family == Family::kText || family == Family::kEnum || family == Family::kSet || family == Family::kJson;
  if (!text || !rule.string.matches(name)) return false;
  replace_schema(plan, MR_STRING);
  if (target.column.charset)
    plan.schema.parameters = {{"__debezium.source.column.character_set", *target.column.charset}};
  return true;
}

// ---- ZeroDateFallback

std::optional<ZeroDateConverter::Type> zero_date_type(Family family) {
  if (family == Family::kDate) return ZeroDateConverter::kDate;
  if (family == Family::kDateTime) return ZeroDateConverter::kDateTime;
  if (family == Family::kTimestamp) return ZeroDateConverter::kTimestamp;
  return std::nullopt;
}

void set_fallback(Plan& plan, const std::optional<WallTime>& fallback) {
  plan.zero_value = {};
  if (fallback) {
    Cell cell;
    ByteArena arena;
    cell.snapshot = true;
    cell.kind = plan.type.family == Family::kDate ? Kind::kDate : Kind::kDateTime;
    cell.time = *fallback;
    if (plan.type.family == Family::kTimestamp) {
      cell.kind = Kind::kTimestamp;
      cell.i64 = epoch_micros_of(*fallback);
      // The fallback may be the epoch itself, which as a cell would be the zero timestamp.
      plan.zero_in_stream = true;
      cell.snapshot = cell.i64 != 0;
    }
    plan.convert(plan, cell, arena, plan.zero_value);
    if (plan.zero_value.kind == MR_STRING) {
      plan.zero_text.assign(plan.zero_value.u.bytes, plan.zero_value.size);
      plan.zero_value = value_of(MR_STRING, std::string_view(plan.zero_text));
    }
  } else {
    plan.optional = plan.schema.optional = true;
  }
  plan.null_value = plan.zero_value;
  plan.zero_in_stream = false;
  plan.default_is_zero_value = true;
}

Status take_zero_date(const ZeroDateConverter& rule, std::string_view name, const Target& target, bool& taken) {
  Plan& plan = target.plan;
  const auto type = zero_date_type(plan.type.family);
  taken = type && rule.applies[*type] && (!rule.selector || rule.selector->matches(name));
  if (!taken) return {};
  std::optional<WallTime> fallback = rule.fallback[*type];
  for (const auto& [column, text] : rule.of_column) {
    if (column != name) continue;
    auto parsed = parse_zero_date_fallback("column." + column + ".fallback", text, *type);
    if (!parsed.ok()) return parsed.status();
    fallback = *parsed;
  }
  // The converter has one form a type, whatever time.precision.mode says.
  ValueOptions plain;
  plain.time_adjuster = false;
  if (plan.type.family == Family::kDateTime) plan.type.length = 3;
  plan.schema = {};
  plan.schema.optional = plan.optional;
  plan_temporal(plan, plain);
  set_fallback(plan, fallback);
  return {};
}

}  // namespace

Status apply_converters(const ValueOptions::Rules& rules, const ColumnDefinition& column, Plan& plan) {
  const Target target{column, plan};
  for (const ConverterRule& rule : rules.converters) {
    bool taken = false;
    if (const auto* boolean = std::get_if<BooleanConverter>(&rule)) taken = take(*boolean, plan.column, target);
    if (const auto* sink = std::get_if<JdbcSinkConverter>(&rule)) taken = take(*sink, plan.column, target);
    if (const auto* zero = std::get_if<ZeroDateConverter>(&rule)) {
      if (Status s = take_zero_date(*zero, plan.column, target, taken); !s.ok()) return s;
    }
    if (taken) break;
  }
  return {};
}

}  // namespace millrace::mariadb
