/// What PUT /connector-plugins/{plugin}/config/validate answers, and what every new configuration of a connector must
/// pass.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "runtime/client_overrides.h"
#include "runtime/component_catalog.h"
#include "runtime/config_infos.h"
#include "runtime/herder.h"
#include "runtime/plugin_host.h"
#include "runtime/worker_config.h"

namespace millrace {

/// Asks a plugin about relations between its options; the result is keys with messages, in the order they were said.
/// The settings come without null values. May be slow (it may call a server).
using PluginCheck = std::function<Expected<std::vector<std::pair<std::string, std::string>>>(const ConfigMap&)>;

/// What the worker adds to the rules.
struct ValidationRules {
  const ComponentCatalog* components = nullptr;  ///< nullptr = BuiltInComponents
  bool exactly_once_sources = false;             ///< the worker's exactly.once.source.support
  OverridePolicy override_policy = OverridePolicy::kAll;
  std::string worker_group = {};  ///< group.id of a distributed worker; a sink's group must be another
};

/// The rules that follow from a worker's settings.
ValidationRules validation_rules(const WorkerConfig& worker);
/// The catalog that the rules name, or that of this program.
const ComponentCatalog& components_of(const ValidationRules& rules);

/// Checks a configuration with Kafka Connect's rules, texts and order. `config` holds connector.class; variables of
/// config providers are resolved. The plugin itself is asked when each of its options is fine alone.
/// Errors: what `plugin_check` fails with; kInvalidConfig if the plugin's option table contradicts itself; kInternal
/// for a client override of a wrong type.
Expected<ConfigInfos> validate_connector(const ConnectorPlugin& plugin, const RawConfig& config,
                                         const PluginCheck& plugin_check, const ValidationRules& rules = {});

/// The text of the 400 for a configuration with errors.
std::string validation_error_message(const ConfigInfos& infos);

/// Definitions for GET /connector-plugins/{plugin}/config: the plugin's own options, then the common ones.
std::vector<ConfigKeyInfo> plugin_key_infos(const ConnectorPlugin& plugin);

}  // namespace millrace
