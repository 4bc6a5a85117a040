#include "runtime/metrics/task_windows.h"

#include <limits>

namespace millrace {

TaskWindows::Window TaskWindows::begun_with(const TaskMetrics& metrics) {
  Window window;
  for (size_t i = 0; i < kRatedCounters.size(); ++i) window.counters[i] = (metrics.*kRatedCounters[i]).get();
  for (size_t i = 0; i < kMeasures.size(); ++i) {
    const Measure& measure = metrics.*kMeasures[i];
    window.measures[i] = {measure.count(), measure.sum()};
  }
  window.commit_failures = metrics.commit_failures.get();
  return window;
}

void TaskWindows::take_extremes(const TaskMetrics& metrics) {
  for (size_t i = 0; i < kMeasures.size(); ++i)
    windows_.present().extremes[i].merge((metrics.*kMeasures[i]).take_recent());
}

void TaskWindows::sample(const TaskMetrics& metrics, std::chrono::nanoseconds now) {
  if (!windows_.due(now)) return;
  take_extremes(metrics);
  windows_.begin(now, begun_with(metrics));
}

TaskRates TaskWindows::read(const TaskMetrics& metrics, std::chrono::nanoseconds now) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  sample(metrics, now);
  take_extremes(metrics);
  const Window last = begun_with(metrics);
  const Window& first = windows_.oldest();
  const double seconds = windows_.seconds(now);
  TaskRates rates;
  for (size_t i = 0; i < kRatedCounters.size(); ++i) {
    const auto growth = static_cast<double>(last.counters[i] - first.counters[i]);
    rates.per_second[i] = seconds > 0 ? growth / seconds : 0;
  }
  for (size_t i = 0; i < kMeasures.size(); ++i) {
    Extremes extremes;
    windows_.for_each([&](const Window& window) { extremes.merge(window.extremes[i]); });
    const auto count = static_cast<double>(last.measures[i].count - first.measures[i].count);
    const auto sum = static_cast<double>(last.measures[i].sum - first.measures[i].sum);
    rates.measured[i] = {extremes.empty() ? kNone : static_cast<double>(extremes.min),
                         extremes.empty() ? kNone : static_cast<double>(extremes.max), count > 0 ? sum / count : kNone};
  }
  const auto failed = static_cast<double>(last.commit_failures - first.commit_failures);
  const auto succeeded = static_cast<double>(last.measures[kCommitMs].count - first.measures[kCommitMs].count);
  if (failed + succeeded > 0) {
    rates.commits_failed = failed / (failed + succeeded);
    rates.commits_succeeded = succeeded / (failed + succeeded);
  }
  return rates;
}

}  // namespace millrace
