/// GET /metrics of a worker: Kafka Connect's metrics by their own names, as Prometheus text.
#pragma once

#include <string>

#include "core/clock.h"
#include "core/prometheus.h"
#include "runtime/herder/local_herder.h"

namespace millrace {

/// Threads: any.
class MetricsPage {
 public:
  /// `version` and `commit` are those of GET /. `clock` outlives the page.
  MetricsPage(const WorkerConfig& config, std::string version, std::string commit, const Clock& clock);

  /// Waits for no operation of the herder. Null, while the worker starts: only what the process knows of itself.
  std::string render(const LocalHerder* herder) const;

 private:
  class Sheet;
  const WorkerMode mode_;
  const std::string protocol_, version_, commit_;
  const MetricLabels context_;  // metrics.context.*, on every sample
  const Clock& clock_;
  const int64_t started_ms_;
};

/// The settings metrics.context.* as labels. A name of which Prometheus would not approve, or that a metric uses
/// itself, is changed: dots become underscores, and a taken one begins with context_.
MetricLabels context_labels(const ConfigMap& settings);

}  // namespace millrace
