// What others see of a connector, at any time and without waiting for an operation.
#include <fmt/format.h>

#include "runtime/herder/managed_connector.h"

namespace millrace {

ManagedConnector::Presence ManagedConnector::presence() const {
  return visible_.with([](const Visible& visible) { return visible.presence; });
}

ConfigMap ManagedConnector::config() const {
  return visible_.with([](const Visible& visible) { return visible.config; });
}

TargetState ManagedConnector::target() const {
  return visible_.with([](const Visible& visible) { return visible.target; });
}

ConnectorType ManagedConnector::type() const {
  return visible_.with([](const Visible& visible) { return visible.type; });
}

std::string ManagedConnector::class_name() const {
  return visible_.with([](const Visible& visible) { return visible.class_name; });
}

bool ManagedConnector::failed() const {
  return visible_.with([](const Visible& visible) { return visible.state == State::kFailed; });
}

ConnectorInfo ManagedConnector::info() const {
  return visible_.with([&](const Visible& visible) {
    ConnectorInfo info{name_, visible.config, {}, visible.type};
    for (size_t id = 0; id < visible.task_configs.size(); ++id) info.tasks.push_back(static_cast<int>(id));
    return info;
  });
}

ConnectorStatus ManagedConnector::status() const {
  ConnectorStatus status = visible_.with([&](const Visible& visible) {
    ConnectorStatus::Part part{0,
                               visible.restarting ? State::kRestarting : visible.state,
                               environment_.worker_id,
                               visible.trace,
                               visible.version,
                               visible.restarts};
    return ConnectorStatus{name_, std::move(part), {}, visible.type};
  });
  status.tasks = tasks_.status();
  return status;
}

std::optional<ConnectorStatus> ManagedConnector::known_status() const {
  if (!visible_.with([](const Visible& visible) { return visible.state_known; })) return std::nullopt;
  return status();
}

std::vector<TaskInfo> ManagedConnector::task_configs() const {
  return visible_.with([](const Visible& visible) {
    std::vector<TaskInfo> tasks;
    for (size_t id = 0; id < visible.task_configs.size(); ++id)
      tasks.push_back({static_cast<int>(id), visible.task_configs[id]});
    return tasks;
  });
}

std::vector<std::string> ManagedConnector::topics() const {
  return topics_.with([](const auto& topics) { return std::vector<std::string>(topics.begin(), topics.end()); });
}

void ManagedConnector::note_topic(int task, const std::string& topic) {
  if (!environment_.config.topic_tracking_enable) return;
  if (topics_.with([&](auto& topics) { return topics.insert(topic).second; }))
    environment_.statuses.put_topic(name_, task, topic);
}

void ManagedConnector::reset_topics() {
  const auto old = topics_.with([](auto& topics) { return std::exchange(topics, {}); });
  for (const std::string& topic : old) environment_.statuses.remove_topic(name_, topic);
  tasks_.forget_topics();
}

void ManagedConnector::set_presence(Presence presence) {
  visible_.with([&](Visible& visible) { visible.presence = presence; });
}

void ManagedConnector::set_target(TargetState target) {
  visible_.with([&](Visible& visible) { visible.target = target; });
}

void ManagedConnector::set_state(State state, std::string trace) {
  visible_.with([&](Visible& visible) {
    visible.state = state;
    visible.state_known = true;
    visible.trace = trace;
  });
  environment_.statuses.put_connector(name_, state, trace);
}

void ManagedConnector::interrupt() {
  interruptible_.with([&](WorkerConnector* instance) {
    if (instance == nullptr) return;
    interrupted_ = true;
    instance->interrupt();
  });
}

}  // namespace millrace
