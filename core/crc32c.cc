#include "core/crc32c.h"

#include <array>
#include <cstring>

#if defined(__SSE4_2__)
#include <nmmintrin.h>
#endif

namespace millrace {
namespace {

constexpr uint32_t kPolynomial = 0x82f63b78;  // 0x1edc6f41 with its bits reversed

constexpr std::array<uint32_t, 256> make_table() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) ? kPolynomial : 0);
    table[i] = crc;
  }
  return table;
}
constexpr auto kTable = make_table();

#if defined(__SSE4_2__)
/// crc of `crc` followed by `zeros` zero bytes, as four table look-ups: joins three interleaved streams.
constexpr size_t kLane = 1024;

constexpr uint32_t shift_one(uint32_t crc, size_t zeros) {
  for (size_t i = 0; i < zeros; ++i) crc = kTable[crc & 0xff] ^ (crc >> 8);
  return crc;
}

struct ShiftTable {
  std::array<std::array<uint32_t, 256>, 4> by_byte{};
};

ShiftTable make_shift(size_t zeros) {
  ShiftTable table;
  std::array<uint32_t, 32> of_bit{};
  for (unsigned bit = 0; bit < 32; ++bit) of_bit[bit] = shift_one(1U << bit, zeros);
  for (unsigned byte = 0; byte < 4; ++byte) {
    for (unsigned value = 0; value < 256; ++value) {
      uint32_t sum = 0;
      for (unsigned bit = 0; bit < 8; ++bit) {
        if (value & (1U << bit)) sum ^= of_bit[byte * 8 + bit];
      }
      table.by_byte[byte][value] = sum;
    }
  }
  return table;
}

uint32_t shift(const ShiftTable& table, uint32_t crc) {
  return table.by_byte[0][crc & 0xff] ^ table.by_byte[1][(crc >> 8) & 0xff] ^ table.by_byte[2][(crc >> 16) & 0xff] ^
         table.by_byte[3][crc >> 24];
}

uint64_t load64(const char* at) {
  uint64_t value;
  std::memcpy(&value, at, 8);
  return value;
}

uint32_t update(uint32_t crc, const char* at, size_t size) {
  static const ShiftTable one_lane = make_shift(kLane);
  static const ShiftTable two_lanes = make_shift(2 * kLane);
  // The instruction has a latency of three cycles and a throughput of one: three streams keep it busy.
  while (size >= 3 * kLane) {
    uint64_t a = crc, b = 0, c = 0;
    for (size_t i = 0; i < kLane; i += 8) {
      a = _mm_crc32_u64(a, load64(at + i));
      b = _mm_crc32_u64(b, load64(at + kLane + i));
      c = _mm_crc32_u64(c, load64(at + 2 * kLane + i));
    }
    crc = shift(two_lanes, static_cast<uint32_t>(a)) ^ shift(one_lane, static_cast<uint32_t>(b)) ^
          static_cast<uint32_t>(c);
    at += 3 * kLane;
    size -= 3 * kLane;
  }
  uint64_t wide = crc;
  for (; size >= 8; at += 8, size -= 8) wide = _mm_crc32_u64(wide, load64(at));
  crc = static_cast<uint32_t>(wide);
  for (; size > 0; ++at, --size) crc = _mm_crc32_u8(crc, static_cast<unsigned char>(*at));
  return crc;
}
#else
uint32_t update(uint32_t crc, const char* at, size_t size) {
  for (; size > 0; ++at, --size) crc = kTable[(crc ^ static_cast<unsigned char>(*at)) & 0xff] ^ (crc >> 8);
  return crc;
}
#endif

}  // namespace

uint32_t crc32c(std::string_view bytes, uint32_t previous) { return ~update(~previous, bytes.data(), bytes.size()); }

}  // namespace millrace
