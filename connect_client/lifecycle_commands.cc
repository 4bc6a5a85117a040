// millrace connectors pause, resume, stop, restart, delete.
#include <fmt/format.h>

#include "connect_client/command.h"

namespace millrace::connect {
namespace {

struct ChangeOptions {
  std::vector<std::string> names;
  bool all = false;
  bool wait = false;
  double wait_timeout_s = 60;
};

struct RestartOptions : ChangeOptions {
  bool failed = false;
  bool connector_only = false;
  int task = -1;
};

struct DeleteOptions {
  std::vector<std::string> names;
  bool offsets = false;
};

struct Verb {
  const char* name;
  const char* asked;  ///< what is said when the worker has taken the request
  const char* state;  ///< what comes of it
};
constexpr Verb kPause{"pause", "is being paused", "PAUSED"};
constexpr Verb kResume{"resume", "is being resumed", "RUNNING"};
constexpr Verb kStop{"stop", "is being stopped", "STOPPED"};

/// Does `act` for each name, all of them even when one fails; prints `name: what act says`.
template <class Act>
Expected<int> for_each_name(Session& session, const std::vector<std::string>& names, Act act) {
  int code = kOk;
  Json results = Json::array();
  for (const std::string& name : names) {
    Expected<std::string> said = act(name);
    if (!said) {
      if (said.error().code == ErrorCode::kUnavailable && names.size() == 1) return fail(std::move(said.error()));
      print_error(session.terminal.err, said.error());
      code = kFailed;
    } else if (!session.json) {
      session.print(fmt::format("{}: {}\n", name, *said));
    }
    results.push_back({{"name", name}, {"ok", said.has_value()}, {"message", said ? *said : said.error().message}});
  }
  if (session.json) session.print_json(results);
  return code;
}

template <const Verb& verb>
Expected<int> change(Session& session, const ChangeOptions& options) {
  auto names = chosen_names(session, options.names, options.all);
  if (!names) return fail(std::move(names.error()));
  return for_each_name(session, *names, [&](const std::string& name) -> Expected<std::string> {
    if (Status done = session.api.change_state(name, verb.name); !done) return fail(std::move(done.error()));
    if (!options.wait) return std::string(verb.asked);
    auto waited = wait_for_state(session, name, verb.state, seconds(options.wait_timeout_s));
    if (!waited) return fail(std::move(waited.error()));
    return std::string(verb.state);
  });
}

/// What the worker says it will restart: parts that its answer shows as RESTARTING.
std::string restarted_parts(const Json& answer) {
  const Connector plan = connector_of_status(answer);
  std::string parts;
  for (const PartStatus& part : plan.parts()) {
    if (part.state == "RESTARTING") parts += (parts.empty() ? "" : ", ") + part.label();
  }
  return parts;
}

Expected<std::string> restart_one(Session& session, const RestartOptions& options, const std::string& name) {
  WorkerApi& api = session.api;
  if (options.task >= 0) {
    auto done = api.call(name, "POST", WorkerApi::path(name, fmt::format("/tasks/{}/restart", options.task)));
    if (!done) return fail(std::move(done.error()));
    return fmt::format("restarted task {}", options.task);
  }
  const std::string flags =
      fmt::format("/restart?includeTasks={}&onlyFailed={}", !options.connector_only, options.failed);
  auto answer = api.call(name, "POST", WorkerApi::path(name, flags));
  if (!answer) return fail(std::move(answer.error()));
  if (answer->is_null()) return "restarted connector";
  const std::string parts = restarted_parts(*answer);
  return parts.empty() ? std::string("nothing has failed") : "restarting " + parts;
}

Expected<int> restart(Session& session, const RestartOptions& options) {
  auto names = chosen_names(session, options.names, options.all);
  if (!names) return fail(std::move(names.error()));
  return for_each_name(session, *names, [&](const std::string& name) -> Expected<std::string> {
    auto said = restart_one(session, options, name);
    if (!said || !options.wait) return said;
    auto waited = wait_for_state(session, name, "RUNNING", seconds(options.wait_timeout_s));
    if (!waited) return fail(std::move(waited.error()));
    return *said + "; RUNNING";
  });
}

Expected<int> remove(Session& session, const DeleteOptions& options) {
  return for_each_name(session, options.names, [&](const std::string& name) -> Expected<std::string> {
    std::string said = "deleted";
    if (options.offsets) {
      auto before = stopped(session, name, true, seconds(60));
      if (!before) return fail(std::move(before.error()));
      auto reset = session.api.reset_offsets(name);
      if (!reset)
        return fail(
            std::move(reset.error())
                .wrap(fmt::format("'{}' is stopped, but neither its offsets nor it itself were deleted", name)));
      said += ", with its offsets";
    }
    if (Status done = session.api.remove(name); !done) return fail(std::move(done.error()));
    return said;
  });
}

void add_change_options(CLI::App& command, ChangeOptions& options) {
  command.add_option("NAME", options.names, "Connectors");
  command.add_flag("--all", options.all, "All connectors of the worker");
  command.add_flag("--wait", options.wait, "Wait until it is done");
  command.add_option("--wait-timeout", options.wait_timeout_s, "Seconds that --wait waits")->capture_default_str();
}

}  // namespace

void add_lifecycle_commands(CLI::App& app, Run& chosen) {
  auto [pause, pause_options] =
      add_command<ChangeOptions>(app, chosen, "pause", "Let tasks rest; they keep what they hold", change<kPause>);
  auto [resume, resume_options] =
      add_command<ChangeOptions>(app, chosen, "resume", "Let paused or stopped connectors run", change<kResume>);
  auto [stop, stop_options] = add_command<ChangeOptions>(
      app, chosen, "stop", "End the tasks and keep configuration and offsets", change<kStop>);
  add_change_options(*pause, *pause_options);
  add_change_options(*resume, *resume_options);
  add_change_options(*stop, *stop_options);
  auto [again, again_options] =
      add_command<RestartOptions>(app, chosen, "restart", "Restart connectors and their tasks", restart);
  add_change_options(*again, *again_options);
  again->add_flag("--failed", again_options->failed, "Only what has failed");
  again->add_flag("--connector-only", again_options->connector_only, "Not the tasks");
  again->add_option("--task", again_options->task, "Only the task of this number")->check(CLI::NonNegativeNumber);
  auto [gone, gone_options] = add_command<DeleteOptions>(app, chosen, "delete", "Delete connectors", remove);
  gone->add_option("NAME", gone_options->names, "Connectors")->required();
  gone->add_flag("--offsets", gone_options->offsets,
                 "Also their offsets, so that connectors of these names begin anew: stop, reset offsets, delete");
}

}  // namespace millrace::connect
