/// The connectors a worker is to run, in Kafka Connect's own config topic format: `connector-<name>` →
/// {"properties":{…}}, `target-state-<name>` → {"state":…,"state.v2":…}.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

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
  };
  std::map<std::string, StoredConnector> connectors() const;
  std::optional<StoredConnector> connector(const std::string& name) const;

  /// Durable when they return.
  Status put(const std::string& name, const ConfigMap& config, std::optional<TargetState> target);
  Status put_target(const std::string& name, TargetState target);
  Status remove(const std::string& name);

 private:
  std::unique_ptr<TopicStore> topic_;
};

}  // namespace millrace
