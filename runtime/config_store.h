/// The connectors a worker is to run, in Kafka Connect's own config topic format: `connector-<c>` →
/// {"properties":{…}}, `target-state-<c>` → {"state":…,"state.v2":…}, `task-<c>-<i>` → {"properties":{…}},
/// `commit-<c>` → {"tasks":N}, `restart-connector-<c>` → {"include-tasks":…,"only-failed":…}.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/herder.h"
#include "runtime/topic_store.h"

namespace millrace {

/// Threads: any.
class ConfigStore {
 public:
  explicit ConfigStore(std::unique_ptr<TopicStore> topic) : topic_(std::move(topic)) {}

  struct StoredConnector {
    ConfigMap config;
    TargetState target = TargetState::kStarted;
    std::vector<ConfigMap> tasks;  ///< the set committed last; empty when records of it are missing
  };
  std::map<std::string, StoredConnector> connectors() const;
  std::optional<StoredConnector> connector(const std::string& name) const;
  /// Whether a configuration of this task is still in the topic, though the set in force may be smaller.
  bool remembers_task(const std::string& name, int task) const;

  /// Durable when they return.
  Status put(const std::string& name, const ConfigMap& config, std::optional<TargetState> target);
  Status put_target(const std::string& name, TargetState target);
  /// Replaces the set of tasks.
  Status put_tasks(const std::string& name, const std::vector<ConfigMap>& tasks);
  /// Tells the other workers of the group to restart their part of the connector.
  Status put_restart(const std::string& name, RestartRequest request);
  Status remove(const std::string& name);

 private:
  std::vector<ConfigMap> tasks_of(const std::string& name) const;

  std::unique_ptr<TopicStore> topic_;
};

}  // namespace millrace
