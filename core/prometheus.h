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

  /// One metric, for those that have thousands of samples.
  class Metric {
   public:
    Metric(std::string name, Kind kind, std::string help)
        : name_(std::move(name)), kind_(kind), help_(std::move(help)) {}
    /// `labels` as labels_text() makes it.
    void add(std::string_view labels, double value);

   private:
    friend class PrometheusText;
    const std::string name_;
    const Kind kind_;
    const std::string help_;
    std::string samples_;
  };

  /// The metric `name` ([a-zA-Z_:][a-zA-Z0-9_:]*). `help` and `kind` count the first time a name is seen. Lives as long
  /// as this does.
  Metric& metric(std::string_view name, Kind kind, std::string_view help);
  /// A sample of it.
  void add(std::string_view name, Kind kind, std::string_view help, const MetricLabels& labels, double value);
  /// Metrics without samples are left out.
  std::string text() const;

  /// {a="b",c="d"}, escaped; empty for no labels.
  static std::string labels_text(const MetricLabels& labels);

 private:
  std::map<std::string, Metric, std::less<>> metrics_;
};

/// `source-record-poll-total` of the group `source-task-metrics` as JMX exporters spell it:
/// kafka_connect_source_task_metrics_source_record_poll_total.
std::string prometheus_name(std::string_view group, std::string_view attribute);

}  // namespace millrace
