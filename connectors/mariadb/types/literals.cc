/// Literals of DEFAULT clauses as cells, and the defaults of schemas made of them by the column's own plan.
#include <charconv>
#include <limits>

#include "connectors/mariadb/types/decimal_value.h"
#include "connectors/mariadb/types/plan.h"
#include "connectors/mariadb/types/temporal.h"

namespace millrace::mariadb {
namespace {

using Kind = Cell::Kind;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() <= ' ' && text.front() >= 0) text.remove_prefix(1);
  while (!text.empty() && text.back() <= ' ' && text.back() >= 0) text.remove_suffix(1);
  return text;
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return out;
}

template <class Number>
bool parse_number(std::string_view text, Number& number, int base = 10) {
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
}

bool integer_cell(std::string_view text, Cell& cell) {
  cell.kind = Kind::kInteger;
  const std::string word = upper(text);
  if (word == "TRUE" || word == "FALSE") {
    cell.i64 = word == "TRUE" ? 1 : 0;
    return true;
  }
  if (text.starts_with('+')) text.remove_prefix(1);
  if (parse_number(text, cell.i64)) return true;
  uint64_t large = 0;
  cell.is_unsigned = true;
  const bool known = parse_number(text, large);
  cell.i64 = static_cast<int64_t>(large);
  return known;
}

/// 101 or b'101'.
bool bits_cell(std::string_view text, Cell& cell) {
  const std::string word = upper(text);
  if (word == "TRUE" || word == "FALSE") text = word == "TRUE" ? "1" : "0";
  if (text.size() > 2 && (text[0] == 'b' || text[0] == 'B') && text[1] == '\'') text = text.substr(2, text.size() - 3);
  uint64_t bits = 0;
  cell.kind = Kind::kBits;
  const bool known = parse_number(text, bits, 2);
  cell.i64 = static_cast<int64_t>(bits);
  return known;
}

bool is_now(std::string_view text) {
  const std::string word = upper(text);
  return word.starts_with("CURRENT_TIMESTAMP") || word.starts_with("NOW(") || word.starts_with("LOCALTIME");
}

/// Now is not known when a schema is made: Debezium's word for it is the epoch.
bool reading_cell(std::string_view text, Kind kind, Cell& cell) {
  cell.kind = kind;
  cell.time = {};
  if (is_now(text)) text = "1970-01-01";
  return text == "0" || parse_date_time(text, cell.time);
}

bool timestamp_cell(std::string_view text, Cell& cell) {
  Cell reading;
  if (!reading_cell(text, Kind::kDateTime, reading)) return false;
  cell.kind = Kind::kTimestamp;
  cell.i64 = is_calendar_date(reading.time) ? epoch_micros_of(reading.time) : 0;
  cell.snapshot = cell.i64 == 0;  // Debezium pads a literal to the column's digits, but not the epoch
  return true;
}

bool duration_cell(std::string_view text, Cell& cell) {
  cell.kind = Kind::kTime;
  if (const size_t blank = text.find(' '); blank != text.npos) text = text.substr(blank + 1);
  return parse_duration(text, cell.i64);
}

bool float_cell(std::string_view text, Cell& cell) {
  cell.kind = Kind::kDouble;
  return parse_double(text, cell.f64);
}

bool decimal_cell(std::string_view text, int16_t scale, Cell& cell) {
  char room[kDecimalBytesMax];
  cell.kind = Kind::kDecimal;
  cell.scale = scale;
  __int128 unscaled = 0;
  if (parse_decimal(text, scale, unscaled)) {
    cell.i128 = unscaled;
    return true;
  }
  cell.kind = Kind::kDecimalText;
  cell.bytes = text.data();
  cell.size = static_cast<uint32_t>(text.size());
  return decimal_bytes(text, 0, room) > 0;
}

bool text_cell(std::string_view text, Kind kind, Cell& cell) {
  cell.kind = kind;
  cell.bytes = text.data() == nullptr ? "" : text.data();
  cell.size = static_cast<uint32_t>(text.size());
  return true;
}

/// The default must outlive the definition it was read from.
void keep_default(const mr_value& value, std::shared_ptr<ByteArena> arena, SchemaSpec& schema) {
  if (value.kind == MR_NULL) return;
  mr_value kept = value;
  if (kept.kind == MR_STRING || kept.kind == MR_BYTES || kept.kind == MR_DECIMAL) {
    const std::string_view copy = arena->copy({value.u.bytes, value.size});
    kept.u.bytes = copy.data() == nullptr ? "" : copy.data();
  }
  schema.default_value = kept;
  schema.default_content = std::move(arena);
}

}  // namespace

bool cell_of_literal(const Plan& plan, std::string_view text, Cell& cell) {
  cell = {};
  cell.snapshot = true;
  const std::string_view word = trimmed(text);
  switch (plan.type.family) {
    case Family::kBoolean:
    case Family::kTinyInt:
    case Family::kSmallInt:
    case Family::kMediumInt:
    case Family::kInt:
    case Family::kBigInt:
    case Family::kYear:
      return integer_cell(word, cell);
    case Family::kFloat:
    case Family::kDouble:
      return float_cell(word, cell);
    case Family::kDecimal:
      return decimal_cell(word, plan.scale, cell);
    case Family::kBit:
      return bits_cell(word, cell);
    case Family::kDate:
      return reading_cell(word, Kind::kDate, cell);
    case Family::kDateTime:
      return reading_cell(word, Kind::kDateTime, cell);
    case Family::kTimestamp:
      return timestamp_cell(word, cell);
    case Family::kTime:
      return duration_cell(word, cell);
    case Family::kBinary:
      return text_cell(text, Kind::kBytes, cell);
    case Family::kText:
    case Family::kEnum:
    case Family::kSet:
    case Family::kJson:
    case Family::kInet4:
    case Family::kInet6:
      return text_cell(text, Kind::kText, cell);
    // Debezium has no defaults of these.
    case Family::kUuid:
    case Family::kPoint:
    case Family::kGeometry:
    case Family::kVector:
      return false;
  }
  return false;
}

bool convert_odd(const Plan& plan, const Cell& cell, ByteArena& arena, mr_value& out) {
  Cell read;
  if (cell.kind == Kind::kInteger) {
    char digits[24];
    const auto end = cell.is_unsigned ? std::to_chars(digits, digits + sizeof(digits), static_cast<uint64_t>(cell.i64))
                                      : std::to_chars(digits, digits + sizeof(digits), cell.i64);
    return cell_of_literal(plan, {digits, static_cast<size_t>(end.ptr - digits)}, read) &&
           read.kind != Kind::kInteger && plan.convert(plan, read, arena, out);
  }
  if (cell.kind != Kind::kText && cell.kind != Kind::kBytes) return false;
  const bool known = cell_of_literal(plan, cell.text(), read) && read.kind != cell.kind;
  read.snapshot = cell.snapshot;
  return known && plan.convert(plan, read, arena, out);
}

void set_default(const ColumnDefinition& column, Plan& plan) {
  if (!column.has_default) return;
  if (plan.default_is_zero_value) return keep_default(plan.zero_value, std::make_shared<ByteArena>(), plan.schema);
  if (!column.default_expression) return;
  Cell cell;
  if (!cell_of_literal(plan, *column.default_expression, cell)) return;
  // Debezium clamps where the values themselves wrap around.
  const bool clamps = cell.kind == Kind::kInteger && cell.is_unsigned && plan.schema.type == MR_INT64;
  if (clamps) cell.i64 = std::numeric_limits<int64_t>::max();
  auto arena = std::make_shared<ByteArena>();
  mr_value value{};
  if (plan.convert(plan, cell, *arena, value)) keep_default(value, std::move(arena), plan.schema);
}

}  // namespace millrace::mariadb
