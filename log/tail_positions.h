/// Where the last batches of a log lie in its active segment, so that readers at the end of the log find their batch
/// without a look into the file.
/// Threads: guarded by the log that owns it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace millrace {

class TailPositions {
 public:
  struct Place {
    int64_t segment = -1;  ///< base offset of the segment
    int64_t base_offset = 0;
    int64_t last_offset = 0;
    uint64_t position = 0;
    uint64_t size_bytes = 0;
  };

  /// Notes the next batch of the log, which lies behind all noted before.
  void add(const Place& place) {
    places_[(first_ + count_) % kPlacesMax] = place;
    if (count_ < kPlacesMax) {
      ++count_;
    } else {
      first_ = (first_ + 1) % kPlacesMax;
    }
  }
  void clear() { count_ = 0; }

  /// The first noted batch that reaches `offset`; nothing unless a noted batch before it proves that it is the first.
  std::optional<Place> find(int64_t offset) const {
    if (count_ == 0 || offset < at(0).base_offset || offset > at(count_ - 1).last_offset) return std::nullopt;
    size_t low = 0, high = count_ - 1;
    while (low < high) {
      const size_t middle = (low + high) / 2;
      if (at(middle).last_offset < offset) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return at(low);
  }

 private:
  static constexpr size_t kPlacesMax = 128;
  const Place& at(size_t i) const { return places_[(first_ + i) % kPlacesMax]; }
  std::array<Place, kPlacesMax> places_{};
  size_t first_ = 0;
  size_t count_ = 0;
};

}  // namespace millrace
