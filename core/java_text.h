/// Numbers as Java writes and reads them. Kafka Connect's records, settings and messages carry Java's forms (1.0E7,
/// 100.0, NaN), so whoever prints or parses a number that a user or another program sees goes through here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace millrace {

inline constexpr size_t kJavaNumberBytesMax = 32;

/// Double.toString / Float.toString into `to` (kJavaNumberBytesMax bytes of room); returns the end. Shortest digits.
char* write_java_double(char* to, double number);
char* write_java_float(char* to, float number);
std::string java_double_text(double number);
std::string java_float_text(float number);

/// BigDecimal.toString of an unscaled big-endian two's complement number, for example 1.50, 1E+3, -1E-8. Appends.
void append_java_decimal(std::string& out, std::string_view unscaled, int scale);

/// String.trim: without characters up to U+0020 at both ends.
std::string_view java_trim(std::string_view text);

/// Long.parseLong and its smaller kin: sign, decimal digits of any script, no blanks. Nothing if malformed or outside.
std::optional<int64_t> parse_java_integer(std::string_view text, int64_t min, int64_t max);

/// Double.parseDouble: outer blanks, NaN, Infinity, hexadecimal floats and a suffix d or f are fine. Nothing if
/// malformed.
std::optional<double> parse_java_double(std::string_view text);

}  // namespace millrace
