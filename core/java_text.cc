#include "core/java_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace millrace {
namespace {

char* put(char* to, std::string_view text) {
  std::memcpy(to, text.data(), text.size());
  return to + text.size();
}

/// Lays the digits of `scientific` (d[.ddd]e±xx, as std::to_chars writes it) out in Java's form.
char* lay_out(char* to, const char* scientific, const char* end) {
  char digits[24];
  size_t count = 0;
  const char* at = scientific;
  for (; at != end && *at != 'e'; ++at) {
    if (*at != '.') digits[count++] = *at;
  }
  ++at;
  const bool negative_exponent = *at++ == '-';
  int exponent = 0;
  for (; at != end; ++at) exponent = exponent * 10 + (*at - '0');
  if (negative_exponent) exponent = -exponent;

  if (exponent >= -3 && exponent < 7) {
    if (exponent < 0) {
      to = put(to, "0.");
      for (int i = -1; i > exponent; --i) *to++ = '0';
      return put(to, {digits, count});
    }
    const auto whole = static_cast<size_t>(exponent) + 1;
    for (size_t i = 0; i < whole; ++i) *to++ = i < count ? digits[i] : '0';
    *to++ = '.';
    if (count <= whole) *to++ = '0';
    return count > whole ? put(to, {digits + whole, count - whole}) : to;
  }
  *to++ = digits[0];
  *to++ = '.';
  to = count > 1 ? put(to, {digits + 1, count - 1}) : put(to, "0");
  *to++ = 'E';
  return std::to_chars(to, to + 6, exponent).ptr;
}

template <class T>
char* write_number(char* to, T number) {
  if (std::isnan(number)) return put(to, "NaN");
  if (std::signbit(number)) *to++ = '-';
  number = std::abs(number);
  if (std::isinf(number)) return put(to, "Infinity");
  if (number == 0) return put(to, "0.0");
  char scientific[40];
  const auto result = std::to_chars(scientific, scientific + sizeof scientific, number, std::chars_format::scientific);
  return lay_out(to, scientific, result.ptr);
}

/// Decimal digits of a big-endian two's complement number; sets `negative`. Divides by 10^9 in place.
std::string decimal_digits(std::string_view unscaled, bool& negative) {
  negative = !unscaled.empty() && (static_cast<uint8_t>(unscaled[0]) & 0x80) != 0;
  if (unscaled.size() <= 8) {
    int64_t number = negative ? -1 : 0;
    for (const char byte : unscaled)
      number = static_cast<int64_t>(static_cast<uint64_t>(number) << 8 | static_cast<uint8_t>(byte));
    char text[24];
    const uint64_t magnitude = negative ? 0 - static_cast<uint64_t>(number) : static_cast<uint64_t>(number);
    return {text, std::to_chars(text, text + sizeof text, magnitude).ptr};
  }
  std::vector<uint32_t> words((unscaled.size() + 3) / 4, 0);  // least significant first
  for (size_t i = 0; i < words.size() * 4; ++i) {
    uint8_t byte =
        i < unscaled.size() ? static_cast<uint8_t>(unscaled[unscaled.size() - 1 - i]) : (negative ? 0xFF : 0);
    if (negative) byte = static_cast<uint8_t>(~byte);
    words[i / 4] |= static_cast<uint32_t>(byte) << (8 * (i % 4));
  }
  for (size_t i = 0; negative && i < words.size() && ++words[i] == 0; ++i) {
  }
  std::string reversed;
  while (!words.empty()) {
    uint64_t rest = 0;
    for (size_t i = words.size(); i-- > 0;) {
      rest = rest << 32 | words[i];
      words[i] = static_cast<uint32_t>(rest / 1'000'000'000);
      rest %= 1'000'000'000;
    }
    while (!words.empty() && words.back() == 0) words.pop_back();
    for (int digit = 0; digit < 9 && (rest != 0 || !words.empty()); ++digit, rest /= 10) {
      reversed += static_cast<char>('0' + rest % 10);
    }
  }
  if (reversed.empty()) reversed = "0";
  return {reversed.rbegin(), reversed.rend()};
}

/// The digit zero of Unicode's decimal scripts in the Basic Multilingual Plane; nine more follow each.
constexpr uint32_t kZeroDigits[] = {0x0030, 0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6,
                                    0x0C66, 0x0CE6, 0x0D66, 0x0DE6, 0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0,
                                    0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620,
                                    0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10};

/// Takes one digit off the front of `text`; -1 when there is none.
int take_digit(std::string_view& text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  uint32_t point = byte(0);
  size_t size = 1;
  if (point >= 0xC2 && point < 0xE0 && text.size() >= 2) {
    point = (point & 0x1FU) << 6 | (byte(1) & 0x3FU);
    size = 2;
  } else if (point >= 0xE0 && point < 0xF0 && text.size() >= 3) {
    point = (point & 0x0FU) << 12 | (byte(1) & 0x3FU) << 6 | (byte(2) & 0x3FU);
    size = 3;
  }
  for (const uint32_t zero : kZeroDigits) {
    if (point >= zero && point <= zero + 9) {
      text.remove_prefix(size);
      return static_cast<int>(point - zero);
    }
  }
  return -1;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex_digit(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

/// Whether `text` (no sign, no suffix) is a number in Java's grammar, decimal or hexadecimal.
bool is_java_floating(std::string_view text) {
  const bool hex = text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
  if (hex) text.remove_prefix(2);
  size_t at = 0, digits = 0;
  const auto take_digits = [&](auto is) {
    for (; at < text.size() && is(text[at]); ++at) ++digits;
  };
  take_digits(hex ? is_hex_digit : is_digit);
  if (at < text.size() && text[at] == '.') {
    ++at;
    take_digits(hex ? is_hex_digit : is_digit);
  }
  if (digits == 0) return false;
  const char marker = hex ? 'p' : 'e';
  if (at == text.size()) return !hex;
  if ((text[at] | 0x20) != marker) return false;
  ++at;
  if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
  digits = 0;
  take_digits(is_digit);
  return digits > 0 && at == text.size();
}

}  // namespace

char* write_java_double(char* to, double number) { return write_number(to, number); }
char* write_java_float(char* to, float number) { return write_number(to, number); }

std::string java_double_text(double number) {
  char text[kJavaNumberBytesMax];
  return {text, write_java_double(text, number)};
}

std::string java_float_text(float number) {
  char text[kJavaNumberBytesMax];
  return {text, write_java_float(text, number)};
}

void append_java_decimal(std::string& out, std::string_view unscaled, int scale) {
  bool negative = false;
  const std::string digits = decimal_digits(unscaled, negative);
  if (negative) out += '-';
  if (scale == 0) {
    out += digits;
    return;
  }
  const int64_t adjusted = static_cast<int64_t>(digits.size()) - 1 - scale;
  if (scale > 0 && adjusted >= -6) {
    const auto fraction = static_cast<size_t>(scale);
    if (digits.size() > fraction) {
      out.append(digits, 0, digits.size() - fraction);
      out += '.';
      out.append(digits, digits.size() - fraction);
    } else {
      out += "0.";
      out.append(fraction - digits.size(), '0');
      out += digits;
    }
    return;
  }
  out += digits[0];
  if (digits.size() > 1) {
    out += '.';
    out.append(digits, 1);
  }
  if (adjusted != 0) {
    out += 'E';
    if (adjusted > 0) out += '+';
    out += std::to_string(adjusted);
  }
}

std::string_view java_trim(std::string_view text) {
  while (!text.empty() && static_cast<uint8_t>(text.front()) <= ' ') text.remove_prefix(1);
  while (!text.empty() && static_cast<uint8_t>(text.back()) <= ' ') text.remove_suffix(1);
  return text;
}

std::optional<int64_t> parse_java_integer(std::string_view text, int64_t min, int64_t max) {
  bool negative = false;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  if (text.empty()) return std::nullopt;
  __int128 number = 0;
  while (!text.empty()) {
    const int digit = take_digit(text);
    if (digit < 0) return std::nullopt;
    number = number * 10 + digit;
    if (number > static_cast<__int128>(INT64_MAX) + 1) return std::nullopt;
  }
  if (negative) number = -number;
  if (number < min || number > max) return std::nullopt;
  return static_cast<int64_t>(number);
}

std::optional<double> parse_java_double(std::string_view text) {
  text = java_trim(text);
  bool negative = false;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  const auto with_sign = [&](double number) { return negative ? -number : number; };
  if (text == "NaN") return std::nan("");
  if (text == "Infinity") return with_sign(HUGE_VAL);
  const bool hex = text.size() > 2 && text[0] == '0' && (text[1] | 0x20) == 'x';
  if (!text.empty() && std::string_view("dDfF").find(text.back()) != std::string_view::npos &&
      (!hex || text.find_first_of("pP") != std::string_view::npos)) {
    text.remove_suffix(1);
  }
  if (!is_java_floating(text)) return std::nullopt;
  return with_sign(std::strtod(std::string(text).c_str(), nullptr));
}

}  // namespace millrace
