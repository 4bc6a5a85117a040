/// The command line of the client's commands. One place builds it, for running and for completion.
#pragma once

#include "connect_client/command.h"
#include "connect_client/import_command.h"

namespace millrace::connect {

/// Not movable: options are written into its members.
struct CommandLine {
  CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  CLI::App app;
  ConnectionOptions connection;  ///< of `connectors`
  bool json = false;
  Run on_worker;  ///< the command of `connectors` that was named; empty when `import` was
  ImportOptions import_options;

 private:
  void add_import();
};

}  // namespace millrace::connect
