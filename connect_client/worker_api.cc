#include "connect_client/worker_api.h"

#include <fmt/format.h>

#include <algorithm>

#include "connect_client/text.h"

namespace millrace::connect {
namespace {

Status without_value(Expected<Json> answer) {
  if (!answer) return fail(std::move(answer.error()));
  return {};
}

Expected<std::string> sentence(Expected<Json> answer) {
  if (!answer) return fail(std::move(answer.error()));
  return text_at(*answer, "message");
}

}  // namespace

std::string WorkerApi::path(const std::string& name, std::string_view suffix) {
  return "/connectors/" + encode_segment(name) + std::string(suffix);
}

Expected<Json> WorkerApi::call(const std::string& name, std::string_view method, const std::string& path,
                               const Json* body) {
  auto answer = connection_.call(method, path, body);
  if (answer || answer.error().code != ErrorCode::kNotFound) return answer;
  auto known = names();
  if (!known) return answer;
  // The connector is there, so what is missing is something else: a task, or the endpoint.
  if (std::ranges::binary_search(*known, name)) return answer;
  std::string message = fmt::format("there is no connector '{}' at {}", name, connection_.shown());
  if (const std::string near = nearest(name, *known); !near.empty()) {
    message += fmt::format("; did you mean '{}'?", near);
  } else {
    message += "; see: millrace connectors list";
  }
  return fail(ErrorCode::kNotFound, std::move(message));
}

Expected<std::vector<Connector>> WorkerApi::connectors() {
  auto answer = connection_.call("GET", "/connectors?expand=status&expand=info");
  if (!answer) return fail(std::move(answer.error()));
  if (!answer->is_object())
    return fail(ErrorCode::kInternal, fmt::format("{} lists its connectors without their states; "
                                                  "it is older than Kafka Connect 2.3",
                                                  connection_.shown()));
  std::vector<Connector> connectors;
  for (const auto& [name, parts] : answer->items()) {
    Connector connector = connector_of_status(parts.contains("status") ? parts["status"] : Json());
    connector.name = name;
    if (parts.contains("info") && parts["info"].contains("config"))
      connector.config = config_of(parts["info"]["config"]);
    connectors.push_back(std::move(connector));
  }
  std::ranges::sort(connectors, {}, &Connector::name);
  return connectors;
}

Expected<std::vector<std::string>> WorkerApi::names() {
  auto answer = connection_.call("GET", "/connectors");
  if (!answer) return fail(std::move(answer.error()));
  std::vector<std::string> names;
  for (const Json& name : *answer) {
    if (name.is_string()) names.push_back(name.get<std::string>());
  }
  std::ranges::sort(names);
  return names;
}

Expected<Connector> WorkerApi::status(const std::string& name) {
  auto answer = call(name, "GET", path(name, "/status"));
  if (!answer) return fail(std::move(answer.error()));
  return connector_of_status(*answer);
}

Expected<Config> WorkerApi::config(const std::string& name) {
  auto answer = call(name, "GET", path(name, "/config"));
  if (!answer) return fail(std::move(answer.error()));
  return config_of(*answer);
}

Expected<std::optional<Config>> WorkerApi::find_config(const std::string& name) {
  auto answer = connection_.call("GET", path(name, "/config"));
  if (answer) return config_of(*answer);
  if (answer.error().code == ErrorCode::kNotFound) return std::optional<Config>();
  return fail(std::move(answer.error()));
}

Status WorkerApi::create(const std::string& name, const Config& config, const std::string& initial_state) {
  Json body{{"name", name}, {"config", to_json(config)}};
  if (!initial_state.empty()) body["initial_state"] = initial_state;
  return without_value(connection_.call("POST", "/connectors", &body));
}

Status WorkerApi::update(const std::string& name, const Config& config) {
  const Json body = to_json(config);
  return without_value(call(name, "PUT", path(name, "/config"), &body));
}

Status WorkerApi::remove(const std::string& name) { return without_value(call(name, "DELETE", path(name))); }

Status WorkerApi::change_state(const std::string& name, std::string_view verb) {
  return without_value(call(name, "PUT", path(name, "/" + std::string(verb))));
}

Expected<Json> WorkerApi::offsets(const std::string& name) {
  auto answer = call(name, "GET", path(name, "/offsets"));
  if (!answer) return answer;
  if (!answer->is_object() || !answer->contains("offsets") || !(*answer)["offsets"].is_array()) return Json::array();
  return (*answer)["offsets"];
}

Expected<std::string> WorkerApi::set_offsets(const std::string& name, const Json& offsets) {
  const Json body{{"offsets", offsets}};
  return sentence(call(name, "PATCH", path(name, "/offsets"), &body));
}

Expected<std::string> WorkerApi::reset_offsets(const std::string& name) {
  return sentence(call(name, "DELETE", path(name, "/offsets")));
}

Expected<std::vector<ConfigProblem>> WorkerApi::validate(const Config& config) {
  const auto found = config.find("connector.class");
  if (found == config.end() || found->second.empty())
    return std::vector<ConfigProblem>{{"connector.class", "it is missing; see: millrace connectors plugins"}};
  const std::string plugin = "/connector-plugins/" + encode_segment(found->second) + "/config";
  const Json body = to_json(config);
  auto answer = connection_.call("PUT", plugin + "/validate", &body);
  if (!answer) {
    // A class that is not there is a 500 or a 404 of many texts; the definitions' endpoint tells it apart.
    auto known = connection_.call("GET", plugin);
    if (!known && known.error().code == ErrorCode::kNotFound)
      return fail(ErrorCode::kNotFound, fmt::format("{} has no connector class '{}'; see: millrace connectors plugins",
                                                    connection_.shown(), found->second));
    return fail(std::move(answer.error()));
  }
  std::vector<ConfigProblem> problems;
  for (const Json& entry : answer->value("configs", Json::array())) {
    if (!entry.contains("value") || !entry["value"].contains("errors")) continue;
    for (const Json& error : entry["value"]["errors"]) {
      if (error.is_string()) problems.push_back({text_at(entry["value"], "name"), error.get<std::string>()});
    }
  }
  return problems;
}

}  // namespace millrace::connect
