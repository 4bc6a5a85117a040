/// One connector as this process runs it: what the user wants of it, its plugin's instance, and its tasks. attend()
/// makes the running state what the user wants; it may be called at any time and does nothing when all is well.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/guarded.h"
#include "runtime/herder/task_set.h"
#include "runtime/worker_connector.h"

namespace millrace {

/// Threads: what reads, interrupt(), request_stop() and the topics: any, and never for long. What changes: whoever
/// holds operation(). The environment outlives it.
class ManagedConnector : public std::enable_shared_from_this<ManagedConnector> {
 public:
  enum class Presence {
    kReserved,  ///< its name is taken by a creation under way
    kPresent,
    kGone,  ///< deleted, or never stored
  };
  ManagedConnector(std::string name, const HerderEnvironment& environment);
  ~ManagedConnector();

  /// From what is stored; nothing runs yet.
  void restore(const ConfigStore::StoredConnector& stored, std::set<std::string> topics);

  // ---- reading
  const std::string& name() const { return name_; }
  Presence presence() const;
  ConnectorInfo info() const;
  /// Nothing while it is new and has had no state yet.
  std::optional<ConnectorStatus> known_status() const;
  ConnectorStatus status() const;
  std::vector<TaskInfo> task_configs() const;
  ConfigMap config() const;
  TargetState target() const;
  ConnectorType type() const;
  std::string class_name() const;
  bool failed() const;
  std::vector<std::shared_ptr<WorkerTask>> tasks() const { return tasks_.tasks(); }

  Status post_signal(const std::string& json) const { return tasks_.post_signal(json); }

  std::vector<std::string> topics() const;
  void reset_topics();

  /// Breaks a wait in the plugin's start: the operation that is about to be made ends it anyway.
  void interrupt();
  void request_stop() { tasks_.request_stop(); }

  // ---- changing
  /// Only one operation on a connector runs at a time; it may take as long as the plugin does.
  std::unique_lock<std::mutex> operation() { return std::unique_lock(operations_); }
  void set_presence(Presence presence);
  /// The stored configuration has changed; attend() starts the instance anew.
  void set_config(const ConfigMap& config);
  void set_target(TargetState target);
  void attend();

  /// What a restart would do, by the states of now. The parts chosen are shown as RESTARTING until restart_planned().
  ConnectorStatus plan_restart(RestartRequest request);
  /// Carries out the plan, if there is one.
  void restart_planned();
  /// Restarts the instance; its tasks go on unless it wants others. Errors: kInternal with the text for the user.
  Status restart_instance();
  Status restart_task(int task);
  /// Stops tasks and instance. UNASSIGNED is what is stored then.
  void shut_down();

 private:
  void become_started();
  void become_paused();
  void become_stopped();
  Status start_instance();
  Status make_instance();
  Status check_options(const ConnectorPlugin& plugin, const ConfigMap& resolved) const;
  void stop_instance();
  void start_later();
  /// Asks the plugin for the configurations of its tasks, and restarts those when they are others than before.
  Status renew_tasks();
  /// Values that are those of resolved variables of the connector become variables again.
  void hide_secrets(std::vector<ConfigMap>& task_configs) const;
  void run_tasks(std::vector<ConfigMap> configs);
  void fail_with(const Error& error);
  void set_state(State state, std::string trace = {});
  void note_topic(int task, const std::string& topic);

  struct Visible {
    Presence presence = Presence::kReserved;
    ConfigMap config;
    TargetState target = TargetState::kStarted;
    ConnectorType type = ConnectorType::kUnknown;
    std::string version;
    std::string class_name;
    State state = State::kUnassigned;
    bool state_known = false;  // it has had a state since it was created
    std::string trace;
    bool restarting = false;
    int restarts = 0;
    std::vector<ConfigMap> task_configs;  // as stored
  };

  const std::string name_;
  const HerderEnvironment& environment_;
  const Logger logger_;
  Guarded<Visible> visible_;
  Guarded<std::set<std::string>> topics_;
  Guarded<Backoff> backoff_;
  std::atomic<bool> start_wanted_{true};     // a failed connector stays so until something has changed
  std::atomic<bool> instance_stale_{false};  // it has raised an error, or its configuration has changed
  std::atomic<bool> interrupted_{false};     // since the last start began
  std::atomic<bool> raised_{false};          // the instance has raised an error since its start
  Guarded<WorkerConnector*> interruptible_{nullptr};

  std::mutex operations_;
  // By the operation under way:
  std::unique_ptr<WorkerConnector> instance_;
  ConfigMap resolved_config_;                // of the instance
  std::optional<ConfigMap> tasks_run_with_;  // the connector's configuration when the tasks were started
  struct Plan {
    bool instance = false;
    std::vector<int> tasks;
  };
  std::optional<Plan> plan_;
  TaskSet tasks_;
};

}  // namespace millrace
