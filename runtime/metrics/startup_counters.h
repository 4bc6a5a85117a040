/// How the starts of connectors and tasks of this worker went: connector-startup-* and task-startup-*.
#pragma once

#include "runtime/task_metrics.h"

namespace millrace {

/// Threads: any.
struct StartupCounters {
  struct Outcomes {
    Counter successes, failures;
    void count(bool success) { (success ? successes : failures).add(); }
  };
  Outcomes connectors, tasks;
};

}  // namespace millrace
