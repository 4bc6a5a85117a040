#include <fmt/format.h>

#include <algorithm>

#include "core/json_text.h"
#include "rest/call.h"
#include "rest/json_views.h"

namespace millrace {
namespace {

std::string location_of(const Call& call, const std::string& connector) {
  const std::string& host = call.request.host.empty() ? call.options.advertised : call.request.host;
  return fmt::format("{}://{}/connectors/{}", call.request.secure ? "https" : "http", host, encode_path(connector));
}

RestResponse created_response(const Call& call, const std::string& connector, const Herder::Created& result) {
  RestResponse response = json_text_response(info_text(result.info), result.created ? 201 : 200);
  if (result.created) response.location = location_of(call, connector);
  return response;
}

/// A name inside the configuration must be the connector's own.
Status check_name(const RawConfig& config, const std::string& name) {
  const auto found = config.find("name");
  if (found == config.end() || !found->second || *found->second == name) return {};
  return fail(ErrorCode::kInvalidConfig,
              fmt::format("Connector name configuration ({}) doesn't match connector name in the URL ({})",
                          *found->second, name));
}

/// Appends the members that were asked for, in that order, or nothing and false if the connector is gone or has no
/// status yet.
bool append_expanded(std::string& to, Herder& herder, const std::string& connector,
                     const std::vector<std::string_view>& wanted) {
  const size_t begin = to.size();
  const auto give_up = [&] {
    to.resize(begin);
    return false;
  };
  append_json_string(to, connector);
  to += ":{";
  for (const std::string_view& member : wanted) {
    if (&member != &wanted.front()) to += ',';
    if (member == "info") {
      const auto info = herder.connector_info(connector);
      if (!info) return give_up();
      to += R"("info":)";
      append_info(to, *info);
    } else {
      const auto status = herder.connector_status(connector);
      if (!status) return give_up();
      to += R"("status":)";
      append_status(to, *status);
    }
  }
  to += '}';
  return true;
}

std::vector<std::string_view> wanted_members(const Target& target) {
  std::vector<std::string_view> wanted;
  for (const auto& [parameter, value] : target.query) {
    const bool known = parameter == "expand" && (value == "info" || value == "status");
    if (known && std::ranges::find(wanted, value) == wanted.end()) wanted.push_back(value);
  }
  return wanted;
}

/// The only state that forbids these calls is that topic tracking is switched off.
RestResponse topics_error(const Error& error) {
  return error.code == ErrorCode::kConflict ? error_response(403, error.message) : error_response(error);
}

Json message_to_json(const std::string& message) {
  Json body = Json::object();
  body["message"] = message;
  return body;
}

}  // namespace

RestResponse list_connectors(const Call& call) {
  const auto names = call.herder().connectors();
  if (!names) return error_response(names.error());
  if (call.target.parameter("expand") == nullptr) return json_response(Json(*names));
  const auto wanted = wanted_members(call.target);
  std::string body = "{";
  for (const std::string& name : *names) {
    if (append_expanded(body, call.herder(), name, wanted)) body += ',';
  }
  if (body.ends_with(',')) body.pop_back();
  return json_text_response(body += '}');
}

RestResponse create_connector(const Call& call) {
  auto body = parse_create_body(call.request.body);
  if (!body) return error_response(body.error());
  if (Status same = check_name(body->config, body->name); !same) return error_response(same.error());
  body->config["name"] = body->name;
  const auto result = call.herder().put_connector(body->name, body->config, body->initial, /*replace=*/false);
  if (!result) return error_response(result.error());
  return created_response(call, body->name, {.created = true, .info = result->info});
}

RestResponse get_connector(const Call& call) {
  return answer_text(call.herder().connector_info(call.name()), info_text);
}

RestResponse delete_connector(const Call& call) { return answer(call.herder().delete_connector(call.name()), 204); }

RestResponse get_config(const Call& call) {
  return answer_text(call.herder().connector_info(call.name()),
                     [](const ConnectorInfo& info) { return config_text(info.config); });
}

RestResponse put_config(const Call& call) {
  auto config = parse_config_body(call.request.body);
  if (!config) return error_response(config.error());
  if (Status same = check_name(*config, call.name()); !same) return error_response(same.error());
  (*config)["name"] = call.name();
  const auto result = call.herder().put_connector(call.name(), *config, TargetState::kStarted, /*replace=*/true);
  if (!result) return error_response(result.error());
  return created_response(call, call.name(), *result);
}

RestResponse patch_config(const Call& call) {
  const auto patch = parse_config_body(call.request.body);
  if (!patch) return error_response(patch.error());
  // Kafka Connect lets a patch change the name inside the configuration, which leaves a connector with two names.
  if (Status same = check_name(*patch, call.name()); !same) return error_response(same.error());
  return answer_text(call.herder().patch_connector(call.name(), *patch), info_text);
}

RestResponse get_status(const Call& call) {
  return answer_text(call.herder().connector_status(call.name()), status_text);
}

RestResponse restart_connector(const Call& call) {
  const RestartRequest request{.include_tasks = call.target.flag("includeTasks", false),
                               .only_failed = call.target.flag("onlyFailed", false)};
  const auto plan = call.herder().restart_connector(call.name(), request);
  if (!plan) return error_response(plan.error());
  return request.include_tasks || request.only_failed ? json_text_response(status_text(*plan), 202)
                                                      : empty_response(204);
}

RestResponse pause_connector(const Call& call) {
  return answer(call.herder().set_target_state(call.name(), TargetState::kPaused), 202);
}
RestResponse resume_connector(const Call& call) {
  return answer(call.herder().set_target_state(call.name(), TargetState::kStarted), 202);
}
RestResponse stop_connector(const Call& call) {
  return answer(call.herder().set_target_state(call.name(), TargetState::kStopped), 204);
}

RestResponse post_signal(const Call& call) {
  const auto signal = parse_signal_body(call.request.body);
  if (!signal) return error_response(400, signal.error().message);
  if (auto posted = call.herder().post_signal(call.name(), *signal); !posted) return error_response(posted.error());
  return json_text_response(*signal, 202);
}

RestResponse get_topics(const Call& call) {
  const auto topics = call.herder().active_topics(call.name());
  if (!topics) return topics_error(topics.error());
  Json body = Json::object();
  body[call.name()]["topics"] = *topics;
  return json_response(body);
}

RestResponse reset_topics(const Call& call) {
  const Status reset = call.herder().reset_active_topics(call.name());
  return reset ? empty_response(202) : topics_error(reset.error());
}

RestResponse get_offsets(const Call& call) {
  return answer(call.herder().offsets(call.name()), [](const auto& offsets) { return to_json(offsets); });
}

RestResponse alter_offsets(const Call& call) {
  const auto offsets = parse_offsets_body(call.request.body);
  if (!offsets) return error_response(offsets.error());
  return answer(call.herder().alter_offsets(call.name(), *offsets), message_to_json);
}

RestResponse reset_offsets(const Call& call) {
  return answer(call.herder().reset_offsets(call.name()), message_to_json);
}

}  // namespace millrace
