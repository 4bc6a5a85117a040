#include "log/compaction_map.h"

#include <algorithm>
#include <bit>

namespace millrace {
namespace {

struct SipState {
  uint64_t v0, v1, v2, v3;
  void round() {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }
  void take(uint64_t word) {
    v3 ^= word;
    round();
    round();
    v0 ^= word;
  }
  uint64_t finish() {
    for (int i = 0; i < 4; ++i) round();
    return v0 ^ v1 ^ v2 ^ v3;
  }
};

}  // namespace

std::array<uint64_t, 2> siphash128(BytesView bytes, const CompactionMap::Secret& secret) {
  SipState state{secret[0] ^ 0x736f6d6570736575ULL, secret[1] ^ 0x646f72616e646f6dULL ^ 0xee,
                 secret[0] ^ 0x6c7967656e657261ULL, secret[1] ^ 0x7465646279746573ULL};
  const uint64_t length = bytes.size();
  for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
    uint64_t word = 0;
    std::memcpy(&word, bytes.data(), 8);
    state.take(word);
  }
  uint64_t last = length << 56;
  for (size_t i = 0; i < bytes.size(); ++i) last |= uint64_t{static_cast<uint8_t>(bytes[i])} << (8 * i);
  state.take(last);
  state.v2 ^= 0xee;
  const uint64_t low = state.finish();
  state.v1 ^= 0xdd;
  return {low, state.finish()};
}

CompactionMap::CompactionMap(size_t keys_max, const Secret& secret)
    : slots_(static_cast<size_t>(static_cast<double>(keys_max) / kLoad) + 2),
      secret_(secret),
      keys_max_(std::max<size_t>(keys_max, 1)) {}

size_t CompactionMap::find(const std::array<uint64_t, 2>& hash) const {
  size_t at = hash[0] % slots_.size();
  while (slots_[at].offset >= 0 && (slots_[at].low != hash[0] || slots_[at].high != hash[1])) {
    at = at + 1 == slots_.size() ? 0 : at + 1;
  }
  return at;
}

bool CompactionMap::put(BytesView key, int64_t offset) {
  const auto hash = siphash128(key, secret_);
  Slot& slot = slots_[find(hash)];
  if (slot.offset < 0) {
    if (size_ >= keys_max_) return false;
    ++size_;
  }
  slot = {hash[0], hash[1], offset};
  return true;
}

int64_t CompactionMap::get(BytesView key) const { return slots_[find(siphash128(key, secret_))].offset; }

}  // namespace millrace
