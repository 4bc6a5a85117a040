/// The rates, averages and extremes of one task over Kafka's sample windows.
#pragma once

#include <array>

#include "runtime/metrics/sample_windows.h"
#include "runtime/task_metrics.h"

namespace millrace {

/// The counters of which there are rates, in the order of TaskRates.
inline constexpr std::array<Counter TaskMetrics::*, 6> kRatedCounters = {
    &TaskMetrics::polled, &TaskMetrics::written,           &TaskMetrics::read,
    &TaskMetrics::sent,   &TaskMetrics::commits_completed, &TaskMetrics::commits_skipped};
enum RatedCounter : size_t { kPolledRate, kWrittenRate, kReadRate, kSentRate, kCompletedRate, kSkippedRate };

inline constexpr std::array<Measure TaskMetrics::*, 6> kMeasures = {
    &TaskMetrics::batch_size,  &TaskMetrics::commit_ms,        &TaskMetrics::poll_ms,
    &TaskMetrics::active_seen, &TaskMetrics::transaction_size, &TaskMetrics::put_ms};
enum MeasureIndex : size_t { kBatchSize, kCommitMs, kPollMs, kActiveSeen, kTransactionSize, kPutMs };

/// Over the windows kept; NaN where nothing was measured, as in Kafka.
struct TaskRates {
  struct Measured {
    double min, max, average;
  };
  std::array<double, kRatedCounters.size()> per_second;
  std::array<Measured, kMeasures.size()> measured;
  double commits_failed = 0;  ///< of all commits, 0…1; both 0 when there was none
  double commits_succeeded = 0;
};

/// Threads: one at a time. Bounded: a few hundred bytes a window.
class TaskWindows {
 public:
  /// A task of which nothing has been counted before `now`.
  TaskWindows(SampleRule rule, std::chrono::nanoseconds now) : windows_(rule, now, Window{}) {}

  /// Begins a new window if one is due; cheap otherwise.
  void sample(const TaskMetrics& metrics, std::chrono::nanoseconds now);
  TaskRates read(const TaskMetrics& metrics, std::chrono::nanoseconds now);

 private:
  struct MeasureTotal {
    int64_t count = 0;
    int64_t sum = 0;
  };
  struct Window {
    // When it began:
    std::array<int64_t, kRatedCounters.size()> counters{};
    std::array<MeasureTotal, kMeasures.size()> measures{};
    int64_t commit_failures = 0;
    // In it, so far:
    std::array<Extremes, kMeasures.size()> extremes{};
  };
  static Window begun_with(const TaskMetrics& metrics);
  void take_extremes(const TaskMetrics& metrics);

  SampleWindows<Window> windows_;
};

}  // namespace millrace
