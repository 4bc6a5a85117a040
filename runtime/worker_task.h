/// One task on a thread of its own: the life cycle that sources and sinks share. A subclass runs the plugin's verbs;
/// this class starts, pauses, stops and restarts it and keeps the status that REST shows.
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>

#include "core/guarded.h"
#include "runtime/error_policy.h"
#include "runtime/herder.h"
#include "runtime/plugin_bridge.h"
#include "runtime/plugin_host.h"

namespace millrace {

/// Doubling delays with jitter: 250 ms, 500 ms, … up to 10 s.
class Backoff {
 public:
  std::chrono::milliseconds next();
  void reset() { attempt_ = 0; }
  int attempts() const { return attempt_; }

 private:
  int attempt_ = 0;
  std::minstd_rand random_{std::random_device{}()};
};

/// Threads: the public functions may be called from any thread; everything protected runs on the task's own.
class WorkerTask : public mr_context {
 public:
  struct Identity {
    std::string connector;
    int task = 0;
    std::string worker_id;
  };
  /// What others want to know at once. Called on the task's thread; must be quick and must not call the task.
  struct Events {
    std::function<void(State, const std::string& trace)> state_changed;
    std::function<void(const std::string& topic)> topic_used;  ///< for the first time, or after forget_topics()
  };
  /// `plugin` lives as long as the process. `task_config` is what the plugin's start() gets.
  WorkerTask(const ConnectorPlugin& plugin, Identity identity, ConfigMap task_config, ErrorPolicy policy,
             Logger logger);
  ~WorkerTask() override = default;

  /// Replaces who is told of events; empty functions: nobody, once this has returned.
  void observe(Events events);
  /// Starts the thread, which keeps `self` alive until it ends.
  static void launch(const std::shared_ptr<WorkerTask>& self);
  void set_paused(bool paused);
  /// Asks for a stop and breaks a blocking call of the plugin. Returns at once.
  void request_stop();
  /// Waits for the thread until `deadline`. False: it still runs, and is left behind to end by itself.
  bool await_end(std::chrono::steady_clock::time_point deadline);

  /// Keeps a signal until the plugin takes it. Errors: kConflict when the plugin does not ask for signals, or asks too
  /// slowly.
  Status post_signal(const std::string& json);

  ConnectorStatus::Part status() const;
  const ConfigMap& config() const { return config_; }
  /// The topics it uses from now on are new to it.
  void forget_topics();

  // mr_context
  std::string_view connector_name() const override { return identity_.connector; }
  const Logger& logger() const override { return logger_; }
  bool stopping() override { return stop_.requested(); }
  bool wait(std::chrono::milliseconds timeout) override { return stop_.wait_for(timeout); }
  void set_progress(std::span<const mr_progress> items) override;
  mr_str take_signal() override;

 protected:
  /// Runs the plugin's task from create to destroy. Returns when a stop was asked for (ok) or on a failure that ends
  /// it.
  virtual Status execute() = 0;
  /// Breaks what the subclass itself may be blocked in. Any thread.
  virtual void interrupt_blocking() {}

  /// Holds the thread while the task is paused; `on_pause` runs once before. False when a stop was asked for.
  bool wait_while_paused();
  bool paused() const { return paused_.load(); }
  void set_state(State state, std::string trace = {});
  /// Cheap enough for every batch.
  void note_active_topic(std::string_view topic);
  /// Sleeps before call number n of something that failed with a passing error; logs it. False when stopping.
  bool back_off(Backoff& backoff, const Error& error, std::string_view doing);
  /// The plugin's task object for the duration of one execute(), so that request_stop() can interrupt it.
  class PluginTask;

  const mr_connector_v1& table() const { return plugin_.table; }
  const Identity& identity() const { return identity_; }
  const ErrorPolicy& policy() const { return policy_; }
  StopSignal& stop_signal() { return stop_; }

 private:
  void run();
  void nothing_runs();
  /// How long to wait before an automatic restart, after a run of this length.
  std::chrono::milliseconds delay_after(std::chrono::steady_clock::duration run, const Error& error);

  const ConnectorPlugin& plugin_;
  const Identity identity_;
  const ConfigMap config_;
  const ErrorPolicy policy_;
  const Logger logger_;
  Backoff restart_backoff_;
  StopSignal stop_;
  StopSignal ended_;  // requested = the thread has ended
  std::atomic<bool> paused_{false};
  StopSignal unpaused_;
  struct Visible {
    State state = State::kUnassigned;
    std::string trace;
    int restarts = 0;
    std::vector<ConnectorStatus::Progress> progress = {};
  };
  Guarded<Visible> visible_;
  struct Signals {
    bool asked_for = false;
    std::deque<std::string> waiting;
  };
  Guarded<Signals> signals_;
  std::string signal_;  // the plugin's, until it takes the next
  Guarded<Events> events_;
  Guarded<std::set<std::string, std::less<>>> topics_;
  Guarded<void*> plugin_task_{nullptr};
};

/// Creates the plugin's task object, and stops and destroys it at the end of the scope.
class WorkerTask::PluginTask {
 public:
  static Expected<std::unique_ptr<PluginTask>> create(WorkerTask& owner);
  ~PluginTask();
  Status start();
  void* get() const { return object_; }

 private:
  PluginTask(WorkerTask& owner, void* object) : owner_(owner), object_(object) {}
  WorkerTask& owner_;
  void* object_;
};

}  // namespace millrace
