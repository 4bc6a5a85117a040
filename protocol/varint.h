/// Kafka's variable-length integers: 7 bits a byte, low bits first; VARINT and VARLONG are zig-zag encoded.
/// Readers never pass `end`, accept padded encodings like Kafka's own, and keep the low 32 (64) bits.
#pragma once

#include <cstddef>
#include <cstdint>

namespace millrace {

inline constexpr size_t kVarintBytesMax = 5;
inline constexpr size_t kVarlongBytesMax = 10;

constexpr uint32_t zigzag(int32_t value) {
  return (static_cast<uint32_t>(value) << 1) ^ static_cast<uint32_t>(value >> 31);
}
constexpr uint64_t zigzag(int64_t value) {
  return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
}
constexpr int32_t unzigzag(uint32_t raw) { return static_cast<int32_t>((raw >> 1) ^ (0U - (raw & 1U))); }
constexpr int64_t unzigzag(uint64_t raw) { return static_cast<int64_t>((raw >> 1) ^ (0ULL - (raw & 1ULL))); }

/// Write to `to` (room for the maximum) and return the place after the last byte.
template <class Unsigned>
inline char* write_unsigned(char* to, Unsigned value) {
  while (value >= 0x80) {
    *to++ = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  *to++ = static_cast<char>(value);
  return to;
}
inline char* write_unsigned_varint(char* to, uint32_t value) { return write_unsigned(to, value); }
inline char* write_varint(char* to, int32_t value) { return write_unsigned(to, zigzag(value)); }
inline char* write_varlong(char* to, int64_t value) { return write_unsigned(to, zigzag(value)); }

constexpr size_t unsigned_varint_size(uint64_t value) {
  size_t bytes = 1;
  for (; value >= 0x80; value >>= 7) ++bytes;
  return bytes;
}
constexpr size_t varint_size(int32_t value) { return unsigned_varint_size(zigzag(value)); }
constexpr size_t varlong_size(int64_t value) { return unsigned_varint_size(zigzag(value)); }

/// Read at `at` and return the place after the integer; nullptr when the input ends early or is too long.
const char* read_unsigned_varint(const char* at, const char* end, uint32_t& value);
const char* read_unsigned_varlong(const char* at, const char* end, uint64_t& value);

inline const char* read_varint(const char* at, const char* end, int32_t& value) {
  if (at != end && (*at & 0x80) == 0) [[likely]] {
    value = unzigzag(static_cast<uint32_t>(static_cast<uint8_t>(*at)));
    return at + 1;
  }
  uint32_t raw = 0;
  at = read_unsigned_varint(at, end, raw);
  value = unzigzag(raw);
  return at;
}
inline const char* read_varlong(const char* at, const char* end, int64_t& value) {
  uint64_t raw = 0;
  at = read_unsigned_varlong(at, end, raw);
  value = unzigzag(raw);
  return at;
}

}  // namespace millrace
