/// Decimal numbers of any length, as far as casts and masks need java.math.BigDecimal.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::smt {

/// digits * 10^-scale.
struct BigDecimal {
  bool negative = false;
  std::string digits;  ///< at least one
  int32_t scale = 0;
};

/// `new BigDecimal(text)`: sign, digits, point, exponent; no blanks. Nothing if malformed.
std::optional<BigDecimal> parse_big_decimal(std::string_view text);
/// longValue(): without the fraction, the low 64 bits of what is left.
int64_t long_value(const BigDecimal& number);

}  // namespace millrace::smt
