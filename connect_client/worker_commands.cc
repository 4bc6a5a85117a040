// millrace connectors plugins and loggers: what a worker offers and how much it says.
#include <fmt/format.h>

#include "connect_client/command.h"
#include "connect_client/text.h"

namespace millrace::connect {
namespace {

struct PluginsOptions {
  std::string name;
  bool all = false;
  bool documentation = false;
};

struct LoggerOptions {
  std::string name;
  std::string level;
  std::string scope = "worker";
};

Expected<int> list_plugins(Session& session, const PluginsOptions& options) {
  auto answer = session.api.connection().call("GET", fmt::format("/connector-plugins?connectorsOnly={}", !options.all));
  if (!answer) return fail(std::move(answer.error()));
  if (session.json) {
    session.print_json(*answer);
    return kOk;
  }
  Table table({"CLASS", "TYPE", "VERSION"});
  for (const Json& plugin : *answer)
    table.add({text_at(plugin, "class"), text_at(plugin, "type"), text_at(plugin, "version")});
  session.print(table.text());
  return kOk;
}

Error unknown_plugin(Session& session, const std::string& name, Error error) {
  auto answer = session.api.connection().call("GET", "/connector-plugins?connectorsOnly=false");
  std::vector<std::string> names;
  if (answer) {
    for (const Json& plugin : *answer) {
      const std::string full = text_at(plugin, "class");
      names.push_back(full);
      names.push_back(full.substr(full.rfind('.') + 1));
      // The short name, as it may stand in connector.class.
      if (names.back().ends_with("Connector"))
        names.push_back(names.back().substr(0, names.back().size() - std::string_view("Connector").size()));
    }
  }
  const std::string near = nearest(name, names);
  error.message =
      fmt::format("{} has no plugin '{}'; {}", session.api.connection().shown(), name,
                  near.empty() ? "see: millrace connectors plugins --all" : fmt::format("did you mean '{}'?", near));
  return error;
}

Expected<int> plugins(Session& session, const PluginsOptions& options) {
  if (options.name.empty()) return list_plugins(session, options);
  auto answer = session.api.connection().call("GET", "/connector-plugins/" + encode_segment(options.name) + "/config");
  if (!answer && answer.error().code == ErrorCode::kNotFound)
    return fail(unknown_plugin(session, options.name, std::move(answer.error())));
  if (!answer) return fail(std::move(answer.error()));
  if (session.json) {
    session.print_json(*answer);
    return kOk;
  }
  Table table({"OPTION", "TYPE", "DEFAULT", "IMPORTANCE", options.documentation ? "" : "DOCUMENTATION"});
  for (const Json& option : *answer) {
    const std::string text = text_at(option, "documentation");
    const std::string preset = option.value("required", false) ? "(required)" : text_at(option, "default_value");
    table.add({text_at(option, "name"), text_at(option, "type"), first_line(preset, 40), text_at(option, "importance"),
               options.documentation ? "" : first_line(text, 80)},
              options.documentation ? std::vector<std::string>{text} : std::vector<std::string>{});
  }
  session.print(table.text());
  return kOk;
}

Expected<int> list_loggers(Session& session, const LoggerOptions&) {
  auto answer = session.api.connection().call("GET", "/admin/loggers");
  if (!answer) return fail(std::move(answer.error()));
  if (session.json) {
    session.print_json(*answer);
    return kOk;
  }
  Table table({"LOGGER", "LEVEL"});
  for (const auto& [name, logger] : answer->items()) table.add({name, text_at(logger, "level")});
  session.print(table.text());
  return kOk;
}

Expected<int> get_logger(Session& session, const LoggerOptions& options) {
  auto answer = session.api.connection().call("GET", "/admin/loggers/" + encode_segment(options.name));
  if (!answer) return fail(std::move(answer.error()));
  if (session.json) {
    session.print_json(*answer);
  } else {
    session.print(text_at(*answer, "level") + "\n");
  }
  return kOk;
}

Expected<int> set_logger(Session& session, const LoggerOptions& options) {
  const Json body{{"level", options.level}};
  auto answer = session.api.connection().call(
      "PUT", fmt::format("/admin/loggers/{}?scope={}", encode_segment(options.name), options.scope), &body);
  if (!answer) return fail(std::move(answer.error()));
  if (session.json) {
    session.print_json(*answer);
    return kOk;
  }
  if (!answer->is_array()) {
    session.print(fmt::format("{}: {} on all workers\n", options.name, options.level));
    return kOk;
  }
  for (const Json& name : *answer) {
    if (name.is_string()) session.print(fmt::format("{}: {}\n", name.get<std::string>(), options.level));
  }
  return kOk;
}

}  // namespace

void add_worker_commands(CLI::App& app, Run& chosen) {
  auto [plugins_command, plugins_options] = add_command<PluginsOptions>(
      app, chosen, "plugins", "Connector classes of the worker, or the options of one plugin", plugins);
  plugins_command->add_option("PLUGIN", plugins_options->name, "Class or alias");
  plugins_command->add_flag("--all", plugins_options->all, "Also transformations, predicates and converters");
  plugins_command->add_flag("--docs", plugins_options->documentation, "The whole documentation of each option");

  CLI::App* loggers = app.add_subcommand("loggers", "How much the worker logs: list, get, set");
  loggers->require_subcommand(1);
  loggers->fallthrough();
  add_command<LoggerOptions>(*loggers, chosen, "list", "All loggers with a level", list_loggers);
  auto [get_command, get_options] =
      add_command<LoggerOptions>(*loggers, chosen, "get", "One logger's level", get_logger);
  get_command->add_option("LOGGER", get_options->name, "Logger, or root")->required();
  auto [set_command, set_options] =
      add_command<LoggerOptions>(*loggers, chosen, "set", "Set a logger's level until the worker ends", set_logger);
  set_command->add_option("LOGGER", set_options->name, "Logger, or root")->required();
  set_command->add_option("LEVEL", set_options->level, "OFF, FATAL, ERROR, WARN, INFO, DEBUG, TRACE or ALL")
      ->required()
      ->check(CLI::IsMember({"OFF", "FATAL", "ERROR", "WARN", "INFO", "DEBUG", "TRACE", "ALL"}, CLI::ignore_case));
  set_command->add_option("--scope", set_options->scope, "worker, or cluster for all its workers")
      ->check(CLI::IsMember({"worker", "cluster"}))
      ->capture_default_str();
}

}  // namespace millrace::connect
