/// The embedded log of a worker: its settings among the worker's, and whether bootstrap.servers means it.
#pragma once

#include <memory>

#include "cli/served_log.h"
#include "runtime/worker_config.h"

namespace millrace {

/// Opens the log under log.dirs with the listeners of log.listeners. bootstrap.servers may name those listeners, as the
/// files that come with Kafka do (localhost:9092); they must then be free. Errors: as ServedLog::open(); kInvalidConfig
/// when bootstrap.servers names anything else.
Expected<std::unique_ptr<ServedLog>> open_worker_log(FileSystem& files, Clock& clock, const Logger& logger,
                                                     const WorkerConfig& config);

}  // namespace millrace
