#include "rest/json_views.h"

#include <fmt/format.h>

namespace millrace {
namespace {

Json or_null(const std::optional<std::string>& text) { return text ? Json(*text) : Json(nullptr); }

Json config_to_json(const ConfigMap& config) {
  Json out = Json::object();
  for (const auto& [key, value] : config) out[key] = value;
  return out;
}

void add_part(const ConnectorStatus::Part& part, Json& to) {
  to["state"] = state_name(part.state);
  to["worker_id"] = part.worker_id;
  if (!part.trace.empty()) to["trace"] = part.trace;
  if (part.restarts != 0) to["restarts"] = part.restarts;
}

Json task_id(const std::string& connector, int task) { return {{"connector", connector}, {"task", task}}; }

/// Offsets are stored as JSON texts; one that is not is shown as the text it is.
Json stored_json(const std::string& text) {
  if (text.empty()) return nullptr;
  Json parsed = Json::parse(text, nullptr, false);
  return parsed.is_discarded() ? Json(text) : parsed;
}

Json value_to_json(const ConfigValueInfo& value) {
  return {{"name", value.name},
          {"value", or_null(value.value)},
          {"recommended_values", value.recommended_values},
          {"errors", value.errors},
          {"visible", value.visible}};
}

}  // namespace

Json to_json(const ConnectorInfo& info) {
  Json tasks = Json::array();
  for (const int task : info.tasks) tasks.push_back(task_id(info.name, task));
  return {{"name", info.name},
          {"config", config_to_json(info.config)},
          {"tasks", std::move(tasks)},
          {"type", connector_type_name(info.type)}};
}

Json to_json(const ConnectorStatus& status) {
  Json connector = Json::object();
  add_part(status.connector, connector);
  Json tasks = Json::array();
  for (const auto& task : status.tasks) tasks.push_back(task_to_json(task));
  return {{"name", status.name},
          {"connector", std::move(connector)},
          {"tasks", std::move(tasks)},
          {"type", connector_type_name(status.type)}};
}

Json task_to_json(const ConnectorStatus::Part& task) {
  Json out = {{"id", task.id}};
  add_part(task, out);
  return out;
}

Json to_json(const WorkerInfo& worker) {
  return {{"version", worker.version}, {"commit", worker.commit}, {"kafka_cluster_id", worker.kafka_cluster_id}};
}

Json to_json(const PluginInfo& plugin) {
  Json out = {{"class", plugin.class_name}, {"type", plugin.type}};
  if (!plugin.version.empty()) out["version"] = plugin.version;
  return out;
}

Json to_json(const ConfigKeyInfo& key) {
  return {{"name", key.name},
          {"type", key.type},
          {"required", key.required},
          {"default_value", or_null(key.default_value)},
          {"importance", key.importance},
          {"documentation", key.documentation},
          {"group", or_null(key.group)},
          {"width", key.width},
          {"display_name", key.display_name},
          {"dependents", key.dependents},
          {"order", key.order}};
}

Json to_json(const ConfigInfos& infos) {
  Json configs = Json::array();
  for (const ConfigInfo& config : infos.configs) {
    Json definition = config.definition ? to_json(*config.definition) : Json(nullptr);
    configs.push_back({{"definition", std::move(definition)}, {"value", value_to_json(config.value)}});
  }
  return {{"name", infos.name},
          {"error_count", infos.error_count},
          {"groups", infos.groups},
          {"configs", std::move(configs)}};
}

Json to_json(const std::vector<ConnectorOffset>& offsets) {
  Json list = Json::array();
  for (const auto& [partition, offset] : offsets) {
    Json entry = Json::object();
    entry["partition"] = stored_json(partition);
    entry["offset"] = stored_json(offset);
    list.push_back(std::move(entry));
  }
  Json out = Json::object();
  out["offsets"] = std::move(list);
  return out;
}

Json tasks_to_json(const std::string& connector, const std::vector<TaskInfo>& tasks) {
  Json out = Json::array();
  for (const auto& [task, config] : tasks) {
    out.push_back({{"id", task_id(connector, task)}, {"config", config_to_json(config)}});
  }
  return out;
}

Json task_configs_to_json(const std::string& connector, const std::vector<TaskInfo>& tasks) {
  Json out = Json::object();
  for (const auto& [task, config] : tasks) out[fmt::format("{}-{}", connector, task)] = config_to_json(config);
  return out;
}

Json error_to_json(int status, std::string_view message) { return {{"error_code", status}, {"message", message}}; }

std::string json_text(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace millrace
