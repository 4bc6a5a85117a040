#include "transforms/big_decimal.h"

#include <limits>

#include "core/java_text.h"

namespace millrace::smt {

std::optional<BigDecimal> parse_big_decimal(std::string_view text) {
  BigDecimal number;
  if (text.starts_with('-') || text.starts_with('+')) {
    number.negative = text.front() == '-';
    text.remove_prefix(1);
  }
  const size_t exponent_at = text.find_first_of("eE");
  int64_t exponent = 0;
  if (exponent_at != std::string_view::npos) {
    const auto parsed = parse_java_integer(text.substr(exponent_at + 1), std::numeric_limits<int32_t>::min(),
                                           std::numeric_limits<int32_t>::max());
    if (!parsed) return std::nullopt;
    exponent = *parsed;
    text = text.substr(0, exponent_at);
  }
  int64_t fraction = 0;
  bool point = false;
  for (const char c : text) {
    if (c == '.' && !point) {
      point = true;
    } else if (c >= '0' && c <= '9') {
      number.digits += c;
      fraction += point ? 1 : 0;
    } else {
      return std::nullopt;
    }
  }
  const int64_t scale = fraction - exponent;
  if (number.digits.empty() || scale != static_cast<int32_t>(scale)) return std::nullopt;
  number.scale = static_cast<int32_t>(scale);
  return number;
}

int64_t long_value(const BigDecimal& number) {
  uint64_t bits = 0;
  const auto whole = static_cast<int64_t>(number.digits.size()) - number.scale;
  for (int64_t i = 0; i < static_cast<int64_t>(number.digits.size()) && i < whole; ++i)
    bits = bits * 10 + static_cast<uint64_t>(number.digits[static_cast<size_t>(i)] - '0');
  // 10^64 is a multiple of 2^64, so more zeros leave no bits.
  for (int32_t i = number.scale; i < 0 && bits != 0; ++i) bits *= 10;
  return static_cast<int64_t>(number.negative ? 0 - bits : bits);
}

}  // namespace millrace::smt
