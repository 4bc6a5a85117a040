#include "rest/json_views.h"

#include <fmt/format.h>
#include <cmath>

#include <iterator>

#include "core/json_text.h"

namespace millrace {
namespace {

Json or_null(const std::optional<std::string>& text) { return text ? Json(*text) : Json(nullptr); }

Json config_to_json(const ConfigMap& config) {
  Json out = Json::object();
  for (const auto& [key, value] : config) out[key] = value;
  return out;
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

namespace {

void append_member(std::string& to, std::string_view name, std::string_view value) {
  append_json_string(to, name);
  to += ':';
  append_json_string(to, value);
}

void append_progress(std::string& to, const std::vector<ConnectorStatus::Progress>& progress) {
  to += R"(,"progress":{)";
  for (const auto& item : progress) {
    if (&item != &progress.front()) to += ',';
    append_json_string(to, item.name);
    to += ':';
    if (item.text) {
      append_json_string(to, *item.text);
    } else {
      fmt::format_to(std::back_inserter(to), "{}", std::isfinite(item.number) ? item.number : 0.0);
    }
  }
  to += '}';
}

void append_part(std::string& to, const ConnectorStatus::Part& part) {
  append_member(to, "state", state_name(part.state));
  to += ',';
  append_member(to, "worker_id", part.worker_id);
  if (!part.trace.empty()) {
    to += ',';
    append_member(to, "trace", part.trace);
  }
  if (part.restarts != 0) fmt::format_to(std::back_inserter(to), R"(,"restarts":{})", part.restarts);
  if (!part.progress.empty()) append_progress(to, part.progress);
}

template <class T>
std::string text_by(void (*append)(std::string&, const T&), const T& value) {
  std::string text;
  append(text, value);
  return text;
}

void append_task(std::string& to, const ConnectorStatus::Part& task) {
  fmt::format_to(std::back_inserter(to), R"({{"id":{},)", task.id);
  append_part(to, task);
  to += '}';
}

}  // namespace

void append_config(std::string& to, const ConfigMap& config) {
  to += '{';
  for (const auto& [key, value] : config) {
    append_member(to, key, value);
    to += ',';
  }
  if (!config.empty()) to.pop_back();
  to += '}';
}

void append_info(std::string& to, const ConnectorInfo& info) {
  to += '{';
  append_member(to, "name", info.name);
  to += R"(,"config":)";
  append_config(to, info.config);
  to += R"(,"tasks":[)";
  for (const int task : info.tasks) {
    to += '{';
    append_member(to, "connector", info.name);
    fmt::format_to(std::back_inserter(to), R"(,"task":{}}},)", task);
  }
  if (!info.tasks.empty()) to.pop_back();
  to += "],";
  append_member(to, "type", connector_type_name(info.type));
  to += '}';
}

void append_status(std::string& to, const ConnectorStatus& status) {
  to += '{';
  append_member(to, "name", status.name);
  to += R"(,"connector":{)";
  append_part(to, status.connector);
  to += R"(},"tasks":[)";
  for (const auto& task : status.tasks) {
    append_task(to, task);
    to += ',';
  }
  if (!status.tasks.empty()) to.pop_back();
  to += "],";
  append_member(to, "type", connector_type_name(status.type));
  to += '}';
}

std::string config_text(const ConfigMap& config) { return text_by(append_config, config); }
std::string info_text(const ConnectorInfo& info) { return text_by(append_info, info); }
std::string status_text(const ConnectorStatus& status) { return text_by(append_status, status); }
std::string task_text(const ConnectorStatus::Part& task) { return text_by(append_task, task); }

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
