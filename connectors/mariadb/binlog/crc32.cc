#include "connectors/mariadb/binlog/crc32.h"

#include <zlib.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace millrace::mariadb {
namespace {

uint32_t plain(uint32_t crc, std::span<const uint8_t> bytes) {
  return static_cast<uint32_t>(::crc32_z(crc, bytes.data(), bytes.size()));
}

#if defined(__x86_64__)

// Folding with carry-less multiplication: Gopal and others, "Fast CRC Computation for Generic Polynomials Using
// PCLMULQDQ Instruction", Intel, 2009. Most events are so short that zlib's own loop is their greatest cost.

constexpr size_t kBlock = 16;
// x^n modulo the polynomial, reflected, for the distances folded over.
alignas(16) constexpr uint64_t kFold64[] = {0x0154442bd4, 0x01c6e41596};
alignas(16) constexpr uint64_t kFold16[] = {0x01751997d0, 0x00ccaa009e};
alignas(16) constexpr uint64_t kFold8[] = {0x0163cd6124, 0x0000000000};
alignas(16) constexpr uint64_t kPolynomial[] = {0x01db710641, 0x01f7011641};

[[gnu::target("pclmul,sse4.1")]] inline __m128i load(const void* at) {
  return _mm_loadu_si128(static_cast<const __m128i*>(at));
}

[[gnu::target("pclmul,sse4.1")]] inline __m128i fold(__m128i sum, __m128i constants, __m128i next) {
  const __m128i low = _mm_clmulepi64_si128(sum, constants, 0x00);
  const __m128i high = _mm_clmulepi64_si128(sum, constants, 0x11);
  return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

/// 128 bits to the 32 of the remainder (Barrett).
[[gnu::target("pclmul,sse4.1")]] inline uint32_t reduce(__m128i sum) {
  const __m128i low_words = _mm_setr_epi32(-1, 0, -1, 0);
  sum = _mm_xor_si128(_mm_srli_si128(sum, 8), _mm_clmulepi64_si128(sum, load(kFold16), 0x10));
  sum = _mm_xor_si128(_mm_srli_si128(sum, 4), _mm_clmulepi64_si128(_mm_and_si128(sum, low_words), load(kFold8), 0x00));
  const __m128i polynomial = load(kPolynomial);
  __m128i quotient = _mm_clmulepi64_si128(_mm_and_si128(sum, low_words), polynomial, 0x10);
  quotient = _mm_clmulepi64_si128(_mm_and_si128(quotient, low_words), polynomial, 0x00);
  return static_cast<uint32_t>(_mm_extract_epi32(_mm_xor_si128(sum, quotient), 1));
}

/// Of at least one block; the bytes after the last whole one are left to the caller. Not inverted at either end.
[[gnu::target("pclmul,sse4.1")]] uint32_t folded(const uint8_t* at, size_t size) {
  const __m128i start = _mm_cvtsi32_si128(-1);
  __m128i sum = _mm_xor_si128(load(at), start);
  if (size >= 8 * kBlock) {
    __m128i lanes[4] = {sum, load(at + 16), load(at + 32), load(at + 48)};
    const __m128i constants = load(kFold64);
    for (at += 64, size -= 64; size >= 64; at += 64, size -= 64) {
      for (int i = 0; i < 4; ++i) lanes[i] = fold(lanes[i], constants, load(at + 16 * i));
    }
    sum = lanes[0];
    for (int i = 1; i < 4; ++i) sum = fold(sum, load(kFold16), lanes[i]);
  } else {
    at += kBlock;
    size -= kBlock;
  }
  for (; size >= kBlock; at += kBlock, size -= kBlock) sum = fold(sum, load(kFold16), load(at));
  return reduce(sum);
}

bool can_fold() {
  static const bool can = __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1");
  return can;
}

#endif

}  // namespace

uint32_t crc32_of(std::span<const uint8_t> bytes) {
#if defined(__x86_64__)
  if (bytes.size() >= kBlock && can_fold()) {
    const uint32_t crc = ~folded(bytes.data(), bytes.size());
    return plain(crc, bytes.last(bytes.size() % kBlock));
  }
#endif
  return plain(0, bytes);
}

}  // namespace millrace::mariadb
