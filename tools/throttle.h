/// Keeps a sender near a rate.
#pragma once

#include <chrono>
#include <cstdint>

#include "core/clock.h"

namespace millrace {

/// Threads: one. Pure arithmetic over the clock: the caller waits.
class Throttle {
 public:
  /// `per_second` < 0: as fast as possible; 0: not at all after the first.
  Throttle(double per_second, const Clock& clock) : per_second_(per_second), clock_(clock), start_(clock.monotonic()) {}

  /// How long to wait before the next when `sent` have been sent.
  std::chrono::nanoseconds wait(int64_t sent) const {
    if (per_second_ < 0) return std::chrono::nanoseconds(0);
    if (per_second_ == 0) return std::chrono::hours(1);
    const auto due = std::chrono::nanoseconds(static_cast<int64_t>(1e9 * static_cast<double>(sent) / per_second_));
    return due - (clock_.monotonic() - start_);
  }

 private:
  double per_second_;
  const Clock& clock_;
  std::chrono::nanoseconds start_;
};

}  // namespace millrace
