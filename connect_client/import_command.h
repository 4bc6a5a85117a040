/// millrace import: the connectors of a running Connect cluster, created here at the same place.
#pragma once

#include <string>
#include <vector>

#include "connect_client/command.h"

namespace millrace::connect {

struct ImportOptions {
  ConnectionOptions old;
  ConnectionOptions here = {};
  bool json = false;  ///< output for machines
  std::vector<std::string> only = {};
  bool apply = false;
  bool start = false;
  bool stop_old = false;
  /// States before --stop-old: without them a run after a broken one could not know what has been running.
  std::string journal = "millrace-import.json";
};

/// Only reads, unless options.apply; the old cluster is changed only by options.stop_old. A run that broke is continued
/// by the next. Gives kOk when all connectors can be or have been taken over, kFailed when some cannot, kUsage for
/// options that contradict each other. Errors: kUnavailable and what a worker refuses.
Expected<int> run_import(const ImportOptions& options, Terminal& terminal);

}  // namespace millrace::connect
