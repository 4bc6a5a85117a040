#include "connectors/mariadb/snapshot/field_reader.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "connectors/mariadb/snapshot/cell_text.h"
#include "connectors/mariadb/snapshot/snapshot_reader.h"
#include "connectors/mariadb/sql/connection.h"

namespace millrace::mariadb {
namespace {

using Kind = Cell::Kind;

/// The first word of a type: "BIGINT UNSIGNED" → "BIGINT", "DECIMAL(10,2)" → "DECIMAL".
std::string_view first_word(std::string_view type) {
  return type.substr(0, std::min(type.find_first_of(" ("), type.size()));
}

struct TypeName {
  std::string_view name;
  Kind kind;
};
constexpr auto kTypeNames = std::to_array<TypeName>({
    {"TINYINT", Kind::kInteger},
    {"SMALLINT", Kind::kInteger},
    {"MEDIUMINT", Kind::kInteger},
    {"INT", Kind::kInteger},
    {"INTEGER", Kind::kInteger},
    {"BIGINT", Kind::kInteger},
    {"BOOL", Kind::kInteger},
    {"BOOLEAN", Kind::kInteger},
    {"SERIAL", Kind::kInteger},
    {"INT1", Kind::kInteger},
    {"INT2", Kind::kInteger},
    {"INT3", Kind::kInteger},
    {"INT4", Kind::kInteger},
    {"INT8", Kind::kInteger},
    {"MIDDLEINT", Kind::kInteger},
    {"FLOAT", Kind::kFloat},
    {"FLOAT4", Kind::kFloat},
    {"DOUBLE", Kind::kDouble},
    {"FLOAT8", Kind::kDouble},
    {"REAL", Kind::kDouble},
    {"DECIMAL", Kind::kDecimal},
    {"NUMERIC", Kind::kDecimal},
    {"DEC", Kind::kDecimal},
    {"FIXED", Kind::kDecimal},
    {"NUMBER", Kind::kDecimal},
    {"BIT", Kind::kBits},
    {"DATE", Kind::kDate},
    {"DATETIME", Kind::kDateTime},
    {"TIMESTAMP", Kind::kTimestamp},
    {"TIME", Kind::kTime},
    {"YEAR", Kind::kYear},
    {"ENUM", Kind::kEnum},
    {"SET", Kind::kSet},
    {"BINARY", Kind::kBytes},
    {"VARBINARY", Kind::kBytes},
    {"TINYBLOB", Kind::kBytes},
    {"BLOB", Kind::kBytes},
    {"MEDIUMBLOB", Kind::kBytes},
    {"LONGBLOB", Kind::kBytes},
    {"RAW", Kind::kBytes},
    {"GEOMETRY", Kind::kBytes},
    {"POINT", Kind::kBytes},
    {"LINESTRING", Kind::kBytes},
    {"POLYGON", Kind::kBytes},
    {"MULTIPOINT", Kind::kBytes},
    {"MULTILINESTRING", Kind::kBytes},
    {"MULTIPOLYGON", Kind::kBytes},
    {"GEOMETRYCOLLECTION", Kind::kBytes},
    {"GEOMCOLLECTION", Kind::kBytes},
    {"VECTOR", Kind::kBytes},
});

bool is_unsigned_type(std::string_view type) {
  return type.find("UNSIGNED") != type.npos || type.find("ZEROFILL") != type.npos || type.starts_with("SERIAL");
}

/// Digits, ZEROFILL's zeros included.
bool parse_unsigned(std::string_view text, uint64_t& number) {
  number = 0;
  if (text.empty() || text.size() > 255) return false;
  for (const char c : text) {
    const auto digit = static_cast<unsigned>(c - '0');
    if (digit > 9) return false;
    number = number * 10 + digit;
  }
  return true;
}

bool read_integer(const FieldReader&, std::string_view text, Cell& cell) {
  const bool negative = !text.empty() && text.front() == '-';
  uint64_t number = 0;
  if (!parse_unsigned(text.substr(negative ? 1 : 0), number)) return false;
  cell.is_unsigned = false;
  cell.i64 = static_cast<int64_t>(negative ? 0 - number : number);
  return true;
}

bool read_unsigned(const FieldReader&, std::string_view text, Cell& cell) {
  uint64_t number = 0;
  if (!parse_unsigned(text, number)) return false;
  cell.is_unsigned = true;
  cell.i64 = static_cast<int64_t>(number);
  return true;
}

bool read_double(const FieldReader&, std::string_view text, Cell& cell) {
  double number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  cell.f64 = number;
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
}

bool read_float(const FieldReader& reader, std::string_view text, Cell& cell) {
  if (!read_double(reader, text, cell)) return false;
  cell.f64 = static_cast<double>(static_cast<float>(cell.f64));
  return true;
}

bool read_bytes(const FieldReader&, std::string_view text, Cell& cell) {
  cell.bytes = text.data();
  cell.size = static_cast<uint32_t>(text.size());
  return true;
}

bool read_bits(const FieldReader&, std::string_view text, Cell& cell) {
  if (text.size() > 8) return false;
  uint64_t bits = 0;
  for (const char c : text) bits = bits << 8 | static_cast<uint8_t>(c);
  cell.i64 = static_cast<int64_t>(bits);
  return true;
}

/// Reads `digits` digits at `at`; false when there are not so many.
bool take_digits(std::string_view text, size_t& at, size_t digits, unsigned& number) {
  if (text.size() - at < digits) return false;
  number = 0;
  for (const size_t end = at + digits; at < end; ++at) {
    const auto digit = static_cast<unsigned>(text[at] - '0');
    if (digit > 9) return false;
    number = number * 10 + digit;
  }
  return true;
}

/// ".5" → 500000; nothing → 0.
bool take_micros(std::string_view text, size_t& at, uint32_t& micros) {
  micros = 0;
  if (at == text.size()) return true;
  if (text[at++] != '.') return false;
  uint32_t unit = 100'000;
  for (; at < text.size(); ++at, unit /= 10) {
    const auto digit = static_cast<unsigned>(text[at] - '0');
    if (digit > 9) return false;
    micros += digit * unit;
  }
  return true;
}

bool take_separated(std::string_view text, size_t& at, char separator, unsigned& number) {
  return at < text.size() && text[at++] == separator && take_digits(text, at, 2, number);
}

bool parse_date(std::string_view text, size_t& at, WallTime& time) {
  unsigned year = 0, month = 0, day = 0;
  if (!take_digits(text, at, 4, year) || !take_separated(text, at, '-', month) || !take_separated(text, at, '-', day))
    return false;
  time = {};
  time.year = static_cast<uint16_t>(year);
  time.month = static_cast<uint8_t>(month);
  time.day = static_cast<uint8_t>(day);
  return true;
}

bool parse_date_time(std::string_view text, WallTime& time) {
  size_t at = 0;
  if (!parse_date(text, at, time)) return false;
  if (at == text.size()) return true;
  unsigned hour = 0, minute = 0, second = 0;
  if (!take_separated(text, at, ' ', hour) || !take_separated(text, at, ':', minute) ||
      !take_separated(text, at, ':', second) || !take_micros(text, at, time.micros))
    return false;
  time.hour = static_cast<uint8_t>(hour);
  time.minute = static_cast<uint8_t>(minute);
  time.second = static_cast<uint8_t>(second);
  return true;
}

bool read_date(const FieldReader&, std::string_view text, Cell& cell) {
  size_t at = 0;
  return parse_date(text, at, cell.time) && at == text.size();
}

bool read_date_time(const FieldReader&, std::string_view text, Cell& cell) { return parse_date_time(text, cell.time); }

bool read_timestamp(const FieldReader&, std::string_view text, Cell& cell) {
  WallTime time{};
  if (!parse_date_time(text, time)) return false;
  if (time.month == 0) {  // the zero timestamp
    cell.i64 = 0;
    return true;
  }
  const int64_t seconds =
      ((days_since_epoch(time.year, time.month, time.day) * 24 + time.hour) * 60 + time.minute) * 60;
  cell.i64 = (seconds + time.second) * 1'000'000 + time.micros;
  return true;
}

bool read_time(const FieldReader&, std::string_view text, Cell& cell) {
  const bool negative = !text.empty() && text.front() == '-';
  size_t at = negative ? 1 : 0;
  const size_t colon = text.find(':', at);
  if (colon == text.npos || colon - at > 3) return false;
  unsigned hours = 0, minutes = 0, seconds = 0;
  uint32_t micros = 0;
  if (!take_digits(text, at, colon - at, hours) || !take_separated(text, at, ':', minutes) ||
      !take_separated(text, at, ':', seconds) || !take_micros(text, at, micros))
    return false;
  const int64_t total = (int64_t{hours} * 3600 + minutes * 60 + seconds) * 1'000'000 + micros;
  cell.i64 = negative ? -total : total;
  return true;
}

}  // namespace

Cell::Kind cell_kind(const ColumnDefinition& column) {
  const std::string_view name = first_word(column.type_name);
  const auto* known =
      std::find_if(kTypeNames.begin(), kTypeNames.end(), [&](const TypeName& t) { return t.name == name; });
  if (known == kTypeNames.end()) {
    const bool binary = column.charset == "binary" || column.type_name.ends_with(" BYTE") ||
                        column.type_name.find("VARBINARY") != std::string::npos;
    return binary ? Kind::kBytes : Kind::kText;
  }
  // FLOAT(25) and more is a DOUBLE; so is what has 39 digits and more no __int128.
  if (known->kind == Kind::kFloat && !column.scale && column.length.value_or(0) > 24) return Kind::kDouble;
  if (known->kind == Kind::kDecimal && column.length.value_or(10) > 38) return Kind::kDecimalText;
  return known->kind;
}

FieldReader::FieldReader(const ColumnDefinition& column, FieldForm form) : column_(&column), kind_(cell_kind(column)) {
  scale_ = static_cast<int16_t>(column.scale.value_or(0));
  is_unsigned_ = is_unsigned_type(column.type_name);
  const bool numbered = form == FieldForm::kExpression;
  switch (kind_) {
    case Kind::kInteger:
      read_ = is_unsigned_ ? read_unsigned : read_integer;
      return;
    case Kind::kFloat:
      read_ = read_float;
      return;
    case Kind::kDouble:
      read_ = read_double;
      return;
    case Kind::kDecimal:
    case Kind::kDecimalText:
      read_ = &FieldReader::read_decimal;
      return;
    case Kind::kBits:
      read_ = read_bits;
      return;
    case Kind::kDate:
      read_ = read_date;
      return;
    case Kind::kDateTime:
      read_ = read_date_time;
      return;
    case Kind::kTimestamp:
      read_ = read_timestamp;
      return;
    case Kind::kTime:
      read_ = read_time;
      return;
    case Kind::kYear:
      read_ = read_integer;
      return;
    case Kind::kEnum:
      read_ = numbered ? &FieldReader::read_number : &FieldReader::read_label;
      return;
    case Kind::kSet:
      read_ = numbered ? &FieldReader::read_number : &FieldReader::read_labels;
      return;
    default:
      read_ = read_bytes;
      return;
  }
}

bool FieldReader::read_number(const FieldReader&, std::string_view text, Cell& cell) {
  uint64_t number = 0;
  if (!parse_unsigned(text, number)) return false;
  cell.i64 = static_cast<int64_t>(number);
  return true;
}

bool FieldReader::read_label(const FieldReader& reader, std::string_view text, Cell& cell) {
  const auto& labels = reader.column_->enum_values;
  const auto at = std::find(labels.begin(), labels.end(), text);
  cell.i64 = at == labels.end() ? 0 : at - labels.begin() + 1;
  return at != labels.end() || text.empty();
}

bool FieldReader::read_labels(const FieldReader& reader, std::string_view text, Cell& cell) {
  const auto& labels = reader.column_->enum_values;
  uint64_t bits = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t comma = std::min(text.find(',', begin), text.size());
    const auto at = std::find(labels.begin(), labels.end(), text.substr(begin, comma - begin));
    if (at == labels.end()) return false;
    bits |= uint64_t{1} << (at - labels.begin());
    begin = comma + 1;
  }
  cell.i64 = static_cast<int64_t>(bits);
  return true;
}

bool FieldReader::read_decimal(const FieldReader& reader, std::string_view text, Cell& cell) {
  cell.scale = reader.scale_;
  const bool negative = !text.empty() && text.front() == '-';
  const std::string_view digits = text.substr(negative ? 1 : 0);
  size_t leading = 0;  // ZEROFILL's zeros
  while (leading + 1 < digits.size() && digits[leading] == '0' && digits[leading + 1] != '.') ++leading;
  if (reader.kind_ == Kind::kDecimalText) {
    if (leading != 0 && negative) return false;
    cell.bytes = text.data() + leading;
    cell.size = static_cast<uint32_t>(text.size() - leading);
    return !digits.empty();
  }
  __int128 unscaled = 0;
  int decimals = -1;
  for (const char c : digits.substr(leading)) {
    if (c == '.' && decimals < 0) {
      decimals = 0;
      continue;
    }
    const auto digit = static_cast<unsigned>(c - '0');
    if (digit > 9) return false;
    if (decimals >= 0 && decimals++ >= reader.scale_) return false;
    unscaled = unscaled * 10 + static_cast<int>(digit);
  }
  // A SELECT of the user may give fewer decimals than the column has.
  for (int i = std::max(decimals, 0); i < reader.scale_; ++i) unscaled *= 10;
  cell.i128 = negative ? -unscaled : unscaled;
  return !digits.empty() && digits.size() - leading <= 40;
}

Status FieldReader::refused(std::string_view text) const {
  constexpr size_t kShown = 80;
  return {Code::kBadRecord, "column " + column_->name + " (" + column_->type_name + "): the server's text '" +
                                std::string(text.substr(0, kShown)) + (text.size() > kShown ? "…" : "") +
                                "' is not of this type; if it comes from snapshot.select.statement.overrides, correct "
                                "that SELECT"};
}

std::string select_expression(const ColumnDefinition& column) {
  switch (cell_kind(column)) {
    case Kind::kFloat:
      return "CAST(" + mariadb::quoted(column.name) + " AS DOUBLE)";
    case Kind::kEnum:
    case Kind::kSet:
      return "CAST(" + mariadb::quoted(column.name) + " AS UNSIGNED)";
    default:
      return mariadb::quoted(column.name);
  }
}

Status cell_of_text(const ColumnDefinition& column, const char* data, size_t size, Cell& cell) {
  const FieldReader reader(column, FieldForm::kPlain);
  return reader.read(data, size, cell) ? sdk::ok() : reader.refused({data, size});
}

}  // namespace millrace::mariadb
