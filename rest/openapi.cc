#include "rest/openapi.h"

#include <fmt/format.h>

#include "rest/call.h"
#include "rest/routes.h"

namespace millrace {
namespace {

Json schema_reference(std::string_view name) { return {{"$ref", fmt::format("#/components/schemas/{}", name)}}; }

Json json_content(std::string_view schema) { return {{"application/json", {{"schema", schema_reference(schema)}}}}; }

Json path_parameters(std::string_view path) {
  Json parameters = Json::array();
  for (size_t open = path.find('{'); open != path.npos; open = path.find('{', open + 1)) {
    const std::string_view name = path.substr(open + 1, path.find('}', open) - open - 1);
    Json schema = {{"type", name == "task" ? "integer" : "string"}};
    if (name != "task") schema["minLength"] = 1;
    parameters.push_back({{"name", name}, {"in", "path"}, {"required", true}, {"schema", std::move(schema)}});
  }
  return parameters;
}

Json query_parameter(const QueryParameter& parameter) {
  Json value = {{"type", "string"}, {"enum", parameter.values}};
  Json schema = parameter.repeated ? Json{{"type", "array"}, {"items", value}} : value;
  Json out = {{"name", parameter.name}, {"in", "query"}, {"description", parameter.summary}, {"schema", schema}};
  if (parameter.repeated) out["explode"] = true;
  return out;
}

Json response(const Answer& answer) {
  Json out = {{"description", answer.summary}};
  if (!answer.schema.empty()) out["content"] = json_content(answer.schema);
  return out;
}

/// What any endpoint may answer, besides what is its own.
std::vector<Answer> common_answers(const Route& route) {
  std::vector<Answer> answers = {
      {400, "Error", "The request is malformed."},
      {401, "Unauthorized", "Authentication is configured, and the request has no right user and password."},
      {406, "Error", "The Accept header excludes JSON. Without Content-Type."}};
  if (!route.body.empty()) answers.push_back({413, "Error", "The body is too large."});
  if (!route.any_body) answers.push_back({415, "Error", "The body is not application/json. Without Content-Type."});
  if (route.path.find("{task}") != route.path.npos) answers.push_back({404, "Error", "The number is none."});
  answers.push_back({431, "Error", "The headers are too large."});
  answers.push_back({500, "Error",
                     route.body.empty()
                         ? "The operation failed, its time was over, or the worker is stopping."
                         : "As in Kafka Connect: the body is not JSON or not of the right shape. Also: the operation "
                           "failed, its time was over, or the worker is stopping."});
  return answers;
}

Json responses(const Route& route) {
  std::map<int, Json> by_status;
  for (const Answer& answer : route.answers) by_status.emplace(answer.status, response(answer));
  for (const Answer& answer : common_answers(route)) by_status.emplace(answer.status, response(answer));
  Json out = Json::object();
  for (auto& [status, json] : by_status) out[std::to_string(status)] = std::move(json);
  return out;
}

Json operation(const Route& route) {
  Json out = {{"tags", Json::array({route.tag})}, {"operationId", route.operation}, {"summary", route.summary}};
  Json parameters = path_parameters(route.path);
  for (const QueryParameter& parameter : route.query) parameters.push_back(query_parameter(parameter));
  if (!parameters.empty()) out["parameters"] = std::move(parameters);
  if (!route.body.empty()) out["requestBody"] = {{"required", true}, {"content", json_content(route.body)}};
  out["responses"] = responses(route);
  return out;
}

}  // namespace

Json openapi_description() {
  Json out = {{"openapi", "3.0.3"},
              {"info",
               {{"title", "millrace: Kafka Connect REST API"},
                {"description", "What Kafka Connect's workers answer, and a few endpoints of millrace's own."},
                {"version", "1"}}},
              {"servers", Json::array({{{"url", "/"}}})},
              {"paths", Json::object()}};
  for (const Route& route : routes())
    out["paths"]["/" + std::string(route.path)][lower_case(route.method)] = operation(route);
  out["components"] = {{"schemas", openapi_schemas()},
                       {"securitySchemes", {{"basic", {{"type", "http"}, {"scheme", "basic"}}}}}};
  return out;
}

const std::string& openapi_text() {
  static const std::string text = openapi_description().dump(1) + "\n";
  return text;
}

}  // namespace millrace
