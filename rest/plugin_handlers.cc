#include <fmt/format.h>

#include "rest/call.h"
#include "rest/json_views.h"

namespace millrace {
namespace {

std::string_view without_connector_suffix(std::string_view plugin) {
  constexpr std::string_view kSuffix = "Connector";
  if (plugin.ends_with(kSuffix)) plugin.remove_suffix(kSuffix.size());
  return plugin;
}

/// Kafka Connect runs validation on another thread and answers with that thread's exception, class name and all.
RestResponse validation_failed(const Error& error) {
  std::string_view exception = error.exception;
  if (exception.empty() && error.code == ErrorCode::kInvalidConfig) {
    exception = "org.apache.kafka.connect.runtime.rest.errors.BadRequestException";
  }
  if (exception.empty()) exception = "org.apache.kafka.connect.errors.ConnectException";
  return error_response(500, fmt::format("{}: {}", exception, error.message));
}

}  // namespace

RestResponse list_plugins(const Call& call) {
  Json list = Json::array();
  for (const PluginInfo& plugin : call.herder().plugins(call.target.flag("connectorsOnly", true)))
    list.push_back(to_json(plugin));
  return json_response(list);
}

RestResponse get_plugin_config(const Call& call) {
  return answer(call.herder().plugin_config(call.name()), [](const std::vector<ConfigKeyInfo>& keys) {
    Json list = Json::array();
    for (const ConfigKeyInfo& key : keys) list.push_back(to_json(key));
    return list;
  });
}

RestResponse validate_config(const Call& call) {
  const auto config = parse_config_body(call.request.body);
  if (!config) return error_response(config.error());
  const auto included = config->find("connector.class");
  if (included != config->end() && included->second &&
      !without_connector_suffix(*included->second).ends_with(without_connector_suffix(call.name()))) {
    return error_response(
        400, fmt::format("Included connector type {} does not match request type {}", *included->second, call.name()));
  }
  const auto infos = call.herder().validate(call.name(), *config);
  return infos ? json_response(to_json(*infos)) : validation_failed(infos.error());
}

}  // namespace millrace
