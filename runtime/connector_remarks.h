/// What Kafka Connect accepts in a connector's settings without a word, and what is probably a mistake: misspelt names,
/// aliases that do not exist, topic.creation.* that will fail when a topic is to be created.
#pragma once

#include <vector>

#include "runtime/component_catalog.h"
#include "runtime/config_suggestions.h"
#include "runtime/plugin_host.h"

namespace millrace {

/// For the log when a connector is created, and for `millrace lint`; never a reason to refuse. In the order of the
/// settings. `config` has its variables resolved.
std::vector<SettingRemark> connector_remarks(const ConnectorPlugin& plugin, const RawConfig& config,
                                             const ComponentCatalog& components);

}  // namespace millrace
