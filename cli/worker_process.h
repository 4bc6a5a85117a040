/// A worker as a process, in both of Kafka Connect's modes: REST in front, the herder behind it, the log below.
#pragma once

#include <string>
#include <vector>

#include "core/error.h"
#include "core/logger.h"
#include "runtime/worker_options.h"

namespace millrace {

struct WorkerOptions {
  WorkerMode mode = WorkerMode::kStandalone;
  std::string worker_file;
  std::vector<std::string> connector_files;  ///< .properties or .json; of standalone workers
  std::string built_in_plugins;              ///< folder of the connectors that come with millrace
};

/// Runs until SIGTERM or SIGINT. SIGTERM and SIGINT must be blocked in the calling thread, so that all threads inherit
/// it. Errors: what stopped the start, in a sentence that says what to do.
Status run_worker(const WorkerOptions& options, const Logger& logger);

}  // namespace millrace
