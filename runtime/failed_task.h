/// A task that could not be made: it shows FAILED with the reason, as a task that failed at its start does, and
/// restarts and pauses like any other.
#pragma once

#include "runtime/worker_task.h"

namespace millrace {

class FailedTask final : public WorkerTask {
 public:
  FailedTask(const ConnectorPlugin& plugin, Identity identity, ConfigMap task_config, ErrorPolicy policy, Logger logger,
             Error reason)
      : WorkerTask(plugin, std::move(identity), std::move(task_config), std::move(policy), std::move(logger)),
        reason_(std::move(reason)) {}

 protected:
  Status execute() override { return fail(reason_); }

 private:
  const Error reason_;
};

}  // namespace millrace
