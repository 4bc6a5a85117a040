// millrace connectors list, status, get, errors, topics: what there is.
#include <fmt/format.h>

#include <set>

#include "connect_client/command.h"
#include "connect_client/config_diff.h"
#include "connect_client/text.h"
#include "connect_client/trace.h"

namespace millrace::connect {
namespace {

struct NoOptions {};

std::string workers_of(const Connector& connector) {
  std::set<std::string> others;
  for (const PartStatus& task : connector.tasks) others.insert(task.worker);
  others.erase(connector.self.worker);
  return others.empty() ? connector.self.worker : fmt::format("{} +{}", connector.self.worker, others.size());
}

std::vector<std::string> failure_lines(const Connector& connector) {
  std::vector<std::string> lines;
  for (const PartStatus& part : connector.parts()) {
    if (part.failed()) lines.push_back(fmt::format("{}: {}", part.label(), first_line(part.trace)));
  }
  return lines;
}

Json part_json(const PartStatus& part) {
  Json json = Json::object();
  if (part.task >= 0) json["id"] = part.task;
  json["state"] = part.state;
  json["worker_id"] = part.worker;
  if (!part.trace.empty()) json["trace"] = part.trace;
  return json;
}

Json status_json(const Connector& connector) {
  Json tasks = Json::array();
  for (const PartStatus& task : connector.tasks) tasks.push_back(part_json(task));
  return {{"name", connector.name},
          {"type", connector.type},
          {"state", connector.state()},
          {"connector", part_json(connector.self)},
          {"tasks", tasks}};
}

Expected<int> list(Session& session, const NoOptions&) {
  auto connectors = session.api.connectors();
  if (!connectors) return fail(std::move(connectors.error()));
  if (session.json) {
    Json all = Json::array();
    for (const Connector& connector : *connectors) {
      Json json = status_json(connector);
      json["class"] = connector.class_name();
      all.push_back(std::move(json));
    }
    session.print_json(all);
    return kOk;
  }
  if (connectors->empty()) {
    session.print(fmt::format("No connectors at {}. Create one: millrace connectors apply -f FILE\n",
                              session.api.connection().shown()));
    return kOk;
  }
  Table table({"NAME", "TYPE", "STATE", "TASKS", "WORKER", "CLASS"});
  for (const Connector& each : *connectors) {
    table.add({each.name, each.type, each.state(), fmt::format("{}/{}", each.running_tasks(), each.tasks.size()),
               workers_of(each), each.class_name()},
              failure_lines(each));
  }
  session.print(table.text(session.terminal.colour));
  return kOk;
}

struct NameOption {
  std::string name;
};

Expected<int> status(Session& session, const NameOption& options) {
  auto connector = session.api.status(options.name);
  if (!connector) return fail(std::move(connector.error()));
  if (session.json) {
    session.print_json(status_json(*connector));
    return kOk;
  }
  session.print(fmt::format("{} ({})\n", connector->name, connector->type));
  Table table({"PART", "STATE", "WORKER"});
  for (const PartStatus& part : connector->parts()) {
    table.add({part.label(), part.state, part.worker},
              part.failed() ? std::vector<std::string>{first_line(part.trace)} : std::vector<std::string>{});
  }
  session.print(table.text(session.terminal.colour));
  if (connector->state() == "FAILED")
    session.print(fmt::format("Why, and what to do: millrace connectors errors {}\n", connector->name));
  return kOk;
}

struct GetOptions {
  std::string name;
  bool mask = false;
};

Expected<int> get(Session& session, const GetOptions& options) {
  auto config = session.api.config(options.name);
  if (!config) return fail(std::move(config.error()));
  if (options.mask) {
    for (auto& [key, value] : *config) value = shown_value(key, value);
  }
  session.print_json(to_json(*config));
  return kOk;
}

void print_failure(const Session& session, const Connector& connector, const PartStatus& part) {
  const Explanation explanation = explain(part.trace, connector.name);
  session.print(fmt::format("{}, {} on {}: {}\n", connector.name, part.label(), part.worker,
                            painted(part.state, session.terminal.colour)));
  session.print(fmt::format("  what:   {}\n", explanation.what));
  if (!explanation.where.empty()) session.print(fmt::format("  where:  {}\n", explanation.where));
  session.print(fmt::format("  to do:  {}\n  causes:\n", explanation.to_do));
  for (const TraceCause& cause : explanation.causes)
    session.print(fmt::format("    {}{}{}\n", cause.exception,
                              cause.exception.empty() || cause.message.empty() ? "" : ": ", cause.message));
}

Expected<int> errors(Session& session, const NameOption& options) {
  std::vector<Connector> connectors;
  if (options.name.empty()) {
    auto all = session.api.connectors();
    if (!all) return fail(std::move(all.error()));
    connectors = std::move(*all);
  } else {
    auto one = session.api.status(options.name);
    if (!one) return fail(std::move(one.error()));
    connectors.push_back(std::move(*one));
  }
  Json failures = Json::array();
  for (const Connector& connector : connectors) {
    for (const PartStatus& part : connector.parts()) {
      if (!part.failed()) continue;
      if (!session.json) print_failure(session, connector, part);
      const Explanation explanation = explain(part.trace, connector.name);
      Json failure{{"connector", connector.name}};
      failure.update(part_json(part));
      failure["what"] = explanation.what;
      failure["where"] = explanation.where;
      failure["to_do"] = explanation.to_do;
      failures.push_back(std::move(failure));
    }
  }
  if (session.json) {
    session.print_json(failures);
  } else if (failures.empty()) {
    session.print("Nothing has failed.\n");
  }
  return kOk;
}

struct TopicsOptions {
  std::string name;
  bool reset = false;
};

Expected<int> topics(Session& session, const TopicsOptions& options) {
  WorkerApi& api = session.api;
  // The worker answers for names that it does not know, too.
  if (auto known = api.config(options.name); !known) return fail(std::move(known.error()));
  if (options.reset) {
    auto done = api.call(options.name, "PUT", WorkerApi::path(options.name, "/topics/reset"));
    if (!done) return fail(std::move(done.error()));
    session.print(fmt::format("{}: the list of topics is empty and fills anew\n", options.name));
    return kOk;
  }
  auto answer = api.call(options.name, "GET", WorkerApi::path(options.name, "/topics"));
  if (!answer) return fail(std::move(answer.error()));
  std::set<std::string> names;
  for (const Json& topic : answer->value(options.name, Json::object()).value("topics", Json::array())) {
    if (topic.is_string()) names.insert(topic.get<std::string>());
  }
  if (session.json) session.print_json(names);
  for (const std::string& name : names) {
    if (!session.json) session.print(name + "\n");
  }
  return kOk;
}

}  // namespace

void add_show_commands(CLI::App& app, Run& chosen) {
  add_command<NoOptions>(app, chosen, "list", "All connectors: type, state, tasks that run of all, worker, class",
                         list);
  auto [status_command, status_options] = add_command<NameOption>(
      app, chosen, "status", "State and worker of a connector and of each of its tasks", status);
  status_command->add_option("NAME", status_options->name, "Connector")->required();
  auto [get_command, get_options] =
      add_command<GetOptions>(app, chosen, "get", "A connector's configuration, as `apply` takes it", get);
  get_command->add_option("NAME", get_options->name, "Connector")->required();
  get_command->add_flag("--mask", get_options->mask, "Hide passwords, for showing it to others");
  auto [errors_command, errors_options] = add_command<NameOption>(
      app, chosen, "errors", "Why a connector or its tasks have failed, and what to do (all connectors without NAME)",
      errors);
  errors_command->add_option("NAME", errors_options->name, "Connector");
  auto [topics_command, topics_options] =
      add_command<TopicsOptions>(app, chosen, "topics", "Topics that a connector has written or read", topics);
  topics_command->add_option("NAME", topics_options->name, "Connector")->required();
  topics_command->add_flag("--reset", topics_options->reset, "Forget them and begin a new list");
}

}  // namespace millrace::connect
