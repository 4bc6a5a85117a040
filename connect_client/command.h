/// What every command is given, and how commands are put into the program's command line.
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <functional>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "connect_client/worker_api.h"
#include "core/file_system.h"

namespace millrace::connect {

enum ExitCode : int { kOk = 0, kFailed = 1, kUsage = 2 };

/// How often a worker is asked while something is waited for. Tests are less patient.
struct Pace {
  std::chrono::milliseconds wait_poll{200};
  std::chrono::milliseconds watch_poll{1000};
  /// A state counts once it has stood so long: a task that dies at once has been RUNNING, too.
  std::chrono::milliseconds steady{1000};
  /// A worker may start a failed task again by itself.
  std::chrono::milliseconds steady_failed{3000};
};

/// The world around a command.
struct Terminal {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  FileSystem& files;
  bool colour = false;   ///< the output is a terminal that shows colours
  bool can_ask = false;  ///< the input is a terminal, with someone to answer
  Pace pace = {};
};

struct Session {
  Terminal& terminal;
  WorkerApi api;
  bool json = false;  ///< output for machines

  void print(std::string_view text) const { terminal.out << text << std::flush; }
  void print_error(std::string_view text) const { terminal.err << text << std::flush; }
  void print_json(const Json& json_value) const {
    print(json_value.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  }
};

/// An exit code, or an error that is printed and ends with kFailed.
using Run = std::function<Expected<int>(Session&)>;

/// Adds commands to `app`; parsing a command line puts the one that was named into `chosen`, which must outlive `app`.
void add_show_commands(CLI::App& app, Run& chosen);       ///< list, status, get, errors, topics
void add_apply_commands(CLI::App& app, Run& chosen);      ///< validate, apply
void add_lifecycle_commands(CLI::App& app, Run& chosen);  ///< pause, resume, stop, restart, delete
void add_offsets_commands(CLI::App& app, Run& chosen);    ///< offsets get, set, reset
void add_worker_commands(CLI::App& app, Run& chosen);     ///< plugins, loggers
void add_watch_command(CLI::App& app, Run& chosen);       ///< watch

/// The command `name` whose `run(Session&, const Options&)` is called with options that live as long as `chosen`.
template <class Options>
std::pair<CLI::App*, Options*> add_command(CLI::App& app, Run& chosen, const std::string& name,
                                           const std::string& description,
                                           Expected<int> (*run)(Session&, const Options&)) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(name, description);
  command->callback(
      [&chosen, options, run] { chosen = [options, run](Session& session) { return run(session, *options); }; });
  return {command, options.get()};
}

/// `names`, or all connectors when `all`. Errors: kInvalidConfig when neither or both are given.
Expected<std::vector<std::string>> chosen_names(Session& session, const std::vector<std::string>& names, bool all);

/// Prints `error` with its causes.
void print_error(std::ostream& to, const Error& error);

/// Waits until connector and tasks are all in `state`. Errors: kUnavailable when they are not within `timeout`, and
/// kConflict as soon as something has failed for good while RUNNING is wanted; the message says what and why.
Expected<Connector> wait_for_state(Session& session, const std::string& name, const std::string& state,
                                   std::chrono::milliseconds timeout);

/// `name` STOPPED, for work on its offsets. Gives the state it had, for back_to().
/// Errors: kConflict when it is not stopped and `stop_it` is false, saying what to do.
Expected<std::string> stopped(Session& session, const std::string& name, bool stop_it,
                              std::chrono::milliseconds timeout);
/// Resumes or pauses `name` again; nothing for a connector that was STOPPED.
Status back_to(Session& session, const std::string& name, const std::string& state);

inline std::chrono::milliseconds seconds(double amount) {
  return std::chrono::milliseconds(static_cast<int64_t>(amount * 1000));
}

}  // namespace millrace::connect
