/// Memory of large requests, used again: a fresh megabyte costs its page faults and its zeroing each time.
#pragma once

#include <mutex>
#include <string>
#include <vector>

namespace millrace {

/// Threads: any.
class FramePool {
 public:
  explicit FramePool(size_t bytes_max) : bytes_max_(bytes_max) {}

  /// A string of at least `size` bytes with any content.
  std::string take(size_t size) {
    if (size >= kPooledMin) {
      std::lock_guard lock(mutex_);
      for (std::string& held : held_) {
        if (held.size() < size) continue;
        std::string found = std::move(held);
        held = std::move(held_.back());
        held_.pop_back();
        bytes_ -= found.size();
        return found;
      }
    }
    return std::string(size, '\0');
  }

  void give(std::string frame) {
    if (frame.size() < kPooledMin) return;
    std::lock_guard lock(mutex_);
    if (bytes_ + frame.size() > bytes_max_) return;
    bytes_ += frame.size();
    held_.push_back(std::move(frame));
  }

 private:
  // Below, malloc's own caches are as good.
  static constexpr size_t kPooledMin = 16 * 1024;

  const size_t bytes_max_;
  std::mutex mutex_;
  size_t bytes_ = 0;
  std::vector<std::string> held_;
};

}  // namespace millrace
