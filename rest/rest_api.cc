#include "rest/rest_api.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <span>

#include "rest/json_views.h"

namespace millrace {
namespace {

constexpr std::string_view kJson = "application/json";

RestResponse json_response(const Json& body, int status = 200) {
  return {.status = status, .content_type = std::string(kJson), .body = json_text(body), .location = {}, .allow = {}};
}

RestResponse empty_response(int status) {
  return {.status = status, .content_type = {}, .body = {}, .location = {}, .allow = {}};
}

int status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kNotFound:
      return 404;
    case ErrorCode::kAlreadyExists:
    case ErrorCode::kConflict:
      return 409;
    case ErrorCode::kInvalidConfig:
      return 400;
    default:
      return 500;
  }
}

RestResponse error_response(const Error& error) {
  return millrace::error_response(status_of(error.code), error.message);
}

template <class T, class F>
RestResponse answer(const Expected<T>& result, F&& view) {
  return result ? json_response(view(*result)) : error_response(result.error());
}

RestResponse answer(const Status& result, int status) {
  return result ? empty_response(status) : error_response(result.error());
}

/// One request on its way through a handler. `args` are the path's variable segments.
struct Call {
  Herder& herder;
  const RestRequest& request;
  const Target& target;
  std::vector<std::string> args;
  const RestApi::Options& options;

  const std::string& name() const { return args[0]; }
};

std::string location_of(const Call& call, const std::string& connector) {
  const std::string& host = call.request.host.empty() ? call.options.advertised : call.request.host;
  return fmt::format("http://{}/connectors/{}", host, encode_path(connector));
}

RestResponse created_response(const Call& call, const std::string& connector, const Herder::Created& result) {
  RestResponse response = json_response(to_json(result.info), result.created ? 201 : 200);
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

/// Java's Integer.valueOf.
std::optional<int> parse_task_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return number;
}

// ---- root and connectors

RestResponse get_root(const Call& call) { return json_response(to_json(call.herder.worker_info())); }

/// Members in the order they were asked for; nothing if the connector is gone or has no status yet.
std::optional<Json> expanded(const Call& call, const std::string& connector) {
  Json members = Json::object();
  for (const auto& [parameter, value] : call.target.query) {
    if (parameter != "expand") continue;
    if (value == "info") {
      const auto info = call.herder.connector_info(connector);
      if (!info) return {};
      members["info"] = to_json(*info);
    } else if (value == "status") {
      const auto status = call.herder.connector_status(connector);
      if (!status) return {};
      members["status"] = to_json(*status);
    }
  }
  return members;
}

RestResponse list_connectors(const Call& call) {
  const auto names = call.herder.connectors();
  if (!names) return error_response(names.error());
  if (call.target.parameter("expand") == nullptr) return json_response(Json(*names));
  Json all = Json::object();
  for (const std::string& name : *names) {
    if (auto members = expanded(call, name)) all[name] = std::move(*members);
  }
  return json_response(all);
}

RestResponse create_connector(const Call& call) {
  auto body = parse_create_body(call.request.body);
  if (!body) return error_response(body.error());
  if (Status same = check_name(body->config, body->name); !same) return error_response(same.error());
  body->config["name"] = body->name;
  const auto result = call.herder.put_connector(body->name, body->config, body->initial, /*replace=*/false);
  if (!result) return error_response(result.error());
  return created_response(call, body->name, {.created = true, .info = result->info});
}

RestResponse get_connector(const Call& call) {
  return answer(call.herder.connector_info(call.name()), [](const ConnectorInfo& info) { return to_json(info); });
}

RestResponse delete_connector(const Call& call) { return answer(call.herder.delete_connector(call.name()), 204); }

RestResponse get_config(const Call& call) {
  return answer(call.herder.connector_info(call.name()), [](const ConnectorInfo& info) { return Json(info.config); });
}

RestResponse put_config(const Call& call) {
  auto config = parse_config_body(call.request.body);
  if (!config) return error_response(config.error());
  if (Status same = check_name(*config, call.name()); !same) return error_response(same.error());
  (*config)["name"] = call.name();
  const auto result = call.herder.put_connector(call.name(), *config, TargetState::kStarted, /*replace=*/true);
  if (!result) return error_response(result.error());
  return created_response(call, call.name(), *result);
}

RestResponse patch_config(const Call& call) {
  const auto patch = parse_config_body(call.request.body);
  if (!patch) return error_response(patch.error());
  // Kafka Connect lets a patch change the name inside the configuration, which leaves a connector with two names.
  if (Status same = check_name(*patch, call.name()); !same) return error_response(same.error());
  return answer(call.herder.patch_connector(call.name(), *patch),
                [](const ConnectorInfo& info) { return to_json(info); });
}

RestResponse get_status(const Call& call) {
  return answer(call.herder.connector_status(call.name()),
                [](const ConnectorStatus& status) { return to_json(status); });
}

RestResponse restart_connector(const Call& call) {
  const RestartRequest request{.include_tasks = call.target.flag("includeTasks", false),
                               .only_failed = call.target.flag("onlyFailed", false)};
  const auto plan = call.herder.restart_connector(call.name(), request);
  if (!plan) return error_response(plan.error());
  return request.include_tasks || request.only_failed ? json_response(to_json(*plan), 202) : empty_response(204);
}

RestResponse pause(const Call& call) {
  return answer(call.herder.set_target_state(call.name(), TargetState::kPaused), 202);
}
RestResponse resume(const Call& call) {
  return answer(call.herder.set_target_state(call.name(), TargetState::kStarted), 202);
}
RestResponse stop(const Call& call) {
  return answer(call.herder.set_target_state(call.name(), TargetState::kStopped), 204);
}

// ---- tasks

RestResponse get_tasks(const Call& call) {
  return answer(call.herder.task_configs(call.name()),
                [&](const auto& tasks) { return tasks_to_json(call.name(), tasks); });
}

RestResponse get_task_configs(const Call& call) {
  return answer(call.herder.task_configs(call.name()),
                [&](const auto& tasks) { return task_configs_to_json(call.name(), tasks); });
}

RestResponse not_a_task_number() { return millrace::error_response(404, "HTTP 404 Not Found"); }

RestResponse get_task_status(const Call& call) {
  const auto task = parse_task_number(call.args[1]);
  if (!task) return not_a_task_number();
  return answer(call.herder.task_status(call.name(), *task), task_to_json);
}

RestResponse restart_task(const Call& call) {
  const auto task = parse_task_number(call.args[1]);
  if (!task) return not_a_task_number();
  return answer(call.herder.restart_task(call.name(), *task), 204);
}

/// Nothing here speaks to other workers, so an internal request can never carry a signature that is right.
RestResponse refuse_internal(const Call& call, std::string_view standalone_text) {
  if (call.options.standalone) return millrace::error_response(500, standalone_text);
  return millrace::error_response(400, "Internal request missing required signature");
}
RestResponse put_task_configs(const Call& call) {
  return refuse_internal(call,
                         "Kafka Connect in standalone mode does not support externally setting task configurations.");
}
RestResponse fence(const Call& call) {
  return refuse_internal(call, "Kafka Connect in standalone mode does not support exactly-once source connectors.");
}

// ---- topics and offsets

/// The only state that forbids these calls is that topic tracking is switched off.
RestResponse topics_error(const Error& error) {
  return error.code == ErrorCode::kConflict ? millrace::error_response(403, error.message) : error_response(error);
}

RestResponse get_topics(const Call& call) {
  const auto topics = call.herder.active_topics(call.name());
  if (!topics) return topics_error(topics.error());
  Json body = Json::object();
  body[call.name()]["topics"] = *topics;
  return json_response(body);
}

RestResponse reset_topics(const Call& call) {
  const Status reset = call.herder.reset_active_topics(call.name());
  return reset ? empty_response(202) : topics_error(reset.error());
}

Json message_to_json(const std::string& message) {
  Json body = Json::object();
  body["message"] = message;
  return body;
}

RestResponse get_offsets(const Call& call) {
  return answer(call.herder.offsets(call.name()), [](const auto& offsets) { return to_json(offsets); });
}

RestResponse alter_offsets(const Call& call) {
  const auto offsets = parse_offsets_body(call.request.body);
  if (!offsets) return error_response(offsets.error());
  return answer(call.herder.alter_offsets(call.name(), *offsets), message_to_json);
}

RestResponse reset_offsets(const Call& call) { return answer(call.herder.reset_offsets(call.name()), message_to_json); }

// ---- plugins

RestResponse list_plugins(const Call& call) {
  Json list = Json::array();
  for (const PluginInfo& plugin : call.herder.plugins(call.target.flag("connectorsOnly", true)))
    list.push_back(to_json(plugin));
  return json_response(list);
}

RestResponse get_plugin_config(const Call& call) {
  return answer(call.herder.plugin_config(call.name()), [](const std::vector<ConfigKeyInfo>& keys) {
    Json list = Json::array();
    for (const ConfigKeyInfo& key : keys) list.push_back(to_json(key));
    return list;
  });
}

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
  return millrace::error_response(500, fmt::format("{}: {}", exception, error.message));
}

RestResponse validate(const Call& call) {
  const auto config = parse_config_body(call.request.body);
  if (!config) return error_response(config.error());
  const auto included = config->find("connector.class");
  if (included != config->end() && included->second &&
      !without_connector_suffix(*included->second).ends_with(without_connector_suffix(call.name()))) {
    return millrace::error_response(
        400, fmt::format("Included connector type {} does not match request type {}", *included->second, call.name()));
  }
  const auto infos = call.herder.validate(call.name(), *config);
  return infos ? json_response(to_json(*infos)) : validation_failed(infos.error());
}

// ---- routing

using Handler = RestResponse (*)(const Call&);

struct Route {
  std::string_view method;
  std::string_view path;  ///< `*` stands for one segment
  Handler handler;
};

constexpr auto kRoutes = std::to_array<Route>({
    {"GET", "", get_root},
    {"POST", "connectors", create_connector},
    {"GET", "connectors", list_connectors},
    {"DELETE", "connectors/*", delete_connector},
    {"GET", "connectors/*", get_connector},
    {"GET", "connectors/*/config", get_config},
    {"PUT", "connectors/*/config", put_config},
    {"PATCH", "connectors/*/config", patch_config},
    {"GET", "connectors/*/status", get_status},
    {"POST", "connectors/*/restart", restart_connector},
    {"PUT", "connectors/*/pause", pause},
    {"PUT", "connectors/*/resume", resume},
    {"PUT", "connectors/*/stop", stop},
    {"PUT", "connectors/*/fence", fence},
    {"POST", "connectors/*/tasks", put_task_configs},
    {"GET", "connectors/*/tasks", get_tasks},
    {"GET", "connectors/*/tasks-config", get_task_configs},
    {"GET", "connectors/*/tasks/*/status", get_task_status},
    {"POST", "connectors/*/tasks/*/restart", restart_task},
    {"GET", "connectors/*/topics", get_topics},
    {"PUT", "connectors/*/topics/reset", reset_topics},
    {"DELETE", "connectors/*/offsets", reset_offsets},
    {"GET", "connectors/*/offsets", get_offsets},
    {"PATCH", "connectors/*/offsets", alter_offsets},
    {"GET", "connector-plugins", list_plugins},
    {"GET", "connector-plugins/*/config", get_plugin_config},
    {"PUT", "connector-plugins/*/config/validate", validate},
});
constexpr Route kHealth{"GET", "health", nullptr};  // answers while there is no herder

/// The variable segments, or nothing if the path is another one.
std::optional<std::vector<std::string>> match(std::string_view pattern, std::span<const std::string> segments) {
  std::vector<std::string> args;
  size_t used = 0;
  while (!pattern.empty()) {
    const size_t slash = pattern.find('/');
    const std::string_view part = pattern.substr(0, slash);
    pattern = slash == pattern.npos ? std::string_view() : pattern.substr(slash + 1);
    if (used == segments.size() || segments[used].empty()) return {};
    if (part == "*") {
      args.push_back(segments[used]);
    } else if (part != segments[used]) {
      return {};
    }
    ++used;
  }
  if (used != segments.size()) return {};
  return args;
}

/// What is at a path: its methods, and the route of the method asked for.
struct Found {
  std::vector<std::string_view> methods;
  const Route* route = nullptr;
  std::vector<std::string> args;
};

Found find_route(std::string_view method, std::span<const std::string> segments) {
  Found found;
  const auto look_at = [&](const Route& route) {
    auto args = match(route.path, segments);
    if (!args) return;
    found.methods.push_back(route.method);
    if (route.method != method) return;
    found.route = &route;
    found.args = std::move(*args);
  };
  for (const Route& route : kRoutes) look_at(route);
  look_at(kHealth);
  return found;
}

RestResponse options_response(const std::vector<std::string_view>& methods) {
  std::vector<std::string_view> allowed;
  if (std::ranges::find(methods, "GET") != methods.end()) allowed.push_back("HEAD");
  allowed.insert(allowed.end(), methods.begin(), methods.end());
  allowed.push_back("OPTIONS");
  return {.status = 200,
          .content_type = "text/plain",
          .body = fmt::format("{}", fmt::join(allowed, ", ")),
          .location = {},
          .allow = fmt::format("{}", fmt::join(allowed, ","))};
}

/// What a resource demands of the request's media types; 0 = fine. The root resource takes any body.
int refused_media_type(const RestRequest& request, const Target& target) {
  const bool root = target.segments.empty() || target.segments[0] == kHealth.path;
  if (!root && request.content_type && !is_json_type(*request.content_type)) return 415;
  if (request.accept && !accepts_json(*request.accept)) return 406;
  return 0;
}

/// These read their body; the others ignore it.
bool reads_body(Handler handler) {
  constexpr std::array<Handler, 5> kReaders = {create_connector, put_config, patch_config, alter_offsets, validate};
  return std::ranges::find(kReaders, handler) != kReaders.end();
}

RestResponse malformed_target() {
  return {.status = 400,
          .content_type = "text/html;charset=iso-8859-1",
          .body = "<h1>Bad Message 400</h1><pre>reason: Bad Request</pre>",
          .location = {},
          .allow = {}};
}

Json health_to_json(std::string_view status, std::string_view message) {
  return {{"status", status}, {"message", message}};
}

}  // namespace

RestResponse error_response(int status, std::string_view message) {
  return json_response(error_to_json(status, message), status);
}

RestResponse routing_error(int status) {
  std::string_view reason = "Bad Request";
  switch (status) {
    case 404:
      reason = "Not Found";
      break;
    case 405:
      reason = "Method Not Allowed";
      break;
    case 406:
      reason = "Not Acceptable";
      break;
    case 413:
      reason = "Request Entity Too Large";
      break;
    case 414:
      reason = "Request-URI Too Long";
      break;
    case 415:
      reason = "Unsupported Media Type";
      break;
    default:
      break;
  }
  RestResponse response = millrace::error_response(status, fmt::format("HTTP {} {}", status, reason));
  response.content_type.clear();
  return response;
}

RestResponse RestApi::handle(const RestRequest& request) {
  const auto target = parse_target(request.target);
  if (!target) return malformed_target();
  const std::string_view method = request.method == "HEAD" ? std::string_view("GET") : std::string_view(request.method);
  if (const auto page = options_.pages.find(request.target.substr(0, request.target.find('?')));
      page != options_.pages.end() && method == "GET") {
    return {.status = 200,
            .content_type = page->second.content_type,
            .body = page->second.render(),
            .location = {},
            .allow = {}};
  }
  Found found = find_route(method, target->segments);
  if (found.methods.empty()) return routing_error(404);
  if (method == "OPTIONS") return options_response(found.methods);
  if (found.route == nullptr) return routing_error(405);
  if (const int status = refused_media_type(request, *target)) return routing_error(status);
  if (found.route == &kHealth) return health();
  if (reads_body(found.route->handler) && !request.body.empty() && !request.content_type) {
    return millrace::error_response(415, "HTTP 415 Unsupported Media Type");
  }
  const auto herder = gate_.wait(options_.start_wait);
  if (!herder) return error_response(herder.error());
  return found.route->handler({**herder, request, *target, std::move(found.args), options_});
}

RestResponse RestApi::health() const {
  constexpr std::string_view kStarting = "Worker is still starting up.";
  Herder* herder = gate_.now();
  if (herder == nullptr) return json_response(health_to_json("starting", kStarting), 503);
  const Status status = herder->health();
  if (status) {
    return json_response(health_to_json("healthy", "Worker has completed startup and is ready to handle requests."));
  }
  const std::string& why = status.error().message;
  if (status.error().code == ErrorCode::kUnavailable) {
    return json_response(
        health_to_json("starting", why.empty() ? std::string(kStarting) : fmt::format("{} {}", kStarting, why)), 503);
  }
  return json_response(
      health_to_json(
          "unhealthy",
          fmt::format("Worker was unable to handle this request and may be unable to handle other requests. {}", why)),
      500);
}

}  // namespace millrace
