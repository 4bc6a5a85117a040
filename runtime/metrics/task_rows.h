/// The attributes of a task in Kafka Connect's metric groups, as a table.
#pragma once

#include <span>
#include <string_view>

#include "core/prometheus.h"
#include "runtime/metrics/task_windows.h"

namespace millrace {

struct TaskNumbers {
  const TaskMetrics& totals;
  const TaskRates& rates;
};

struct TaskRow {
  enum class Of { kAll, kSources, kExactlyOnceSources, kSinks };
  std::string_view group, attribute;
  Of of;
  PrometheusText::Kind kind;
  std::string_view help;
  double (*value)(const TaskNumbers&);
};

std::span<const TaskRow> task_rows();

}  // namespace millrace
