#include "cli/standalone.h"

#include "cli/worker_process.h"

namespace millrace {

Status run_standalone(const StandaloneOptions& options, const Logger& logger) {
  return run_worker({.mode = WorkerMode::kStandalone,
                     .worker_file = options.worker_file,
                     .connector_files = options.connector_files,
                     .built_in_plugins = options.built_in_plugins},
                    logger);
}

}  // namespace millrace
