/// Completion of command lines in a shell.
#pragma once

#include <string>
#include <vector>

#include "connect_client/command.h"

namespace millrace::connect {

/// `bash`: prints the script. `candidates WORD…`: what may stand in the place of the last word, one a line; the script
/// asks it, so that completion knows what the program knows. Gives kUsage for others.
int run_completion(const std::vector<std::string>& arguments, const std::vector<std::string>& programs_commands,
                   Terminal& terminal);

/// What may stand in the place of the last of `words`, of those that begin with it. Names of connectors and plugins are
/// asked of the worker that the words or MILLRACE_URL name, for a second at most; none when it does not answer.
std::vector<std::string> completion_candidates(const std::vector<std::string>& words,
                                               const std::vector<std::string>& programs_commands);

}  // namespace millrace::connect
