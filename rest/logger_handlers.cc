#include <fmt/format.h>

#include <chrono>

#include "rest/call.h"
#include "rest/json_views.h"

namespace millrace {
namespace {

Json to_json(const LogLevels::Level& level) {
  Json out = {{"level", log_level_name(level.level)}};
  out["last_modified"] = level.last_modified_ms ? Json(*level.last_modified_ms) : Json(nullptr);
  return out;
}

int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// Without a table of levels nothing is ever written.
const std::shared_ptr<LogLevels>& levels_of(const Call& call) {
  static const auto kSilent = std::make_shared<LogLevels>(LogLevel::kOff);
  return call.options.levels != nullptr ? call.options.levels : kSilent;
}

}  // namespace

RestResponse list_loggers(const Call& call) {
  Json list = Json::object();
  for (const auto& [name, level] : levels_of(call)->all()) list[name] = to_json(level);
  return json_response(list);
}

RestResponse get_logger(const Call& call) {
  const auto level = levels_of(call)->level(call.name());
  if (!level) return error_response(404, fmt::format("Logger {} not found.", call.name()));
  return json_response(to_json(*level));
}

RestResponse set_logger(const Call& call) {
  const auto body = parse_config_body(call.request.body);
  if (!body) return error_response(body.error());
  const auto wish = body->find("level");
  if (wish == body->end() || !wish->second)
    return error_response(400, "Desired 'level' parameter was not specified in request.");
  const auto level = parse_log_level(*wish->second);
  if (!level) return error_response(404, fmt::format("invalid log level '{}'.", *wish->second));
  const std::string* scope = call.target.parameter("scope");
  if (scope == nullptr || !equals_ignoring_case(*scope, "cluster"))
    return json_response(Json(levels_of(call)->set(call.name(), *level, now_ms())));
  if (call.options.publish_level) return answer(call.options.publish_level(call.name(), *level), 204);
  levels_of(call)->set(call.name(), *level, now_ms());
  return empty_response(204);
}

}  // namespace millrace
