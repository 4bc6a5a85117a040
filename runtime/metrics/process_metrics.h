/// What Prometheus users expect of any process: process_cpu_seconds_total and its kin.
#pragma once

#include <string_view>

#include "core/prometheus.h"

namespace millrace {

/// `labels` as PrometheusText::labels_text() makes it. What /proc does not tell is left out.
void add_process_metrics(PrometheusText& out, std::string_view labels);

}  // namespace millrace
