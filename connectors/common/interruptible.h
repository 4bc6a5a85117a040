/// Something that one thread makes, uses and ends, and that another may interrupt meanwhile.
#pragma once

#include <memory>
#include <mutex>
#include <utility>

namespace millrace::connectors {

/// Owner's thread: everything. Other threads: interrupt() alone, which reaches T::interrupt() or nothing, never a T
/// that is being destroyed. T::interrupt() must be safe beside T's other functions.
template <typename T>
class Interruptible {
 public:
  void set(std::unique_ptr<T> value) {
    {
      std::lock_guard lock(guard_);
      value_.swap(value);
    }
    // What was there ends here, unlocked: ending may take a while.
  }
  void reset() { set(nullptr); }
  /// Gives away what there is; nobody interrupts it any more.
  std::unique_ptr<T> take() {
    std::lock_guard lock(guard_);
    return std::move(value_);
  }

  void interrupt() {
    std::lock_guard lock(guard_);
    if (value_ != nullptr) value_->interrupt();
  }

  explicit operator bool() const { return value_ != nullptr; }
  T* operator->() const { return value_.get(); }
  T& operator*() const { return *value_; }

 private:
  std::mutex guard_;  // for other threads: the owner reads without it, for it alone writes
  std::unique_ptr<T> value_;
};

}  // namespace millrace::connectors
