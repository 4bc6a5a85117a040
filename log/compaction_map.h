/// The last offset of each key in the dirty part of a log, in bounded memory: 24 bytes a key, whatever its length.
/// Keys are known by a 128-bit SipHash under a secret that each cleaner draws anew, so that nobody can choose two keys
/// that are taken for one.
/// Threads: one.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/bytes.h"

namespace millrace {

class CompactionMap {
 public:
  using Secret = std::array<uint64_t, 2>;

  /// Room for `keys_max` keys; the memory is taken at once.
  CompactionMap(size_t keys_max, const Secret& secret);
  static constexpr size_t kBytesPerKey = 24;

  /// False, and nothing is noted, when the map is full and does not know the key.
  bool put(BytesView key, int64_t offset);
  /// -1 for a key that is not in the map.
  int64_t get(BytesView key) const;
  size_t size() const { return size_; }

 private:
  struct Slot {
    uint64_t low = 0;
    uint64_t high = 0;
    int64_t offset = -1;  ///< -1 = free
  };
  static constexpr double kLoad = 0.9;
  size_t find(const std::array<uint64_t, 2>& hash) const;
  std::vector<Slot> slots_;
  Secret secret_;
  size_t keys_max_;
  size_t size_ = 0;
};

/// SipHash-2-4 with 128 bits of output (Aumasson and Bernstein).
std::array<uint64_t, 2> siphash128(BytesView bytes, const CompactionMap::Secret& secret);

}  // namespace millrace
