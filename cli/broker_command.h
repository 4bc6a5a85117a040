/// `millrace broker`, also as kafka-server-start and kafka-server-stop: the log alone, served to every Kafka client.
#pragma once

#include <string>
#include <vector>

#include "core/logger.h"

namespace millrace {

/// `[-daemon] [-name <x>] [-loggc] [server.properties] [--override key=value]...`, as Kafka's kafka-server-start.
/// Serves until SIGTERM or SIGINT, which the caller has blocked. The exit code: 0 after a clean stop, 1 as Kafka's when
/// it could not start.
int run_broker(const std::vector<std::string>& arguments, const Logger& logger);

/// `[server.properties|folder]`: asks running brokers (that of the folder, else all) to stop and waits until they have.
/// 1 when there is none.
int stop_brokers(const std::vector<std::string>& arguments);

}  // namespace millrace
