#include "converters/values_literals.h"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>

#include "converters/civil_date.h"
#include "converters/json_text.h"

namespace millrace {
namespace {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The parts of a date or time, one after the other.
class Parts {
 public:
  explicit Parts(std::string_view text) : text_(text) {}

  bool number(int64_t& out) {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
    const char* const begin = text_.data() + at_;
    const char* const end = text_.data() + text_.size();
    if (begin == end || !is_digit(*begin)) return false;
    const auto read = std::from_chars(begin, end, out);
    at_ += static_cast<size_t>(read.ptr - begin);
    return read.ec == std::errc();
  }
  bool literal(char c) { return at_ < text_.size() && text_[at_++] == c; }

 private:
  std::string_view text_;
  size_t at_ = 0;
};

bool read_date(Parts& parts, int64_t& days) {
  int64_t year = 0, month = 0, day = 0;
  if (!parts.number(year) || !parts.literal('-') || !parts.number(month) || !parts.literal('-') || !parts.number(day))
    return false;
  year += floor_div(month - 1, 12);
  month = month - 1 - floor_div(month - 1, 12) * 12 + 1;
  constexpr int64_t kReformYear = 1582, kFirstGregorianDay = -141427;
  days = days_from_civil(year, month, day);
  if (year < kReformYear || (year == kReformYear && days < kFirstGregorianDay))
    days = days_from_julian(year, month, day);
  return true;
}

bool read_time(Parts& parts, int64_t& ms) {
  int64_t hour = 0, minute = 0, second = 0, fraction = 0;
  if (!parts.number(hour) || !parts.literal(':') || !parts.number(minute) || !parts.literal(':') ||
      !parts.number(second) || !parts.literal('.') || !parts.number(fraction) || !parts.literal('Z')) {
    return false;
  }
  ms = ((hour * 60 + minute) * 60 + second) * 1000 + fraction;
  return true;
}

struct Decimal {
  bool negative = false;
  std::string digits;  ///< without leading zeros; empty for 0
  int64_t scale = 0;
};

bool read_exponent(std::string_view text, int64_t& exponent) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || !is_digit(text.front())) return false;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), exponent);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size() || exponent > std::numeric_limits<int32_t>::max())
    return false;
  if (negative) exponent = -exponent;
  return true;
}

std::optional<Decimal> read_decimal(std::string_view text) {
  Decimal decimal;
  decimal.negative = text.starts_with('-');
  if (decimal.negative || text.starts_with('+')) text.remove_prefix(1);
  bool any = false, point = false;
  size_t at = 0;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '.' && !point) {
      point = true;
    } else if (is_digit(c)) {
      any = true;
      if (point) ++decimal.scale;
      if (c != '0' || !decimal.digits.empty()) decimal.digits += c;
    } else {
      break;
    }
  }
  if (!any || at > kValuesDigitsMax) return std::nullopt;
  if (at == text.size()) return decimal;
  int64_t exponent = 0;
  if ((text[at] != 'e' && text[at] != 'E') || !read_exponent(text.substr(at + 1), exponent)) return std::nullopt;
  decimal.scale -= exponent;
  return decimal;
}

/// The number if it is whole and has at most 64 bits.
std::optional<int64_t> whole(const Decimal& decimal) {
  if (decimal.digits.empty()) return 0;
  const size_t significant = decimal.digits.find_last_not_of('0') + 1;
  const int64_t zeros = static_cast<int64_t>(decimal.digits.size() - significant) - decimal.scale;
  if (zeros < 0 || zeros + static_cast<int64_t>(significant) > std::numeric_limits<int64_t>::digits10 + 1)
    return std::nullopt;
  std::string text(decimal.negative ? "-" : "");
  text.append(decimal.digits, 0, significant).append(static_cast<size_t>(zeros), '0');
  int64_t number = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), number).ec != std::errc()) return std::nullopt;
  return number;
}

ParsedText integer(int64_t number) {
  const auto fits = [number]<class T>(T) {
    return number >= std::numeric_limits<T>::min() && number <= std::numeric_limits<T>::max();
  };
  const Type type = fits(int8_t{})    ? Type::kInt8
                    : fits(int16_t{}) ? Type::kInt16
                    : fits(int32_t{}) ? Type::kInt32
                                      : Type::kInt64;
  return {plain_schema(type).get(), scalar(static_cast<mr_kind>(type), number)};
}

/// Nothing beyond the type's range; what is too small is zero.
template <class Float>
std::optional<double> floating_of(const Decimal& decimal) {
  const std::string text = (decimal.negative ? "-" : "") + decimal.digits + "e" + std::to_string(-decimal.scale);
  Float number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec == std::errc::result_out_of_range) {
    if (static_cast<int64_t>(decimal.digits.size()) > decimal.scale) return std::nullopt;
    return decimal.negative ? -0.0 : 0.0;
  }
  if (read.ec != std::errc() || std::isinf(number)) return std::nullopt;
  return static_cast<double>(number);
}

}  // namespace

std::optional<ParsedText> parse_temporal(std::string_view token, const SchemaPool& schemas) {
  std::array<char, 24> buffer;
  size_t size = 0;
  for (size_t i = 0; i < token.size(); ++i) {
    if (token[i] == '\\' && i + 1 < token.size() && token[i + 1] == ':') continue;
    if (size == buffer.size()) return std::nullopt;
    buffer[size++] = token[i];
  }
  Parts parts(std::string_view(buffer.data(), size));
  int64_t days = 0, ms = 0;
  switch (size) {
    case 10:
      if (!read_date(parts, days)) return std::nullopt;
      return ParsedText{schemas.date(), scalar(MR_INT32, days)};
    case 13:
      if (!read_time(parts, ms)) return std::nullopt;
      return ParsedText{schemas.time(), scalar(ms < kDayMs ? MR_INT32 : MR_TIMESTAMP, ms)};
    case 24:
      if (!read_date(parts, days) || !parts.literal('T') || !read_time(parts, ms)) return std::nullopt;
      return ParsedText{schemas.timestamp(), scalar(MR_INT64, days * kDayMs + ms)};
    default:
      return std::nullopt;
  }
}

std::optional<ParsedText> parse_number(std::string_view token, SchemaPool& schemas, Arena& arena) {
  const auto decimal = read_decimal(token);
  if (!decimal) return std::nullopt;
  if (const auto number = whole(*decimal)) return integer(*number);
  if (decimal->scale != 0) {  // a whole number that outgrew 64 bits must not lose digits, the others may
    if (const auto number = floating_of<float>(*decimal))
      return ParsedText{plain_schema(Type::kFloat32).get(), floating(MR_FLOAT32, *number)};
    if (const auto number = floating_of<double>(*decimal))
      return ParsedText{plain_schema(Type::kFloat64).get(), floating(MR_FLOAT64, *number)};
  }
  if (decimal->scale < std::numeric_limits<int16_t>::min() || decimal->scale > std::numeric_limits<int16_t>::max())
    return std::nullopt;
  const auto scale = static_cast<int16_t>(decimal->scale);
  const std::string_view unscaled = unscaled_of(decimal->digits, decimal->negative, arena);
  return ParsedText{schemas.keep(decimal_schema(scale)->parts()), bytes_value(MR_DECIMAL, unscaled, scale)};
}

}  // namespace millrace
