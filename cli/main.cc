// The one program: `millrace <command>`. Links named after Kafka's scripts choose the command by their own name.
#include <malloc.h>
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "cli/broker_command.h"
#include "cli/distributed.h"
#include "cli/doctor.h"
#include "cli/lint.h"
#include "cli/plugin_check.h"
#include "cli/standalone.h"
#include "cli/version.h"
#include "connect_client/connect_client.h"
#include "connect_client/text.h"
#include "tools/tool_table.h"

namespace {

using namespace millrace;

// Kafka Connect's exit codes.
constexpr int kUsage = 1;
constexpr int kStartFailed = 3;

/// Records travel in buffers that come and go all the time. glibc gives their pages back each time and gets them anew,
/// which for large records costs more than all the work on them; up to 64 MiB stay, one allocation of 4 MiB does not.
void keep_freed_memory() {
  mallopt(M_TRIM_THRESHOLD, 64 << 20);
  mallopt(M_TOP_PAD, 1 << 20);
  mallopt(M_MMAP_THRESHOLD, 4 << 20);
}

/// The folder of the running program, links resolved.
std::filesystem::path program_folder() {
  std::error_code error;
  return std::filesystem::canonical("/proc/self/exe", error).parent_path();
}

/// Built-in connectors lie beside the program in a build tree and in an installation alike:
/// ../lib[/<arch>]/millrace/plugins.
std::string built_in_plugins() {
  const std::filesystem::path root = program_folder().parent_path();
  for (const char* folder : {"lib/millrace/plugins", MILLRACE_INSTALL_LIBDIR "/millrace/plugins"}) {
    if (std::filesystem::exists(root / folder)) return (root / folder).string();
  }
  return (root / "lib/millrace/plugins").string();
}

/// `connect-standalone.sh a b` is `millrace standalone a b`.
std::vector<std::string> arguments_of(int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  std::string name = std::filesystem::path(argv[0]).filename().string();
  if (name.ends_with(".sh")) name.resize(name.size() - 3);
  for (const char* mode : {"standalone", "distributed"}) {
    if (name == std::string("connect-") + mode) arguments.insert(arguments.begin(), mode);
  }
  return arguments;
}

/// The tool that the program's own name or its first argument asks for: `kafka-topics …`, `millrace topics …`.
/// Null for the other commands.
const Tool* tool_of(int argc, char** argv, std::vector<std::string>& arguments) {
  const std::string name = std::filesystem::path(argv[0]).filename().string();
  int first = 1;
  const Tool* tool = name.starts_with("kafka-") ? find_tool(name) : nullptr;
  if (tool == nullptr && argc > 1) {
    tool = find_tool(argv[1]);
    first = 2;
  }
  if (tool != nullptr) arguments.assign(argv + first, argv + argc);
  return tool;
}

std::string list_of_tools() {
  std::string text = "Kafka's tools, also under their own names (kafka-console-producer, …):\n";
  for (const Tool& tool : tools()) {
    text += "  ";
    text.append(tool.name).append(28 - std::min<size_t>(tool.name.size(), 27), ' ').append(tool.summary) += '\n';
  }
  return text;
}

/// All that may stand behind `millrace`, for completion.
std::vector<std::string> command_names(CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* each : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(each->get_name());
  for (const Tool& tool : tools()) names.emplace_back(tool.name);
  return names;
}

/// Kafka's scripts for servers and their commands here.
struct ServerScript {
  std::string_view script;
  std::string_view command;
};
constexpr ServerScript kServerScripts[] = {{"kafka-server-start", "broker"},
                                           {"kafka-server-stop", "broker-stop"},
                                           {"zookeeper-server-start", "zookeeper-server-start"},
                                           {"zookeeper-server-stop", "zookeeper-server-stop"}};

/// The server command that the program was called for, with its arguments; nothing when it is another one.
std::string server_command(int argc, char** argv, std::vector<std::string>& arguments) {
  std::string name = std::filesystem::path(argv[0]).filename().string();
  if (name.ends_with(".sh")) name.resize(name.size() - 3);
  for (const ServerScript& each : kServerScripts) {
    const bool by_link = name == each.script;
    if (!by_link && (argc < 2 || (argv[1] != each.command && argv[1] != each.script))) continue;
    arguments.assign(argv + (by_link ? 1 : 2), argv + argc);
    return std::string(each.command);
  }
  return {};
}

/// Signals are waited for by the main thread; every other thread inherits the block.
void block_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

int report(const Status& status) {
  if (status) return 0;
  for (const Error* at = &status.error(); at != nullptr; at = at->cause.empty() ? nullptr : &at->cause.front()) {
    std::fprintf(stderr, "%s%s\n", at == &status.error() ? "millrace: " : "  because: ", at->message.c_str());
  }
  return kStartFailed;
}

}  // namespace

int main(int argc, char** argv) {
  keep_freed_memory();
  std::vector<std::string> tool_arguments;
  if (const Tool* tool = tool_of(argc, argv, tool_arguments)) {
    ::signal(SIGPIPE, SIG_IGN);  // a reader that has gone is an error of the write
    PosixFileSystem files;
    const int code = tool->run({.files = files, .out = stdout, .err = stderr}, tool_arguments);
    return std::fflush(stdout) == 0 ? code : kToolFailed;
  }

  std::vector<std::string> server_arguments;
  if (const std::string command = server_command(argc, argv, server_arguments); !command.empty()) {
    if (command == "broker-stop") return stop_brokers(server_arguments);
    if (command.starts_with("zookeeper")) {
      std::printf("No ZooKeeper is needed: start the broker with `millrace broker`, or kafka-server-start.sh\n");
      return 0;
    }
    block_signals();
    return run_broker(server_arguments, Logger::to_stderr(LogLevel::kInfo));
  }

  CLI::App app{
      "millrace: data integration in one process. Connectors move rows between databases, files and an embedded, "
      "Kafka-compatible log, behind Kafka Connect's REST API."};
  app.require_subcommand(1);
  app.footer(list_of_tools());
  app.set_version_flag("--version",
                       std::string("millrace ") + kVersion + " (Kafka Connect API " + kConnectVersion + ")");

  StandaloneOptions standalone;
  standalone.built_in_plugins = built_in_plugins();
  std::string log_level = "info";
  CLI::App* run = app.add_subcommand(
      "standalone", "Run one worker: millrace standalone worker.properties [connector.properties|connector.json …]");
  run->add_option("worker", standalone.worker_file, "The worker's .properties file, as for Kafka's connect-standalone")
      ->required();
  run->add_option("connectors", standalone.connector_files, "Connectors to run: .properties or .json files");

  DistributedOptions distributed;
  distributed.built_in_plugins = standalone.built_in_plugins;
  CLI::App* run_of_group =
      app.add_subcommand("distributed", "Run one worker of a group: millrace distributed worker.properties");
  run_of_group
      ->add_option("worker", distributed.worker_file,
                   "The worker's .properties file, as for Kafka's connect-distributed")
      ->required();
  for (CLI::App* command : {run, run_of_group}) {
    command->add_option("--log-level", log_level, "debug, info, warn or error")
        ->check(CLI::IsMember({"debug", "info", "warn", "error"}));
  }

  app.add_subcommand(
      "broker",
      "Serve the log to Kafka clients: millrace broker [-daemon] [server.properties] [--override name=value]…");
  app.add_subcommand("broker-stop", "Stop running brokers, as kafka-server-stop does");

  std::vector<std::string> libraries;
  CLI::App* check =
      app.add_subcommand("plugin-check", "Load plugin libraries and say what they offer or why they are refused");
  check->add_option("libraries", libraries, "Shared libraries (.so)")->required();

  CLI::App* lint = app.add_subcommand("lint", "Check a worker's and its connectors' files: millrace lint --help");
  lint->prefix_command()->set_help_flag();
  CLI::App* doctor =
      app.add_subcommand("doctor", "Ask connectors' servers what would go wrong: millrace doctor --help");
  doctor->prefix_command()->set_help_flag();

  for (const connect::ClientCommand& each : connect::client_commands())
    app.add_subcommand(std::string(each.name), std::string(each.summary));
  if (argc > 1 && connect::is_client_command(argv[1])) {
    ::signal(SIGPIPE, SIG_IGN);
    return connect::run_client_command({argv + 1, argv + argc}, command_names(app));
  }

  try {
    std::vector<std::string> arguments = arguments_of(argc, argv);
    std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the back
    app.parse(std::move(arguments));
  } catch (const CLI::ParseError& problem) {
    const std::vector<std::string> names = command_names(app);
    const std::vector<std::string> given = arguments_of(argc, argv);
    if (!given.empty() && !given[0].starts_with('-') && std::ranges::find(names, given[0]) == names.end()) {
      const std::string near = connect::nearest(given[0], names);
      std::fprintf(stderr, "millrace: there is no command '%s'%s\n", given[0].c_str(),
                   near.empty() ? "" : ("; did you mean '" + near + "'?").c_str());
    }
    const int code = app.exit(problem);
    return code == 0 ? 0 : kUsage;
  }

  if (lint->parsed()) return run_lint(lint->remaining(), built_in_plugins(), stdout, stderr);
  if (doctor->parsed()) return run_doctor(doctor->remaining(), built_in_plugins(), stdout, stderr);
  block_signals();
  if (check->parsed()) return check_plugins(libraries) ? 0 : kStartFailed;
  const LogLevel level = log_level == "debug"   ? LogLevel::kDebug
                         : log_level == "warn"  ? LogLevel::kWarn
                         : log_level == "error" ? LogLevel::kError
                                                : LogLevel::kInfo;
  const Logger logger = Logger::to_stderr(level);
  const int code =
      report(run_of_group->parsed() ? run_distributed(distributed, logger) : run_standalone(standalone, logger));
  std::fflush(nullptr);
  // A task left behind in a plugin that would not stop may still be running: end without unloading things under it.
  ::_exit(code);
}
