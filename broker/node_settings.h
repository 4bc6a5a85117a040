/// server.properties: what each setting of Kafka's broker means to a node.
#pragma once

#include <string>
#include <vector>

#include "broker/node.h"
#include "core/config_def.h"
#include "core/error.h"

namespace millrace {

/// Reads what a single node honours of server.properties; all of it goes into NodeOptions::settings, too. The log lies
/// in ./millrace-data where neither log.dirs nor log.dir is set, as a worker's does. Errors: kInvalidConfig with Kafka's words for
/// a bad value, and for more than one folder.
Expected<NodeOptions> parse_node_settings(const ConfigMap& settings);

/// Settings that are accepted and change nothing (ZooKeeper, KRaft, replication, threads), by name.
std::vector<std::string> settings_without_effect(const ConfigMap& settings);
/// Settings that no broker knows.
std::vector<std::string> unknown_settings(const ConfigMap& settings);

}  // namespace millrace
