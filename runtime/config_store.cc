#include "runtime/config_store.h"

#include <nlohmann/json.hpp>

namespace millrace {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kConnectorPrefix = "connector-";
constexpr std::string_view kTargetPrefix = "target-state-";
constexpr std::string_view kTaskPrefix = "task-";
constexpr std::string_view kCommitPrefix = "commit-";
constexpr std::string_view kRestartPrefix = "restart-connector-";

std::string target_json(TargetState target) {
  // `state` is for readers that do not know STOPPED.
  switch (target) {
    case TargetState::kStarted:
      return R"({"state":"STARTED","state.v2":"STARTED"})";
    case TargetState::kPaused:
      return R"({"state":"PAUSED","state.v2":"PAUSED"})";
    case TargetState::kStopped:
      return R"({"state":"PAUSED","state.v2":"STOPPED"})";
  }
  return {};
}

TargetState target_from_json(const std::string& text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return TargetState::kStarted;
  const std::string state = json.value("state.v2", json.value("state", "STARTED"));
  if (state == "PAUSED") return TargetState::kPaused;
  if (state == "STOPPED") return TargetState::kStopped;
  return TargetState::kStarted;
}

ConfigMap config_from_json(const std::string& text) {
  ConfigMap config;
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("properties")) return config;
  for (const auto& [key, value] : json["properties"].items()) {
    if (value.is_string()) config[key] = value.get<std::string>();
  }
  return config;
}

std::string config_json(const ConfigMap& config) {
  Json properties = Json::object();
  for (const auto& [key, value] : config) properties[key] = value;
  return Json{{"properties", properties}}.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string with(std::string_view prefix, const std::string& name) { return std::string(prefix) + name; }

std::string task_key(const std::string& name, size_t task) {
  return with(kTaskPrefix, name) + "-" + std::to_string(task);
}

}  // namespace

std::map<std::string, ConfigStore::StoredConnector> ConfigStore::connectors() const {
  std::map<std::string, StoredConnector> all;
  for (const auto& [key, value] : topic_->with_prefix(kConnectorPrefix)) {
    const std::string name = key.substr(kConnectorPrefix.size());
    if (auto stored = connector(name)) all[name] = std::move(*stored);
  }
  return all;
}

std::optional<ConfigStore::StoredConnector> ConfigStore::connector(const std::string& name) const {
  const auto config = topic_->get(with(kConnectorPrefix, name));
  if (!config) return std::nullopt;
  StoredConnector stored{config_from_json(*config), TargetState::kStarted, tasks_of(name)};
  if (const auto target = topic_->get(with(kTargetPrefix, name))) stored.target = target_from_json(*target);
  return stored;
}

std::vector<ConfigMap> ConfigStore::tasks_of(const std::string& name) const {
  const auto commit = topic_->get(with(kCommitPrefix, name));
  const Json json = commit ? Json::parse(*commit, nullptr, false) : Json();
  if (!json.is_object() || !json.contains("tasks") || !json["tasks"].is_number_unsigned()) return {};
  std::vector<ConfigMap> tasks;
  for (size_t task = 0; task < json["tasks"].get<size_t>(); ++task) {
    const auto config = topic_->get(task_key(name, task));
    if (!config) return {};  // lost to compaction: the connector makes them anew
    tasks.push_back(config_from_json(*config));
  }
  return tasks;
}

bool ConfigStore::remembers_task(const std::string& name, int task) const {
  return task >= 0 && topic_->get(task_key(name, static_cast<size_t>(task))).has_value();
}

Status ConfigStore::put_tasks(const std::string& name, const std::vector<ConfigMap>& tasks) {
  std::vector<TopicStore::Entry> entries;
  for (size_t task = 0; task < tasks.size(); ++task)
    entries.push_back({task_key(name, task), config_json(tasks[task])});
  entries.push_back({with(kCommitPrefix, name), Json{{"tasks", tasks.size()}}.dump()});
  return topic_->write(entries);
}

Status ConfigStore::put_restart(const std::string& name, RestartRequest request) {
  const Json json = {{"include-tasks", request.include_tasks}, {"only-failed", request.only_failed}};
  return topic_->write({{with(kRestartPrefix, name), json.dump()}});
}

Status ConfigStore::put(const std::string& name, const ConfigMap& config, std::optional<TargetState> target) {
  std::vector<TopicStore::Entry> entries;
  if (target) entries.push_back({with(kTargetPrefix, name), target_json(*target)});
  entries.push_back({with(kConnectorPrefix, name), config_json(config)});
  return topic_->write(entries);
}

Status ConfigStore::put_target(const std::string& name, TargetState target) {
  return topic_->write({{with(kTargetPrefix, name), target_json(target)}});
}

Status ConfigStore::remove(const std::string& name) {
  // Tasks have no tombstones; a later connector of this name must not find those of this one.
  if (!tasks_of(name).empty()) {
    if (auto emptied = put_tasks(name, {}); !emptied) return emptied;
  }
  return topic_->write({{with(kConnectorPrefix, name), std::nullopt}, {with(kTargetPrefix, name), std::nullopt}});
}

}  // namespace millrace
