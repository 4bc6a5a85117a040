#include "connectors/mariadb/types/decimal_value.h"

#include <array>
#include <bit>
#include <charconv>
#include <cstring>

namespace millrace::mariadb {
namespace {

using UInt128 = unsigned __int128;

/// Walks the digits of "-123.45" as those of the unscaled number at `scale`; false if the text is no number.
template <class Digit>
bool each_digit(std::string_view text, int scale, bool& negative, Digit digit) {
  negative = !text.empty() && text.front() == '-';
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
  const size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  const std::string_view fraction = point == text.npos ? std::string_view() : text.substr(point + 1);
  if (whole.empty() && fraction.empty()) return false;
  for (const char c : whole) {
    if (c < '0' || c > '9') return false;
    if (!digit(static_cast<uint32_t>(c - '0'))) return false;
  }
  for (size_t i = 0; i < fraction.size(); ++i)
    if (fraction[i] < '0' || fraction[i] > '9') return false;
  for (int i = 0; i < scale; ++i) {
    const auto at = static_cast<size_t>(i);
    if (!digit(at < fraction.size() ? static_cast<uint32_t>(fraction[at] - '0') : 0)) return false;
  }
  return true;
}

}  // namespace

size_t decimal_bytes(__int128 unscaled, char* out) {
  if (unscaled >= INT64_MIN && unscaled <= INT64_MAX) {
    const auto number = static_cast<int64_t>(unscaled);
    const auto significant = static_cast<uint64_t>(number ^ (number >> 63));
    const auto size = static_cast<size_t>((64 - std::countl_zero(significant)) / 8 + 1);
    const uint64_t big_endian = __builtin_bswap64(static_cast<uint64_t>(number) << (64 - 8 * size));
    std::memcpy(out, &big_endian, 8);
    return size;
  }
  char all[16];
  for (int i = 0; i < 16; ++i) all[i] = static_cast<char>(static_cast<UInt128>(unscaled) >> (120 - 8 * i));
  const char sign = unscaled < 0 ? '\xff' : '\0';
  size_t skip = 0;
  while (skip < 15 && all[skip] == sign && ((all[skip + 1] ^ sign) & 0x80) == 0) ++skip;
  std::memcpy(out, all + skip, 16 - skip);
  return 16 - skip;
}

size_t decimal_bytes(std::string_view text, int scale, char* out) {
  std::array<uint32_t, kDecimalBytesMax / 4> limbs{};  // little-endian
  bool negative = false;
  const bool number = each_digit(text, scale, negative, [&](uint32_t digit) {
    uint64_t carry = digit;
    for (uint32_t& limb : limbs) {
      carry += uint64_t{limb} * 10;
      limb = static_cast<uint32_t>(carry);
      carry >>= 32;
    }
    return carry == 0 && (limbs.back() >> 31) == 0;
  });
  if (!number) return 0;
  if (negative) {
    uint64_t carry = 1;
    for (uint32_t& limb : limbs) {
      carry += static_cast<uint32_t>(~limb);
      limb = static_cast<uint32_t>(carry);
      carry >>= 32;
    }
  }
  char all[kDecimalBytesMax];
  for (size_t i = 0; i < sizeof(all); ++i)
    all[i] = static_cast<char>(limbs[(sizeof(all) - 1 - i) / 4] >> ((sizeof(all) - 1 - i) % 4 * 8));
  const char sign = (all[0] & 0x80) != 0 ? '\xff' : '\0';
  size_t skip = 0;
  while (skip + 1 < sizeof(all) && all[skip] == sign && ((all[skip + 1] ^ sign) & 0x80) == 0) ++skip;
  std::memcpy(out, all + skip, sizeof(all) - skip);
  return sizeof(all) - skip;
}

size_t decimal_text(__int128 unscaled, int scale, char* out) {
  char reversed[48];
  int digits = 0;
  UInt128 rest = unscaled < 0 ? -static_cast<UInt128>(unscaled) : static_cast<UInt128>(unscaled);
  while (rest > UINT64_MAX) {
    reversed[digits++] = static_cast<char>('0' + static_cast<int>(rest % 10));
    rest /= 10;
  }
  for (auto low = static_cast<uint64_t>(rest); low != 0; low /= 10)
    reversed[digits++] = static_cast<char>('0' + low % 10);
  while (digits <= scale) reversed[digits++] = '0';
  char* at = out;
  if (unscaled < 0) *at++ = '-';
  while (digits > 0) {
    if (digits == scale) *at++ = '.';
    *at++ = reversed[--digits];
  }
  return static_cast<size_t>(at - out);
}

double decimal_double(__int128 unscaled, int scale) {
  static constexpr double kPowers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                       1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  constexpr int64_t kExact = int64_t{1} << 53;
  // Both are exact doubles, so that the division rounds once.
  if (scale <= 22 && unscaled <= kExact && unscaled >= -kExact)
    return static_cast<double>(static_cast<int64_t>(unscaled)) / kPowers[scale];
  char text[kDecimalTextMax];
  double number = 0;
  parse_double({text, decimal_text(unscaled, scale, text)}, number);
  return number;
}

bool parse_decimal(std::string_view text, int scale, __int128& unscaled) {
  UInt128 number = 0;
  constexpr UInt128 kMax = (~UInt128{0} >> 1) / 10 - 1;
  bool negative = false;
  const bool fits = each_digit(text, scale, negative, [&](uint32_t digit) {
    if (number > kMax) return false;
    number = number * 10 + digit;
    return true;
  });
  if (!fits) return false;
  unscaled = negative ? -static_cast<__int128>(number) : static_cast<__int128>(number);
  return true;
}

bool parse_double(std::string_view text, double& number) {
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
}

}  // namespace millrace::mariadb
