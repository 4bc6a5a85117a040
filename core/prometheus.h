/// The Prometheus text exposition format, version 0.0.4: metrics by name, each with its samples.
#pragma once

#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace millrace {

inline constexpr const char* kPrometheusContentType = "text/plain; version=0.0.4; charset=utf-8";

/// Labels in the order they are shown.
using MetricLabels = std::vector<std::pair<std::string, std::string>>;

/// Collects samples in any order and prints those of one metric together, as the format demands.
/// Threads: one.
class PrometheusText {
 public:
  enum class Kind { kGauge, kCounter };

  /// A sample of the metric `name` ([a-zA-Z_:][a-zA-Z0-9_:]*). `help` and `kind` count the first time a name is seen.
  void add(std::string_view name, Kind kind, std::string_view help, const MetricLabels& labels, double value);
  std::string text() const;

 private:
  struct Metric {
    Kind kind;
    std::string help;
    std::string samples;
  };
  std::map<std::string, Metric, std::less<>> metrics_;
};

/// `source-record-poll-total` of the group `source-task-metrics` as JMX exporters spell it:
/// kafka_connect_source_task_metrics_source_record_poll_total.
std::string prometheus_name(std::string_view group, std::string_view attribute);

}  // namespace millrace
