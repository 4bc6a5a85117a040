#include "cli/distributed.h"

#include "cli/worker_process.h"

namespace millrace {

Status run_distributed(const DistributedOptions& options, const Logger& logger) {
  return run_worker({.mode = WorkerMode::kDistributed,
                     .worker_file = options.worker_file,
                     .connector_files = {},
                     .built_in_plugins = options.built_in_plugins},
                    logger);
}

}  // namespace millrace
