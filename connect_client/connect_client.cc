#include "connect_client/connect_client.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "connect_client/command_line.h"
#include "connect_client/completion.h"
#include "connect_client/import_command.h"
#include "connect_client/text.h"

namespace millrace::connect {
namespace {

/// A word that is no command, named by CLI11 as unexpected: say which command is near it.
std::string suggestion(const CLI::App& top, const std::vector<std::string>& arguments) {
  const CLI::App* at = &top;
  for (const std::string& word : arguments) {
    if (word.starts_with('-')) return {};
    const std::vector<const CLI::App*> commands = at->get_subcommands([](const CLI::App*) { return true; });
    if (commands.empty()) return {};
    const auto found = std::ranges::find(commands, word, [](const CLI::App* each) { return each->get_name(); });
    if (found != commands.end()) {
      at = *found;
      continue;
    }
    std::vector<std::string> names;
    for (const CLI::App* each : commands) names.push_back(each->get_name());
    const std::string near = nearest(word, names);
    return fmt::format("millrace: '{}' has no command '{}'{}\n", at->get_name(), word,
                       near.empty() ? "" : fmt::format("; did you mean '{}'?", near));
  }
  return {};
}

int run_chosen(CommandLine& line, Terminal& terminal) {
  Expected<int> code = kOk;
  if (line.on_worker) {
    auto connection = Connection::open(line.connection);
    if (!connection) {
      print_error(terminal.err, connection.error());
      return kUsage;
    }
    Session session{terminal, WorkerApi(**connection), line.json};
    code = line.on_worker(session);
  } else {
    code = run_import(line.import_options, terminal);
  }
  if (code) return *code;
  print_error(terminal.err, code.error());
  return kFailed;
}

}  // namespace

const std::vector<ClientCommand>& client_commands() {
  static const std::vector<ClientCommand> commands{
      {"connectors", "List, apply, watch and repair the connectors of a running worker, also one of Apache Kafka"},
      {"import", "Take over the connectors of a running Connect cluster, with their offsets"},
      {"completion", "Print the completion script of a shell: source <(millrace completion bash)"}};
  return commands;
}

bool is_client_command(std::string_view name) {
  return std::ranges::any_of(client_commands(), [&](const ClientCommand& each) { return each.name == name; });
}

int run_client_command(const std::vector<std::string>& arguments, const std::vector<std::string>& programs_commands,
                       Terminal& terminal) {
  if (!arguments.empty() && arguments.front() == "completion")
    return run_completion({arguments.begin() + 1, arguments.end()}, programs_commands, terminal);
  CommandLine line;
  try {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());  // CLI11 takes them from the back
    line.app.parse(std::move(reversed));
  } catch (const CLI::ParseError& problem) {
    if (const std::string near = suggestion(line.app, arguments); problem.get_exit_code() != 0 && !near.empty()) {
      terminal.err << near << "Run with --help for more information.\n";
      return kUsage;
    }
    return line.app.exit(problem, terminal.out, terminal.err) == 0 ? kOk : kUsage;
  }
  return run_chosen(line, terminal);
}

int run_client_command(const std::vector<std::string>& arguments, const std::vector<std::string>& programs_commands) {
  PosixFileSystem files;
  const char* terminal_kind = std::getenv("TERM");
  const bool colour = ::isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr &&
                      (terminal_kind == nullptr || std::string_view(terminal_kind) != "dumb");
  Terminal terminal{std::cin, std::cout, std::cerr, files, colour, ::isatty(STDIN_FILENO) == 1};
  const int code = run_client_command(arguments, programs_commands, terminal);
  std::cout.flush();
  return code == kOk && !std::cout.good() ? kFailed : code;
}

}  // namespace millrace::connect
