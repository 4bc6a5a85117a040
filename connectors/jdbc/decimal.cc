#include "connectors/jdbc/decimal.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace millrace::jdbc {
namespace {

constexpr size_t kUnscaledBytesMax = 128;
constexpr int kScaleMin = -100, kScaleMax = 300;

/// Most amounts fit 18 digits; one integer does for them.
size_t pack(int64_t number, std::array<char, kDecimalBytesMax>& out) {
  size_t size = 1;
  while (size < 8 && (number >> (8 * size - 1)) != 0 && (number >> (8 * size - 1)) != -1) ++size;
  for (size_t i = 0; i < size; ++i) out[i] = static_cast<char>(number >> (8 * (size - 1 - i)));
  return size;
}

/// magnitude (big-endian) = magnitude * 10 + digit
void push_digit(std::array<uint8_t, kDecimalBytesMax>& magnitude, uint32_t digit) {
  uint32_t carry = digit;
  for (size_t i = magnitude.size(); i-- > 0;) {
    const uint32_t sum = magnitude[i] * 10U + carry;
    magnitude[i] = static_cast<uint8_t>(sum);
    carry = sum >> 8;
  }
}

void negate(uint8_t* bytes, size_t size) {
  uint32_t carry = 1;
  for (size_t i = size; i-- > 0;) {
    const uint32_t sum = static_cast<uint8_t>(~bytes[i]) + carry;
    bytes[i] = static_cast<uint8_t>(sum);
    carry = sum >> 8;
  }
}

}  // namespace

size_t decimal_bytes(std::string_view text, int scale, std::array<char, kDecimalBytesMax>& out) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const size_t point = std::min(text.find('.'), text.size());
  const std::string_view whole = text.substr(0, point),
                         fraction = point < text.size() ? text.substr(point + 1) : std::string_view();
  const auto digit_at = [&](size_t i) -> uint32_t {
    const char c = i < whole.size() ? whole[i] : i - whole.size() < fraction.size() ? fraction[i - whole.size()] : '0';
    return static_cast<uint32_t>(c - '0');
  };
  const size_t digits = whole.size() + static_cast<size_t>(std::max(scale, 0));
  if (digits <= 18) {
    int64_t number = 0;
    for (size_t i = 0; i < digits; ++i) number = number * 10 + digit_at(i);
    return pack(negative ? -number : number, out);
  }
  std::array<uint8_t, kDecimalBytesMax> magnitude{};
  for (size_t i = 0; i < digits; ++i) push_digit(magnitude, digit_at(i));
  if (negative) negate(magnitude.data(), magnitude.size());
  size_t begin = 0;
  const uint8_t filler = (magnitude[0] & 0x80) != 0 ? 0xff : 0;
  while (begin + 1 < magnitude.size() && magnitude[begin] == filler && (magnitude[begin + 1] & 0x80) == (filler & 0x80))
    ++begin;
  std::memcpy(out.data(), magnitude.data() + begin, magnitude.size() - begin);
  return magnitude.size() - begin;
}

size_t decimal_text(std::string_view unscaled, int scale, std::span<char> out) {
  if (unscaled.size() > kUnscaledBytesMax || scale > kScaleMax || scale < kScaleMin) return 0;
  std::array<uint8_t, kUnscaledBytesMax> magnitude{};
  const size_t size = unscaled.size();
  std::memcpy(magnitude.data(), unscaled.data(), size);
  const bool negative = size != 0 && (magnitude[0] & 0x80) != 0;
  if (negative) negate(magnitude.data(), size);
  char digits[kDecimalTextMax];  // least significant first
  size_t count = 0;
  for (size_t begin = 0; begin < size;) {
    uint32_t remainder = 0;
    for (size_t i = begin; i < size; ++i) {
      const uint32_t part = remainder << 8 | magnitude[i];
      magnitude[i] = static_cast<uint8_t>(part / 10);
      remainder = part % 10;
    }
    digits[count++] = static_cast<char>('0' + remainder);
    while (begin < size && magnitude[begin] == 0) ++begin;
  }
  const auto places = static_cast<size_t>(std::max(scale, 0));
  if (count == 0) digits[count++] = '0';
  while (count <= places) digits[count++] = '0';
  if (count + static_cast<size_t>(std::max(-scale, 0)) + 2 > out.size()) return 0;
  size_t length = 0;
  if (negative) out[length++] = '-';
  for (size_t i = count; i-- > 0;) {
    out[length++] = digits[i];
    if (i == places && places != 0) out[length++] = '.';
  }
  for (int i = scale; i < 0; ++i) out[length++] = '0';
  return length;
}

std::string decimal_refusal(std::string_view unscaled, int scale) {
  return "a decimal number of " + std::to_string(unscaled.size()) + " bytes with scale " + std::to_string(scale) +
         "; at most " + std::to_string(kUnscaledBytesMax) + " bytes and scales from " + std::to_string(kScaleMin) +
         " to " + std::to_string(kScaleMax) + " can be written";
}

}  // namespace millrace::jdbc
