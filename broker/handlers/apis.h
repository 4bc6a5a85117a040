/// The APIs of each area, joined by all_apis(). Threads: any (constant).
#pragma once

#include <span>

#include "broker/server/api.h"

namespace millrace {

std::span<const Api> admin_apis();        ///< topics, configs, ACLs, quotas, credentials, the cluster
std::span<const Api> data_apis();         ///< Produce, Fetch, offsets, metadata, versions
std::span<const Api> group_apis();        ///< consumer groups and their offsets
std::span<const Api> transaction_apis();  ///< producer ids and transactions

/// All that this broker serves: what Node hands to the server, and what ApiVersions tells.
ApiTable all_apis();

}  // namespace millrace
