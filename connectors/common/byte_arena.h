/// Memory of one batch of values, for connectors that build mr_value trees.
#pragma once

#include <millrace/abi.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace millrace::connectors {

/// Byte store of one batch: pieces never move, so values may point into it; clear() keeps the memory.
class ByteArena {
 public:
  char* allocate(size_t size) {
    while (current_ < pieces_.size() && pieces_[current_].size - used_ < size) {
      ++current_;
      used_ = 0;
    }
    if (current_ == pieces_.size()) {
      const size_t piece = std::max(size, kPieceBytes);
      pieces_.push_back({std::make_unique_for_overwrite<char[]>(piece), piece});
      used_ = 0;
    }
    char* at = pieces_[current_].bytes.get() + used_;
    used_ += size;
    total_ += size;
    return at;
  }
  /// A copy that lives until clear().
  std::string_view copy(std::string_view text) {
    if (text.empty()) return {};
    char* at = allocate(text.size());
    std::memcpy(at, text.data(), text.size());
    return {at, text.size()};
  }
  /// Room for `count` values, for STRUCT, ARRAY and MAP items; not initialised.
  mr_value* values(size_t count) {
    constexpr size_t kAlign = alignof(mr_value);
    char* at = allocate(count * sizeof(mr_value) + kAlign - 1);
    const auto address = reinterpret_cast<uintptr_t>(at);
    return reinterpret_cast<mr_value*>(at + (kAlign - address % kAlign) % kAlign);
  }
  void clear() {
    // One giant value must not pin its memory for the life of the task.
    if (pieces_.size() > 16) pieces_.resize(16);
    std::erase_if(pieces_, [](const Piece& piece) { return piece.size > 4 * kPieceBytes; });
    current_ = used_ = total_ = 0;
  }
  size_t bytes() const { return total_; }

 private:
  static constexpr size_t kPieceBytes = 256 * 1024;
  struct Piece {
    std::unique_ptr<char[]> bytes;
    size_t size;
  };
  std::vector<Piece> pieces_;
  size_t current_ = 0, used_ = 0, total_ = 0;
};

}  // namespace millrace::connectors
