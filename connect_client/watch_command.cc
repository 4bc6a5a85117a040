// millrace connectors watch: changes of states as they come.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <map>
#include <thread>

#include "connect_client/command.h"
#include "connect_client/text.h"

namespace millrace::connect {
namespace {

struct WatchOptions {
  std::string name;
  std::string until;
  double timeout_s = 60;
};

using States = std::map<std::string, std::string>;  ///< "orders task 0" → state

struct Observation {
  std::vector<Connector> connectors;
  States states;
};

/// Errors of one look are told and outlived: a worker that restarts is what one watches for.
Expected<Observation> look(Session& session, const std::string& name) {
  Observation seen;
  auto all = session.api.connectors();
  if (!all) return fail(std::move(all.error()));
  for (Connector& connector : *all) {
    if (!name.empty() && connector.name != name) continue;
    for (const PartStatus& part : connector.parts())
      seen.states[connector.name + (part.task < 0 ? "" : " task " + std::to_string(part.task))] =
          part.state + (part.failed() ? ": " + first_line(part.trace) : "");
    seen.connectors.push_back(std::move(connector));
  }
  return seen;
}

void print_change(Session& session, const std::string& what, const std::string& state) {
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  if (session.json) {
    const Json line{{"time", fmt::format("{:%FT%TZ}", fmt::gmtime(now))}, {"part", what}, {"state", state}};
    session.print(line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
    return;
  }
  const size_t colon = std::min(state.find(": "), state.size());
  session.print(fmt::format("{:%T}  {}  {}{}\n", fmt::localtime(now), what,
                            painted(state.substr(0, colon), session.terminal.colour), state.substr(colon)));
}

void print_changes(Session& session, const States& before, const States& after) {
  for (const auto& [what, state] : after) {
    const auto found = before.find(what);
    if (found == before.end() || found->second != state) print_change(session, what, state);
  }
  for (const auto& [what, state] : before) {
    if (!after.contains(what)) print_change(session, what, "gone");
  }
}

bool reached(const Observation& seen, const std::string& state) {
  if (seen.connectors.empty()) return false;
  return std::ranges::all_of(seen.connectors, [&](const Connector& connector) {
    return state == "FAILED" ? connector.state() == "FAILED" : connector.settled_in(state);
  });
}

Expected<int> watch(Session& session, const WatchOptions& options) {
  const auto end = std::chrono::steady_clock::now() + seconds(options.timeout_s);
  if (!options.name.empty()) {
    if (auto known = session.api.config(options.name); !known) return fail(std::move(known.error()));
  }
  States before;
  bool away = false;
  while (session.terminal.out.good()) {
    auto seen = look(session, options.name);
    if (seen) {
      print_changes(session, before, seen->states);
      before = std::move(seen->states);
      if (!options.until.empty() && reached(*seen, options.until)) return kOk;
    } else if (!away) {
      print_error(session.terminal.err, seen.error());
    }
    away = !seen;
    if (!options.until.empty() && std::chrono::steady_clock::now() >= end)
      return fail(
          ErrorCode::kUnavailable,
          fmt::format("{} {} after {} s", options.name.empty() ? "not all connectors are" : options.name + " is not",
                      options.until, options.timeout_s));
    std::this_thread::sleep_for(session.terminal.pace.watch_poll);
  }
  return kOk;
}

}  // namespace

void add_watch_command(CLI::App& app, Run& chosen) {
  auto [command, options] = add_command<WatchOptions>(
      app, chosen, "watch", "Print each change of state as it comes, until Ctrl-C (all connectors without NAME)",
      watch);
  command->add_option("NAME", options->name, "Connector");
  command->add_option("--until", options->until, "End with 0 once connectors and tasks are all in this state")
      ->check(CLI::IsMember({"RUNNING", "PAUSED", "STOPPED", "FAILED"}));
  command->add_option("--until-timeout", options->timeout_s, "Seconds that --until waits before it ends with 1")
      ->capture_default_str();
}

}  // namespace millrace::connect
