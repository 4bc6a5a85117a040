#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "runtime/metrics/metrics_page.h"
#include "runtime/metrics/task_rows.h"

namespace millrace {
namespace {

using namespace std::chrono_literals;

/// Two windows of 30 s, as by default.
class TaskWindowsTest : public ::testing::Test {
 protected:
  TaskRates at(std::chrono::seconds now) { return windows_.read(metrics_, now); }

  TaskMetrics metrics_;
  TaskWindows windows_{{30s, 2}, 0s};
};

TEST_F(TaskWindowsTest, ARateCountsTheWindowsToComeAtFirst) {
  metrics_.polled.add(70);
  EXPECT_DOUBLE_EQ(at(5s).per_second[kPolledRate], 70 / 35.0);
  EXPECT_DOUBLE_EQ(at(30s).per_second[kPolledRate], 70 / 30.0);
  EXPECT_DOUBLE_EQ(at(50s).per_second[kPolledRate], 70 / 50.0);
}

TEST_F(TaskWindowsTest, WhatIsOldIsForgotten) {
  metrics_.polled.add(70);
  windows_.sample(metrics_, 30s);
  metrics_.polled.add(10);
  windows_.sample(metrics_, 60s);
  EXPECT_DOUBLE_EQ(at(70s).per_second[kPolledRate], 10 / 40.0);
  windows_.sample(metrics_, 90s);
  EXPECT_EQ(at(95s).per_second[kPolledRate], 0);
  EXPECT_EQ(at(95s).per_second[kReadRate], 0);
}

TEST_F(TaskWindowsTest, MaximaAndAveragesAreThoseOfTheWindows) {
  EXPECT_TRUE(std::isnan(at(1s).measured[kBatchSize].max));
  EXPECT_TRUE(std::isnan(at(1s).measured[kBatchSize].average));
  metrics_.batch_size.note(100);
  metrics_.batch_size.note(50);
  EXPECT_EQ(at(2s).measured[kBatchSize].max, 100);
  EXPECT_EQ(at(3s).measured[kBatchSize].max, 100) << "reading takes nothing away";
  windows_.sample(metrics_, 30s);
  metrics_.batch_size.note(8);
  EXPECT_EQ(at(31s).measured[kBatchSize].max, 100);
  windows_.sample(metrics_, 60s);
  EXPECT_EQ(at(61s).measured[kBatchSize].max, 8);
  EXPECT_EQ(at(61s).measured[kBatchSize].min, 8);
  EXPECT_EQ(at(61s).measured[kBatchSize].average, 8);
  windows_.sample(metrics_, 90s);
  EXPECT_TRUE(std::isnan(at(91s).measured[kBatchSize].max));
  EXPECT_EQ(metrics_.batch_size.max(), 100);
}

TEST_F(TaskWindowsTest, CommitsAreSharesOfOne) {
  EXPECT_EQ(at(1s).commits_failed, 0);
  EXPECT_EQ(at(1s).commits_succeeded, 0);
  metrics_.commit_ms.note(1);
  metrics_.commit_ms.note(1);
  metrics_.commit_ms.note(1);
  metrics_.commit_failures.add();
  EXPECT_EQ(at(2s).commits_failed, 0.25);
  EXPECT_EQ(at(2s).commits_succeeded, 0.75);
}

TEST_F(TaskWindowsTest, ALongSilenceOfTheSamplerLeavesOneWindow) {
  metrics_.polled.add(5);
  EXPECT_EQ(at(1000s).per_second[kPolledRate], 0) << "Kafka, too, forgets a window by its beginning";
  metrics_.polled.add(60);
  EXPECT_DOUBLE_EQ(at(1010s).per_second[kPolledRate], 60 / 40.0);
}

TEST(SampleWindows, KeepsNoMoreThanItsSamples) {
  SampleWindows<int> windows({10ns, 3}, 0ns, 0);
  for (int i = 1; i < 20; ++i) windows.begin(std::chrono::nanoseconds(i), i);
  std::vector<int> kept;
  windows.for_each([&](int value) { kept.push_back(value); });
  EXPECT_EQ(kept, (std::vector<int>{17, 18, 19}));
}

TEST(MetricsSampler, SharesOfStartsAreThoseOfTheWindows) {
  StartupCounters starts;
  MetricsSampler sampler({30s, 2}, starts, 0s);
  EXPECT_EQ(sampler.connector_startups(1s).succeeded, 0);
  starts.connectors.count(true);
  starts.connectors.count(false);
  EXPECT_EQ(sampler.connector_startups(2s).succeeded, 0.5);
  EXPECT_EQ(sampler.task_startups(2s).failed, 0);
  sampler.tick({}, 30s);
  sampler.tick({}, 60s);
  EXPECT_EQ(sampler.connector_startups(61s).failed, 0);
}

TEST(MetricsPage, ContextLabelsHaveNamesThatPrometheusTakes) {
  const MetricLabels labels = context_labels({{"metrics.context.team", "a"},
                                              {"metrics.context.task", "b"},
                                              {"metrics.context.a.b-c", "d"},
                                              {"metrics.context.a_b.c", "dropped: the name is taken"},
                                              {"metrics.context.9", "e"},
                                              {"metrics.num.samples", "2"}});
  EXPECT_EQ(labels, (MetricLabels{{"context_9", "e"}, {"a_b_c", "d"}, {"context_task", "b"}, {"team", "a"}}));
}

TEST(MetricsPage, AWorkerThatStartsTellsOfItsProcess) {
  WorkerConfig config;
  config.all["metrics.context.team"] = "a\"b";
  const ManualClock clock;
  const std::string text = MetricsPage(config, "3.9.1", "c0ffee", clock).render(nullptr);
  EXPECT_NE(text.find("kafka_connect_app_info{version=\"3.9.1\",commit_id=\"c0ffee\",team=\"a\\\"b\"} 1\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("kafka_connect_app_info_start_time_ms{team=\"a\\\"b\"} 1700000000000\n"), std::string::npos);
  for (const char* name : {"process_cpu_seconds_total{", "process_resident_memory_bytes{", "process_open_fds{",
                           "process_start_time_seconds{"})
    EXPECT_NE(text.find(name), std::string::npos) << name;
}

TEST(TaskRows, NoAttributeIsThereTwice) {
  std::set<std::string> names;
  for (const TaskRow& row : task_rows()) EXPECT_TRUE(names.insert(prometheus_name(row.group, row.attribute)).second);
}

}  // namespace
}  // namespace millrace
