/// Keeps the sample windows of a worker's tasks. Who looks at the tasks anyway feeds it, so it needs no thread.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "runtime/metrics/startup_counters.h"
#include "runtime/metrics/task_windows.h"
#include "runtime/worker_task.h"

namespace millrace {

/// Null for a task that only shows why it could not be made.
const TaskMetrics* metrics_of(const WorkerTask& task);

struct StartupRates {
  double succeeded = 0;  ///< of the starts in the windows, 0…1; both 0 when there was none
  double failed = 0;
};

/// Threads: any; no call waits for longer than another one takes. `now` is Clock::monotonic().
class MetricsSampler {
 public:
  using TaskPtr = std::shared_ptr<WorkerTask>;  // co-owned by the connector's set of tasks
  /// `startups` outlives the sampler.
  MetricsSampler(SampleRule rule, const StartupCounters& startups, std::chrono::nanoseconds now);

  /// Begins windows that are due, takes up tasks it has not seen, and forgets those that are gone.
  void tick(const std::vector<TaskPtr>& tasks, std::chrono::nanoseconds now);
  /// `task` must have metrics.
  TaskRates read(const TaskPtr& task, std::chrono::nanoseconds now);
  StartupRates connector_startups(std::chrono::nanoseconds now);
  StartupRates task_startups(std::chrono::nanoseconds now);

 private:
  struct Startups {
    int64_t successes, failures;
  };
  static Startups totals(const StartupCounters::Outcomes& outcomes);
  StartupRates rates(SampleWindows<Startups>& windows, const StartupCounters::Outcomes& outcomes,
                     std::chrono::nanoseconds now);
  TaskWindows& windows_of(const TaskPtr& task, std::chrono::nanoseconds now);

  const SampleRule rule_;
  const StartupCounters& startups_;
  std::mutex mutex_;
  // By owner, so that a new task at an old one's address is new.
  std::map<std::weak_ptr<WorkerTask>, TaskWindows, std::owner_less<>> tasks_;
  SampleWindows<Startups> connector_startups_, task_startups_;
};

}  // namespace millrace
