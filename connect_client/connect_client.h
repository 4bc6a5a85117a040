/// The commands `connectors`, `import` and `completion` of the program, for any Kafka Connect worker.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "connect_client/command.h"

namespace millrace::connect {

struct ClientCommand {
  std::string_view name;
  std::string_view summary;
};
/// In the order of the help text.
const std::vector<ClientCommand>& client_commands();
bool is_client_command(std::string_view name);

/// Runs `arguments`, the first of which is a client command. `programs_commands` are the names of the program's other
/// commands, for completion. Blocks until the command is done; gives its ExitCode. Never throws.
int run_client_command(const std::vector<std::string>& arguments, const std::vector<std::string>& programs_commands,
                       Terminal& terminal);

/// run_client_command with the process's own streams.
int run_client_command(const std::vector<std::string>& arguments, const std::vector<std::string>& programs_commands);

}  // namespace millrace::connect
