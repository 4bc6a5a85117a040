#include "connect_client/connector_model.h"

#include <algorithm>

namespace millrace::connect {
namespace {

PartStatus part_of(const Json& json) {
  PartStatus part{-1, text_at(json, "state"), text_at(json, "worker_id"), text_at(json, "trace")};
  if (json.is_object() && json.contains("id") && json["id"].is_number_integer()) part.task = json["id"].get<int>();
  return part;
}

std::string scalar_text(const Json& json) { return json.is_string() ? json.get<std::string>() : json.dump(); }

}  // namespace

std::string Connector::class_name() const {
  const auto found = config.find("connector.class");
  return found == config.end() ? std::string() : found->second;
}

std::string Connector::state() const { return std::ranges::any_of(tasks, &PartStatus::failed) ? "FAILED" : self.state; }

size_t Connector::running_tasks() const {
  return static_cast<size_t>(std::ranges::count(tasks, "RUNNING", &PartStatus::state));
}

std::vector<PartStatus> Connector::parts() const {
  std::vector<PartStatus> all{self};
  all.insert(all.end(), tasks.begin(), tasks.end());
  return all;
}

bool Connector::settled_in(const std::string& wanted) const {
  if (self.state != wanted) return false;
  if (wanted == "STOPPED") return tasks.empty();
  if (wanted == "RUNNING" && tasks.empty()) return false;
  return std::ranges::all_of(tasks, [&](const PartStatus& task) { return task.state == wanted; });
}

Connector connector_of_status(const Json& status) {
  Connector connector;
  connector.name = text_at(status, "name");
  connector.type = text_at(status, "type");
  if (!status.is_object()) return connector;
  if (status.contains("connector")) connector.self = part_of(status["connector"]);
  if (status.contains("tasks") && status["tasks"].is_array()) {
    for (const Json& task : status["tasks"]) connector.tasks.push_back(part_of(task));
  }
  std::ranges::sort(connector.tasks, {}, &PartStatus::task);
  return connector;
}

Config config_of(const Json& json) {
  Config config;
  if (!json.is_object()) return config;
  for (const auto& [key, value] : json.items()) {
    if (!value.is_null() && !value.is_structured()) config[key] = scalar_text(value);
  }
  return config;
}

Json to_json(const Config& config) {
  Json json = Json::object();
  for (const auto& [key, value] : config) json[key] = value;
  return json;
}

std::string text_at(const Json& json, const std::string& key) {
  if (!json.is_object() || !json.contains(key) || !json[key].is_string()) return {};
  return json[key].get<std::string>();
}

bool same_value(const Json& a, const Json& b) {
  if (a.is_object() && b.is_object()) {
    return a.size() == b.size() && std::ranges::all_of(a.items(), [&](const auto& item) {
             return b.contains(item.key()) && same_value(item.value(), b[item.key()]);
           });
  }
  if (a.is_array() && b.is_array()) return std::ranges::equal(a, b, same_value);
  if (a.is_structured() || b.is_structured()) return false;
  return scalar_text(a) == scalar_text(b);
}

}  // namespace millrace::connect
