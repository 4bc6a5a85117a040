#include "protocol/varint.h"

namespace millrace {
namespace {

template <class Unsigned, size_t kBytesMax>
const char* read_base128(const char* at, const char* end, Unsigned& value) {
  value = 0;
  for (size_t i = 0; i < kBytesMax; ++i) {
    if (at == end) return nullptr;
    const auto byte = static_cast<uint8_t>(*at++);
    value |= static_cast<Unsigned>(static_cast<Unsigned>(byte & 0x7F) << (7 * i));
    if ((byte & 0x80) == 0) return at;
  }
  return nullptr;
}

}  // namespace

const char* read_unsigned_varint(const char* at, const char* end, uint32_t& value) {
  return read_base128<uint32_t, kVarintBytesMax>(at, end, value);
}

const char* read_unsigned_varlong(const char* at, const char* end, uint64_t& value) {
  return read_base128<uint64_t, kVarlongBytesMax>(at, end, value);
}

}  // namespace millrace
