/// Options that the tools share.
#pragma once

#include <string>

#include "tools/options.h"

namespace millrace {

/// --bootstrap-server, and --broker-list as it was called before Kafka 3.
inline OptionSpec bootstrap_option() {
  return {.name = "bootstrap-server",
          .argument = "server to connect to",
          .description = "REQUIRED: The server(s) to connect to, HOST1:PORT1,HOST2:PORT2.",
          .required = true,
          .aliases = {"broker-list"}};
}

/// What is wrong with the value of --bootstrap-server; empty when nothing is.
std::string bootstrap_problem(const ParsedOptions& options);

}  // namespace millrace
