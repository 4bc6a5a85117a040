#include "rest/routes.h"

#include <optional>

#include "rest/call.h"

namespace millrace {
namespace {

const Answer kUnknown{404, "Error", "There is no such connector."};
const Answer kConflict{409, "Error", "The name is taken, or the workers of the group have not agreed within a minute."};
const Answer kInvalid{400, "Error", "The configuration is invalid; the message lists the errors."};
const QueryParameter kForward{"forward", "Set by workers that pass a request on to another.", {"true", "false"}};

std::vector<Route> connector_routes() {
  return {
      {.method = "POST",
       .path = "connectors",
       .handler = create_connector,
       .tag = "connectors",
       .operation = "createConnector",
       .summary = "Create a connector",
       .body = "CreateConnector",
       .answers = {{201, "ConnectorInfo", "Created; Location names it."}, kInvalid, kConflict}},
      {.method = "GET",
       .path = "connectors",
       .handler = list_connectors,
       .tag = "connectors",
       .operation = "listConnectors",
       .summary = "List the connectors, with their status and configuration if wanted",
       .query = {{"expand", "Answer with an object by name that has these members.", {"status", "info"}, true}},
       .answers = {{200, "ConnectorList", "Names, or with expand an object by name."}, kConflict}},
      {.method = "DELETE",
       .path = "connectors/{connector}",
       .handler = delete_connector,
       .tag = "connectors",
       .operation = "deleteConnector",
       .summary = "Delete a connector; its topics and offsets stay",
       .answers = {{204, "", "Deleted."}, kUnknown, kConflict}},
      {.method = "GET",
       .path = "connectors/{connector}",
       .handler = get_connector,
       .tag = "connectors",
       .operation = "getConnector",
       .summary = "Configuration and tasks of a connector",
       .answers = {{200, "ConnectorInfo", "The connector."}, kUnknown, kConflict}},
      {.method = "GET",
       .path = "connectors/{connector}/config",
       .handler = get_config,
       .tag = "connectors",
       .operation = "getConfig",
       .summary = "Configuration of a connector",
       .answers = {{200, "Config", "As it was stored; references to secrets are not resolved."}, kUnknown, kConflict}},
      {.method = "PUT",
       .path = "connectors/{connector}/config",
       .handler = put_config,
       .tag = "connectors",
       .operation = "putConfig",
       .summary = "Create a connector, or replace its configuration",
       .body = "Config",
       .answers = {{200, "ConnectorInfo", "Replaced."},
                   {201, "ConnectorInfo", "Created; Location names it."},
                   kInvalid,
                   kConflict}},
      {.method = "PATCH",
       .path = "connectors/{connector}/config",
       .handler = patch_config,
       .tag = "connectors",
       .operation = "patchConfig",
       .summary = "Change single settings; null removes one",
       .body = "Config",
       .answers = {{200, "ConnectorInfo", "Changed."}, kInvalid, kUnknown, kConflict}},
      {.method = "GET",
       .path = "connectors/{connector}/status",
       .handler = get_status,
       .tag = "connectors",
       .operation = "getStatus",
       .summary = "States of a connector and its tasks",
       .answers = {{200, "ConnectorStatus", "The states."}, {404, "Error", "There is no status of such a connector."}}},
      {.method = "POST",
       .path = "connectors/{connector}/restart",
       .handler = restart_connector,
       .tag = "connectors",
       .operation = "restartConnector",
       .summary = "Restart a connector, its tasks if wanted",
       .query = {{"includeTasks", "Restart its tasks, too.", {"true", "false"}},
                 {"onlyFailed", "Restart only what has failed.", {"true", "false"}}},
       .answers = {{202, "ConnectorStatus", "What is being restarted is RESTARTING."},
                   {204, "", "Without parameters: the connector has been restarted."},
                   kUnknown,
                   kConflict}},
      {.method = "PUT",
       .path = "connectors/{connector}/pause",
       .handler = pause_connector,
       .tag = "connectors",
       .operation = "pauseConnector",
       .summary = "Pause a connector; its tasks keep what they hold",
       .answers = {{202, "", "It will pause."}, kUnknown}},
      {.method = "PUT",
       .path = "connectors/{connector}/resume",
       .handler = resume_connector,
       .tag = "connectors",
       .operation = "resumeConnector",
       .summary = "Resume a connector that is paused or stopped",
       .answers = {{202, "", "It will run."}, kUnknown}},
      {.method = "PUT",
       .path = "connectors/{connector}/stop",
       .handler = stop_connector,
       .tag = "connectors",
       .operation = "stopConnector",
       .summary = "Stop a connector and give up its tasks",
       .answers = {{204, "", "It will stop."}, kUnknown, kConflict}},
      {.method = "POST",
       .path = "connectors/{connector}/signals",
       .handler = post_signal,
       .tag = "connectors",
       .operation = "postSignal",
       .summary = "Give a signal to the tasks of a connector: execute-snapshot, stop-, pause-, resume-snapshot, log",
       .body = "Signal",
       .answers = {{202, "Signal", "The tasks will take it."},
                   {400, "Error", "Not a signal."},
                   kUnknown,
                   {409, "Error", "No running task takes signals."}}},
  };
}

std::vector<Route> task_routes() {
  return {
      {.method = "PUT",
       .path = "connectors/{connector}/fence",
       .handler = fence_connector,
       .tag = "internal",
       .operation = "fenceConnector",
       .summary = "Of a worker to its leader: fence the producers of earlier tasks",
       .query = {kForward},
       .answers = {{204, "", "Fenced."},
                   {400, "Error", "Not signed, or not a source."},
                   {403, "Error", "The signature is wrong."},
                   kUnknown,
                   kConflict,
                   {503, "Error", "The session key is not known yet."}}},
      {.method = "POST",
       .path = "connectors/{connector}/tasks",
       .handler = put_task_configs,
       .tag = "internal",
       .operation = "putTaskConfigs",
       .summary = "Of a worker to its leader: new configurations of tasks",
       .body = "TaskConfigs",
       .query = {kForward},
       .answers = {{204, "", "Stored."},
                   {400, "Error", "Not signed, or the connector is stopped."},
                   {403, "Error", "The signature is wrong."},
                   kUnknown,
                   kConflict,
                   {503, "Error", "The session key is not known yet."}}},
      {.method = "GET",
       .path = "connectors/{connector}/tasks",
       .handler = get_tasks,
       .tag = "tasks",
       .operation = "listTasks",
       .summary = "Tasks of a connector with their configurations",
       .answers = {{200, "TaskList", "The tasks."}, kUnknown, kConflict}},
      {.method = "GET",
       .path = "connectors/{connector}/tasks-config",
       .handler = get_task_configs,
       .tag = "tasks",
       .operation = "listTaskConfigs",
       .summary = "Configurations of tasks by their names",
       .answers = {{200, "TaskConfigsByName", "The configurations."}, kUnknown, kConflict}},
      {.method = "GET",
       .path = "connectors/{connector}/tasks/{task}/status",
       .handler = get_task_status,
       .tag = "tasks",
       .operation = "getTaskStatus",
       .summary = "State of a task",
       .answers = {{200, "TaskStatus", "The state."}, {404, "Error", "There is no status of such a task."}}},
      {.method = "POST",
       .path = "connectors/{connector}/tasks/{task}/restart",
       .handler = restart_task,
       .tag = "tasks",
       .operation = "restartTask",
       .summary = "Restart a task",
       .answers = {{204, "", "Restarted."}, {404, "Error", "There is no such task."}, kConflict}},
  };
}

std::vector<Route> topic_and_offset_routes() {
  return {
      {.method = "GET",
       .path = "connectors/{connector}/topics",
       .handler = get_topics,
       .tag = "topics",
       .operation = "listTopics",
       .summary = "Topics that a connector has used",
       .answers = {{200, "ActiveTopics", "The topics; none for an unknown connector."},
                   {403, "Error", "Topic tracking is disabled."}}},
      {.method = "PUT",
       .path = "connectors/{connector}/topics/reset",
       .handler = reset_topics,
       .tag = "topics",
       .operation = "resetTopics",
       .summary = "Forget the topics that a connector has used",
       .answers = {{202, "", "Forgotten."}, {403, "Error", "Topic tracking or its reset is disabled."}}},
      {.method = "DELETE",
       .path = "connectors/{connector}/offsets",
       .handler = reset_offsets,
       .tag = "offsets",
       .operation = "resetOffsets",
       .summary = "Forget all offsets of a stopped connector",
       .answers =
           {{200, "Message", "Forgotten."}, {400, "Error", "The connector is not stopped."}, kUnknown, kConflict}},
      {.method = "GET",
       .path = "connectors/{connector}/offsets",
       .handler = get_offsets,
       .tag = "offsets",
       .operation = "getOffsets",
       .summary = "Offsets of a connector",
       .answers = {{200, "Offsets", "The offsets."}, kUnknown, kConflict}},
      {.method = "PATCH",
       .path = "connectors/{connector}/offsets",
       .handler = alter_offsets,
       .tag = "offsets",
       .operation = "alterOffsets",
       .summary = "Set offsets of a stopped connector; null forgets one",
       .body = "Offsets",
       .answers = {{200, "Message", "Set."},
                   {400, "Error", "The connector is not stopped, or the offsets do not fit it."},
                   kUnknown,
                   kConflict}},
  };
}

std::vector<Route> plugin_and_admin_routes() {
  return {
      {.method = "GET",
       .path = "connector-plugins",
       .handler = list_plugins,
       .tag = "plugins",
       .operation = "listPlugins",
       .summary = "Plugins of the worker",
       .query = {{"connectorsOnly", "false lists transformations, predicates and converters, too.", {"true", "false"}}},
       .answers = {{200, "PluginList", "The plugins."}}},
      {.method = "GET",
       .path = "connector-plugins/{plugin}/config",
       .handler = get_plugin_config,
       .tag = "plugins",
       .operation = "getPluginConfig",
       .summary = "Settings that a plugin knows",
       .answers = {{200, "ConfigKeyList", "The settings."},
                   {400, "Error", "It is not of a type that has settings."},
                   {404, "Error", "There is no such plugin."}}},
      {.method = "PUT",
       .path = "connector-plugins/{plugin}/config/validate",
       .handler = validate_config,
       .tag = "plugins",
       .operation = "validateConfig",
       .summary = "Check a configuration without storing it",
       .body = "Config",
       .answers = {{200, "ConfigInfos", "Each setting with its errors."},
                   {400, "Error", "The configuration is of another plugin."}}},
      {.method = "POST",
       .path = "connector-plugins/{plugin}/config/preview",
       .handler = preview_connector,
       .tag = "plugins",
       .operation = "previewConnector",
       .summary = "Show what a connector would do, with nothing written: a source's first records, a sink's statements",
       .body = "PreviewRequest",
       .query = {{"rows", "How many records at most, 1 to 1000; 10 when absent.", {}}},
       .answers = {{200, "Preview", "What would happen."},
                   {400, "Error", "The configuration has errors."},
                   {404, "Error", "There is no such plugin."}}},
      {.method = "GET",
       .path = "admin/loggers",
       .handler = list_loggers,
       .tag = "admin",
       .operation = "listLoggers",
       .summary = "Loggers and their levels",
       .answers = {{200, "Loggers", "By name; root is above all others."}},
       .needs_herder = false},
      {.method = "GET",
       .path = "admin/loggers/{logger}",
       .handler = get_logger,
       .tag = "admin",
       .operation = "getLogger",
       .summary = "Level of a logger",
       .answers = {{200, "LoggerLevel", "The level."}, {404, "Error", "There is no such logger."}},
       .needs_herder = false},
      {.method = "PUT",
       .path = "admin/loggers/{logger}",
       .handler = set_logger,
       .tag = "admin",
       .operation = "setLogger",
       .summary = "Set the level of a logger and those below it",
       .body = "Level",
       .query = {{"scope", "This worker, or all of its group.", {"worker", "cluster"}}},
       .answers = {{200, "Names", "The loggers that have the level now."},
                   {204, "", "With scope=cluster."},
                   {400, "Error", "The body names no level."},
                   {404, "Error", "There is no such level."}},
       .needs_herder = false},
      {.method = "GET",
       .path = "",
       .handler = get_root,
       .tag = "worker",
       .operation = "getWorker",
       .summary = "Versions of the worker, and its cluster",
       .answers = {{200, "WorkerInfo", "The worker."}},
       .any_body = true},
      {.method = "GET",
       .path = "health",
       .handler = get_health,
       .tag = "worker",
       .operation = "getHealth",
       .summary = "Whether the worker is ready",
       .answers = {{200, "Health", "Ready."},
                   {503, "Health", "Still starting."},
                   {500, "Health", "Not able to answer."}},
       .needs_herder = false,
       .any_body = true},
      {.method = "GET",
       .path = "openapi.json",
       .handler = get_openapi,
       .tag = "worker",
       .operation = "getDescription",
       .summary = "This description",
       .answers = {{200, "Description", "OpenAPI 3.0."}},
       .needs_herder = false,
       .any_body = true},
  };
}

/// The variable segments, or nothing if the path is another one.
std::optional<std::vector<std::string>> match(std::string_view pattern, std::span<const std::string> segments) {
  std::vector<std::string> args;
  size_t used = 0;
  while (!pattern.empty()) {
    const size_t slash = pattern.find('/');
    const std::string_view part = pattern.substr(0, slash);
    pattern = slash == pattern.npos ? std::string_view() : pattern.substr(slash + 1);
    if (used == segments.size() || segments[used].empty()) return {};
    if (part.starts_with('{')) {
      args.push_back(segments[used]);
    } else if (part != segments[used]) {
      return {};
    }
    ++used;
  }
  if (used != segments.size()) return {};
  return args;
}

}  // namespace

const std::vector<Route>& routes() {
  static const std::vector<Route> all = [] {
    std::vector<Route> table;
    for (auto* part : {connector_routes, task_routes, topic_and_offset_routes, plugin_and_admin_routes}) {
      for (Route& route : part()) table.push_back(std::move(route));
    }
    return table;
  }();
  return all;
}

bool is_admin(const Route& route) { return route.path.starts_with("admin/"); }

Found find_route(RestApi::Part part, std::string_view method, std::span<const std::string> segments) {
  Found found;
  for (const Route& route : routes()) {
    if (part != RestApi::Part::kAll && is_admin(route) != (part == RestApi::Part::kAdmin)) continue;
    auto args = match(route.path, segments);
    if (!args) continue;
    found.methods.push_back(route.method);
    if (route.method != method) continue;
    found.route = &route;
    found.args = std::move(*args);
  }
  return found;
}

}  // namespace millrace
