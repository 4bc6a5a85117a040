#include "runtime/metrics/metrics_sampler.h"

#include "runtime/sink_task.h"
#include "runtime/source_task.h"

namespace millrace {

const TaskMetrics* metrics_of(const WorkerTask& task) {
  if (const auto* source = dynamic_cast<const SourceTask*>(&task)) return &source->metrics();
  if (const auto* sink = dynamic_cast<const SinkTask*>(&task)) return &sink->metrics();
  return nullptr;
}

MetricsSampler::MetricsSampler(SampleRule rule, const StartupCounters& startups, std::chrono::nanoseconds now)
    : rule_(rule), startups_(startups), connector_startups_(rule, now, {0, 0}), task_startups_(rule, now, {0, 0}) {}

TaskWindows& MetricsSampler::windows_of(const TaskPtr& task, std::chrono::nanoseconds now) {
  return tasks_.try_emplace(task, rule_, now).first->second;
}

void MetricsSampler::tick(const std::vector<TaskPtr>& tasks, std::chrono::nanoseconds now) {
  std::lock_guard lock(mutex_);
  for (const TaskPtr& task : tasks) {
    if (const TaskMetrics* metrics = metrics_of(*task)) windows_of(task, now).sample(*metrics, now);
  }
  std::erase_if(tasks_, [](const auto& entry) { return entry.first.expired(); });
  if (connector_startups_.due(now)) connector_startups_.begin(now, totals(startups_.connectors));
  if (task_startups_.due(now)) task_startups_.begin(now, totals(startups_.tasks));
}

TaskRates MetricsSampler::read(const TaskPtr& task, std::chrono::nanoseconds now) {
  std::lock_guard lock(mutex_);
  return windows_of(task, now).read(*metrics_of(*task), now);
}

MetricsSampler::Startups MetricsSampler::totals(const StartupCounters::Outcomes& outcomes) {
  return {outcomes.successes.get(), outcomes.failures.get()};
}

StartupRates MetricsSampler::rates(SampleWindows<Startups>& windows, const StartupCounters::Outcomes& outcomes,
                                   std::chrono::nanoseconds now) {
  std::lock_guard lock(mutex_);
  const Startups last = totals(outcomes);
  if (windows.due(now)) windows.begin(now, last);
  const auto succeeded = static_cast<double>(last.successes - windows.oldest().successes);
  const auto failed = static_cast<double>(last.failures - windows.oldest().failures);
  if (succeeded + failed == 0) return {};
  return {succeeded / (succeeded + failed), failed / (succeeded + failed)};
}

StartupRates MetricsSampler::connector_startups(std::chrono::nanoseconds now) {
  return rates(connector_startups_, startups_.connectors, now);
}

StartupRates MetricsSampler::task_startups(std::chrono::nanoseconds now) {
  return rates(task_startups_, startups_.tasks, now);
}

}  // namespace millrace
