/// Decimal numbers between text and Connect's form: the unscaled value as big-endian two's complement bytes.
/// Threads: any. No allocation.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace millrace::jdbc {

inline constexpr size_t kDecimalBytesMax = 40;  ///< 65 + 30 digits need fewer than 320 bits
inline constexpr size_t kDecimalTextMax = 512;

/// The unscaled value of "-12.340" at `scale` (missing digits are zeros, further ones are dropped), as short as
/// possible. Returns the number of bytes.
size_t decimal_bytes(std::string_view text, int scale, std::array<char, kDecimalBytesMax>& out);

/// Plain decimal text of an unscaled value; `out` must have kDecimalTextMax bytes. Returns its length, 0 if it does not
/// fit.
size_t decimal_text(std::string_view unscaled, int scale, std::span<char> out);

/// Why decimal_text() did not take a value.
std::string decimal_refusal(std::string_view unscaled, int scale);

}  // namespace millrace::jdbc
