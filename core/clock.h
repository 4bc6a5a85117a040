/// Time is passed in, so that state machines are tested without waiting.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace millrace {

class Clock {
 public:
  virtual ~Clock() = default;
  /// Milliseconds since the Unix epoch (Kafka's record timestamps).
  virtual int64_t wall_ms() const = 0;
  /// Monotonic time for intervals; never goes back.
  virtual std::chrono::nanoseconds monotonic() const = 0;
};

/// Threads: any.
class SystemClock final : public Clock {
 public:
  int64_t wall_ms() const override {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
  }
  std::chrono::nanoseconds monotonic() const override { return std::chrono::steady_clock::now().time_since_epoch(); }
};

/// A clock that a test moves by hand. Threads: any.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(int64_t start_wall_ms = 1'700'000'000'000) : start_wall_ms_(start_wall_ms) {}
  int64_t wall_ms() const override { return start_wall_ms_ + elapsed_ns_.load() / 1'000'000; }
  std::chrono::nanoseconds monotonic() const override { return std::chrono::nanoseconds(elapsed_ns_.load()); }
  void advance(std::chrono::nanoseconds by) { elapsed_ns_ += by.count(); }

 private:
  const int64_t start_wall_ms_;
  std::atomic<int64_t> elapsed_ns_{0};
};

}  // namespace millrace
