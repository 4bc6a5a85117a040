/// What kafka-producer-perf-test tells of a run: counts, rates and latency percentiles.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/clock.h"

namespace millrace {

/// Threads: one.
class PerfStats {
 public:
  /// Keeps about half a million of `records` latencies. A window's line is due every `window_ms`.
  PerfStats(int64_t records, int64_t window_ms, const Clock& clock);

  void record(int64_t latency_ms, size_t bytes);
  /// "… records sent, … ms max latency." of the time since the last one, when a window has passed; else empty.
  std::string take_window();
  /// The last line, with percentiles.
  std::string total() const;
  int64_t count() const { return all_.count; }

 private:
  struct Sum {
    int64_t start_ms = 0;
    int64_t count = 0;
    int64_t bytes = 0;
    int64_t latency_max_ms = 0;
    int64_t latency_sum_ms = 0;
    void add(int64_t latency_ms, size_t size);
  };
  const Clock* clock_;  ///< not a reference: a run restarts its statistics by assignment
  int64_t window_ms_;
  int64_t sampling_;  ///< every so many-th latency is kept
  std::vector<int32_t> latencies_;
  Sum all_;
  Sum window_;
};

/// The value at `fraction` of sorted `values`, by Kafka's rule: index = fraction * size. 0 when there are none.
int64_t percentile(const std::vector<int32_t>& sorted, double fraction);

}  // namespace millrace
