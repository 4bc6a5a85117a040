/// `millrace standalone`: one worker on the embedded log, with connectors from files, from REST, and from earlier runs.
#pragma once

#include <string>
#include <vector>

#include "core/error.h"
#include "core/logger.h"

namespace millrace {

struct StandaloneOptions {
  std::string worker_file;
  std::vector<std::string> connector_files;  ///< .properties or .json
  std::string built_in_plugins;              ///< folder of the connectors that come with millrace
};

/// Runs until SIGTERM or SIGINT. SIGTERM and SIGINT must be blocked in the calling thread, so that all threads inherit
/// it. Errors: what stopped the start, in a sentence that says what to do.
Status run_standalone(const StandaloneOptions& options, const Logger& logger);

}  // namespace millrace
