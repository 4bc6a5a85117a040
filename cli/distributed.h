/// `millrace distributed`: a worker whose connectors come over REST and from its topics, as Kafka's
/// connect-distributed.
#pragma once

#include <string>

#include "core/error.h"
#include "core/logger.h"

namespace millrace {

struct DistributedOptions {
  std::string worker_file;
  std::string built_in_plugins;  ///< folder of the connectors that come with millrace
};

/// As run_standalone(). group.id and the three *.storage.topic settings are required.
Status run_distributed(const DistributedOptions& options, const Logger& logger);

}  // namespace millrace
