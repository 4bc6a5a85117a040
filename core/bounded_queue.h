/// A queue bounded in bytes between one or more producers and consumers: a full queue makes the producer wait, so
/// memory stays flat and the slowest stage sets the pace.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

namespace millrace {

/// Threads: any. After close() pushes are refused and pops drain what is left.
template <class T>
class BoundedQueue {
 public:
  struct Options {
    size_t bytes_max;
  };
  explicit BoundedQueue(Options options) : bytes_max_(options.bytes_max) {}

  /// Waits for room. One item larger than the bound is taken when the queue is empty. False after close().
  bool push(T item, size_t bytes) {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [&] { return closed_ || bytes_ == 0 || bytes_ + bytes <= bytes_max_; });
    if (closed_) return false;
    bytes_ += bytes;
    items_.emplace_back(std::move(item), bytes);
    filled_.notify_one();
    return true;
  }

  /// Waits up to `timeout` for an item; nothing when none came or the queue is closed and empty.
  std::optional<T> pop(std::chrono::milliseconds timeout) {
    std::unique_lock lock(mutex_);
    filled_.wait_for(lock, timeout, [&] { return closed_ || !items_.empty(); });
    if (items_.empty()) return std::nullopt;
    auto [item, bytes] = std::move(items_.front());
    items_.pop_front();
    bytes_ -= bytes;
    room_.notify_all();
    return std::optional<T>(std::move(item));
  }

  void close() {
    std::lock_guard lock(mutex_);
    closed_ = true;
    room_.notify_all();
    filled_.notify_all();
  }

  size_t bytes() const {
    std::lock_guard lock(mutex_);
    return bytes_;
  }

 private:
  const size_t bytes_max_;
  mutable std::mutex mutex_;
  std::condition_variable room_, filled_;
  std::deque<std::pair<T, size_t>> items_;
  size_t bytes_ = 0;
  bool closed_ = false;
};

}  // namespace millrace
