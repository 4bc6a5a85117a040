#include "core/prometheus.h"

#include <gtest/gtest.h>

#include <limits>

namespace millrace {
namespace {

using Kind = PrometheusText::Kind;

TEST(Prometheus, KeepsTheSamplesOfAMetricTogether) {
  PrometheusText page;
  page.add("b", Kind::kCounter, "Second.", {{"connector", "x"}, {"task", "0"}}, 3);
  page.add("a", Kind::kGauge, "First.", {}, 0.5);
  page.add("b", Kind::kCounter, "ignored", {{"connector", "y"}, {"task", "1"}}, 4e15);
  EXPECT_EQ(page.text(),
            "# HELP a First.\n# TYPE a gauge\na 0.5\n"
            "# HELP b Second.\n# TYPE b counter\nb{connector=\"x\",task=\"0\"} 3\nb{connector=\"y\",task=\"1\"} "
            "4000000000000000\n");
}

TEST(Prometheus, EscapesLabelsAndHelp) {
  PrometheusText page;
  page.add("m", Kind::kGauge, "a \"quoted\"\nhelp \\", {{"connector", "a\"b\\c\nd"}},
           std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(page.text(), "# HELP m a \"quoted\"\\nhelp \\\\\n# TYPE m gauge\nm{connector=\"a\\\"b\\\\c\\nd\"} NaN\n");
}

TEST(Prometheus, NamesAreThoseOfJmxExporters) {
  EXPECT_EQ(prometheus_name("source-task-metrics", "source-record-poll-total"),
            "kafka_connect_source_task_metrics_source_record_poll_total");
}

}  // namespace
}  // namespace millrace
