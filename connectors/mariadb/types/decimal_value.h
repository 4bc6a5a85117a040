/// Decimal numbers of cells in the three forms that decimal.handling.mode offers. Pure; nothing allocates.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace millrace::mariadb {

inline constexpr size_t kDecimalBytesMax = 48;  ///< 65 digits and 38 more of a changed scale need fewer than 384 bits
inline constexpr size_t kDecimalTextMax = 128;

/// Big-endian two's complement, as short as it can be. `out` has kDecimalBytesMax bytes; returns how many are used.
size_t decimal_bytes(__int128 unscaled, char* out);
/// The same of text ("-123.45") at `scale`: missing digits are zeros, further ones are dropped. 0 = not a number.
size_t decimal_bytes(std::string_view text, int scale, char* out);
/// "-123.45" with all `scale` digits. `out` has kDecimalTextMax bytes; returns the length.
size_t decimal_text(__int128 unscaled, int scale, char* out);
/// The nearest double, rounded once.
double decimal_double(__int128 unscaled, int scale);

/// "-123.45" to an unscaled value at `scale`; false if it is no number or has more than 38 digits.
bool parse_decimal(std::string_view text, int scale, __int128& unscaled);
/// Text in plain or scientific notation to the nearest double, in any locale.
bool parse_double(std::string_view text, double& number);

}  // namespace millrace::mariadb
