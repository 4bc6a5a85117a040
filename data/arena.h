/// Memory for the values of one batch: bump allocation, freed all at once, blocks kept for the next batch.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace millrace {

/// Threads: one. Pointers live until reset() or destruction.
class Arena {
 public:
  explicit Arena(size_t block_bytes = 64 << 10) : block_bytes_(block_bytes) {}
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  Arena(Arena&&) = default;
  Arena& operator=(Arena&&) = default;

  void* allocate(size_t bytes, size_t alignment = alignof(std::max_align_t)) {
    const size_t padding = (alignment - reinterpret_cast<size_t>(at_) % alignment) % alignment;
    if (at_ == nullptr || static_cast<size_t>(end_ - at_) < bytes + padding) return allocate_in_next_block(bytes);
    void* result = at_ + padding;
    at_ += padding + bytes;
    return result;
  }

  /// Uninitialised room for `count` trivially destructible objects.
  template <class T>
  T* allocate_array(size_t count) {
    static_assert(std::is_trivially_destructible_v<T>);
    return static_cast<T*>(allocate(count * sizeof(T), alignof(T)));
  }

  std::string_view copy(std::string_view text) {
    char* to = static_cast<char*>(allocate(text.size(), 1));
    if (!text.empty()) std::memcpy(to, text.data(), text.size());
    return {to, text.size()};
  }

  /// Forgets all values; keeps the blocks of normal size.
  void reset() {
    large_.clear();
    block_ = 0;
    at_ = blocks_.empty() ? nullptr : blocks_.front().get();
    end_ = blocks_.empty() ? nullptr : at_ + block_bytes_;
  }

 private:
  void* allocate_in_next_block(size_t bytes) {
    if (bytes > block_bytes_ / 4) {  // a value of its own keeps the blocks for small ones
      large_.push_back(std::make_unique_for_overwrite<char[]>(bytes));
      return large_.back().get();
    }
    if (at_ != nullptr) ++block_;
    if (block_ == blocks_.size()) blocks_.push_back(std::make_unique_for_overwrite<char[]>(block_bytes_));
    at_ = blocks_[block_].get() + bytes;
    end_ = blocks_[block_].get() + block_bytes_;
    return blocks_[block_].get();
  }

  size_t block_bytes_;
  std::vector<std::unique_ptr<char[]>> blocks_, large_;
  size_t block_ = 0;
  char* at_ = nullptr;
  char* end_ = nullptr;
};

}  // namespace millrace
