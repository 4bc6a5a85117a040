/// A herder in memory for tests of the REST API: connectors are just stored, errors have Kafka Connect's texts.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/herder.h"

namespace millrace {

class FakeHerder : public Herder {
 public:
  struct Connector {
    ConfigMap config;
    TargetState target = TargetState::kStarted;
  };

  /// Set by tests; read and written by the calls.
  std::map<std::string, Connector> stored;
  RawConfig last_config;
  std::vector<ConnectorOffset> last_offsets;
  RestartRequest last_restart;
  Status health_answer;
  bool topic_tracking = true;
  std::string trace;
  std::vector<ConnectorStatus::Progress> progress;

  WorkerInfo worker_info() override { return {"3.9.1", "f745dfdcee2b9851", "cluster"}; }
  Status health() override { return health_answer; }

  Expected<std::vector<std::string>> connectors() override {
    std::vector<std::string> names;
    for (const auto& [name, connector] : stored) names.push_back(name);
    return names;
  }

  Expected<ConnectorInfo> connector_info(const std::string& name) override {
    const auto found = stored.find(name);
    if (found == stored.end()) return not_found(name);
    return ConnectorInfo{name, found->second.config, tasks_of(found->second), ConnectorType::kSource};
  }

  Expected<ConnectorStatus> connector_status(const std::string& name) override {
    const auto found = stored.find(name);
    if (found == stored.end()) return fail(ErrorCode::kNotFound, "No status found for connector " + name);
    ConnectorStatus status{name, part(0, found->second), {}, ConnectorType::kSource};
    status.connector.trace.clear();
    for (const int task : tasks_of(found->second)) status.tasks.push_back(part(task, found->second));
    return status;
  }

  Expected<ConnectorStatus::Part> task_status(const std::string& name, int task) override {
    const auto found = stored.find(name);
    if (found == stored.end() || task != 0) {
      return fail(ErrorCode::kNotFound, fmt::format("No status found for task {}-{}", name, task));
    }
    return part(task, found->second);
  }

  Expected<std::vector<TaskInfo>> task_configs(const std::string& name) override {
    const auto found = stored.find(name);
    if (found == stored.end()) return not_found(name);
    std::vector<TaskInfo> tasks;
    for (const int task : tasks_of(found->second)) tasks.push_back({task, {{"task.class", "T"}}});
    return tasks;
  }

  Expected<Created> put_connector(const std::string& name, const RawConfig& config, TargetState initial,
                                  bool replace) override {
    last_config = config;
    const auto type = config.find("connector.class");
    if (type == config.end()) return fail(ErrorCode::kInvalidConfig, "Connector config {…} contains no connector type");
    if (type->second == "Nope") return fail(ErrorCode::kInternal, "Failed to find any class that implements Connector");
    const bool exists = stored.contains(name);
    if (exists && !replace) return fail(ErrorCode::kAlreadyExists, fmt::format("Connector {} already exists", name));
    Connector connector{{}, initial};
    for (const auto& [key, value] : config) connector.config[key] = value.value_or("null");
    stored[name] = connector;
    return Created{!exists, *connector_info(name)};
  }

  Expected<ConnectorInfo> patch_connector(const std::string& name, const RawConfig& patch) override {
    const auto found = stored.find(name);
    if (found == stored.end()) return not_found(name);
    for (const auto& [key, value] : patch) {
      if (value) {
        found->second.config[key] = *value;
      } else {
        found->second.config.erase(key);
      }
    }
    return connector_info(name);
  }

  Status delete_connector(const std::string& name) override {
    if (stored.erase(name) == 0) return not_found(name);
    return {};
  }

  Status set_target_state(const std::string& name, TargetState target) override {
    const auto found = stored.find(name);
    if (found == stored.end()) return fail(ErrorCode::kNotFound, "Unknown connector " + name);
    found->second.target = target;
    return {};
  }

  Expected<ConnectorStatus> restart_connector(const std::string& name, RestartRequest request) override {
    last_restart = request;
    if (!stored.contains(name)) return fail(ErrorCode::kNotFound, "Unknown connector: " + name);
    auto status = connector_status(name);
    status->connector.state = State::kRestarting;
    return status;
  }

  std::vector<std::string> signals;
  Status post_signal(const std::string& name, const std::string& json) override {
    if (!stored.contains(name)) return fail(ErrorCode::kNotFound, "Connector " + name + " not found");
    if (name == "deaf") return fail(ErrorCode::kConflict, "Task deaf-0 takes no signals");
    signals.push_back(json);
    return {};
  }
  Status restart_task(const std::string& name, int task) override {
    if (!stored.contains(name)) return fail(ErrorCode::kNotFound, "Unknown connector: " + name);
    if (task != 0) return fail(ErrorCode::kNotFound, fmt::format("Unknown task: {}-{}", name, task));
    return {};
  }

  Expected<std::vector<std::string>> active_topics(const std::string& name) override {
    if (!topic_tracking) return fail(ErrorCode::kConflict, "Topic tracking is disabled.");
    if (!stored.contains(name)) return std::vector<std::string>{};
    return std::vector<std::string>{"t"};
  }
  Status reset_active_topics(const std::string&) override {
    if (!topic_tracking) return fail(ErrorCode::kConflict, "Topic tracking is disabled.");
    return {};
  }

  Expected<std::vector<ConnectorOffset>> offsets(const std::string& name) override {
    if (!stored.contains(name)) return not_found(name);
    return std::vector<ConnectorOffset>{{R"({"filename":"a.txt"})", R"({"position":30})"}};
  }
  Expected<std::string> alter_offsets(const std::string& name, const std::vector<ConnectorOffset>& offsets) override {
    if (!stored.contains(name)) return not_found(name);
    last_offsets = offsets;
    return "The offsets for this connector have been altered successfully";
  }
  Expected<std::string> reset_offsets(const std::string& name) override {
    const auto found = stored.find(name);
    if (found == stored.end()) return not_found(name);
    if (found->second.target != TargetState::kStopped) {
      return fail(ErrorCode::kInvalidConfig,
                  "Connectors must be in the STOPPED state before their offsets can be modified.");
    }
    return "The offsets for this connector have been reset successfully";
  }

  std::vector<PluginInfo> plugins(bool connectors_only) override {
    std::vector<PluginInfo> list{{"FileStreamSink", "sink", "3.9.1"}, {"Odd", "source", ""}};
    if (!connectors_only) list.push_back({"JsonConverter", "converter", "3.9.1"});
    return list;
  }
  Expected<std::vector<ConfigKeyInfo>> plugin_config(const std::string& plugin) override {
    if (plugin != "FileStreamSource") return fail(ErrorCode::kNotFound, fmt::format("Unknown plugin {}.", plugin));
    return std::vector<ConfigKeyInfo>{topic_key()};
  }
  Expected<std::string> preview(const std::string& plugin, const std::string& body, size_t rows) override {
    if (plugin == "Nope") return fail(ErrorCode::kNotFound, "Failed to find any class that implements Connector");
    return fmt::format("{{\"name\":\"{}\",\"rows\":{},\"body\":{}}}", plugin, rows, body.size());
  }
  Expected<ConfigInfos> validate(const std::string& plugin, const RawConfig& config) override {
    last_config = config;
    if (plugin == "Nope") return fail(ErrorCode::kNotFound, "Failed to find any class that implements Connector");
    if (!config.contains("connector.class")) {
      return fail(ErrorCode::kInvalidConfig, "Connector config {} contains no connector type");
    }
    ConfigInfos infos{plugin, 1, {"Common"}, {}};
    infos.configs.push_back({topic_key(), {"topic", std::nullopt, {}, {"Missing"}, true}});
    infos.configs.push_back({std::nullopt, {"x", std::nullopt, {}, {}, true}});
    return infos;
  }

 private:
  static tl::unexpected<Error> not_found(const std::string& name) {
    return fail(ErrorCode::kNotFound, fmt::format("Connector {} not found", name));
  }
  static std::vector<int> tasks_of(const Connector& connector) {
    return connector.target == TargetState::kStarted ? std::vector<int>{0} : std::vector<int>{};
  }
  static ConfigKeyInfo topic_key() {
    return {"topic", "STRING", true, std::nullopt, "HIGH", "Where to.", std::nullopt, "NONE", "topic", {}, -1};
  }
  ConnectorStatus::Part part(int id, const Connector& connector) const {
    const State state = connector.target == TargetState::kPaused    ? State::kPaused
                        : connector.target == TargetState::kStopped ? State::kStopped
                                                                    : State::kRunning;
    return {id, state, "127.0.0.1:8083", trace, "1.0", 0, progress};
  }
};

}  // namespace millrace
