/// The tasks of one connector that run in this process.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "runtime/herder/environment.h"

namespace millrace {

/// Threads: changes by one at a time; the const functions, forget_topics() and mark_restarting() by any.
class TaskSet {
 public:
  using TopicUsed = std::function<void(int task, const std::string& topic)>;
  /// `topic_used` is called on the tasks' threads, and not after the tasks have been stopped.
  TaskSet(std::string connector, const HerderEnvironment& environment, TopicUsed topic_used)
      : connector_(std::move(connector)), environment_(environment), topic_used_(std::move(topic_used)) {}

  /// Starts a task for each configuration, in the place of those that ran. A task that cannot be made is FAILED.
  /// Both configurations have the variables of configuration providers.
  void replace_all(const ConfigMap& connector_config, const std::vector<ConfigMap>& task_configs, bool paused);
  /// Stops one task and starts it anew. Errors: kInternal when a variable cannot be resolved (the task then goes on as
  /// it was) or the task cannot be made (it is FAILED then).
  Status restart(int task, const ConfigMap& connector_config, const ConfigMap& task_config, bool paused);
  void set_paused(bool paused);
  /// Tells all tasks to stop, and returns at once.
  void request_stop() const;
  /// Stops all and waits for them within task.shutdown.graceful.timeout.ms; what still runs then is left behind.
  /// Their stored statuses are forgotten, or kept for a worker that goes on with them.
  enum class Statuses { kForget, kKeep };
  void stop(Statuses statuses);

  /// Gives a signal to every task that takes some. Errors: kConflict when none does, with why.
  Status post_signal(const std::string& json) const;

  bool empty() const;
  std::vector<ConnectorStatus::Part> status() const;
  std::vector<std::shared_ptr<WorkerTask>> tasks() const;
  /// Shown as RESTARTING until the restart is over.
  void mark_restarting(int task);
  void forget_topics() const;

 private:
  struct Slot {
    std::shared_ptr<WorkerTask> task;  // null when it could not be made; co-owned by its thread
    std::string trace;                 // why not
    bool restarting = false;
  };
  Expected<std::shared_ptr<WorkerTask>> make(int id, const ConfigMap& connector_config, const ConfigMap& task_config,
                                             bool paused) const;
  Slot launch(int id, Expected<std::shared_ptr<WorkerTask>> made) const;
  void end(const std::vector<std::shared_ptr<WorkerTask>>& tasks) const;

  const std::string connector_;
  const HerderEnvironment& environment_;
  const TopicUsed topic_used_;
  mutable std::mutex mutex_;
  std::vector<Slot> slots_;  // by task id
};

}  // namespace millrace
