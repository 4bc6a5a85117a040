/// One configured connector: the plugin's instance, which splits the work into tasks and may watch the outside world.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/offset_store.h"
#include "runtime/plugin_bridge.h"
#include "runtime/plugin_host.h"

namespace millrace {

/// One run of it: after stop() another one is made. Threads: one at a time, but for interrupt() and for the callbacks,
/// which a plugin may cause from its own threads.
class WorkerConnector {
 public:
  struct Callbacks {
    std::function<void()> request_reconfiguration;
    std::function<void(Error)> raise_error;
  };
  /// `plugin` and `offsets` outlive this.
  WorkerConnector(const ConnectorPlugin& plugin, std::string name, ConfigMap config, OffsetStore& offsets,
                  Callbacks callbacks, Logger logger);
  ~WorkerConnector();

  /// Creates the instance and starts it.
  Status start();
  /// Breaks a wait of the plugin that is under way or to come: what is next for this connector is its end.
  void interrupt();
  /// The configurations of the tasks, with `task.class`, and for sinks `topics`, added.
  /// Errors: kInvalidConfig when the plugin makes more than `tasks_max`.
  Expected<std::vector<ConfigMap>> task_configs(int tasks_max, bool enforce_max);
  void stop();

  const ConnectorPlugin& plugin() const { return plugin_; }
  const ConfigMap& config() const { return config_; }

 private:
  class Context;
  const ConnectorPlugin& plugin_;
  const std::string name_;
  const ConfigMap config_;
  const Logger logger_;
  std::unique_ptr<Context> context_;
  void* instance_ = nullptr;
  bool started_ = false;
};

}  // namespace millrace
