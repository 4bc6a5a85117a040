/// Validation of a connector's configuration with what this worker has: its plugins, its configuration providers.
#pragma once

#include <string>
#include <vector>

#include "core/logger.h"
#include "runtime/config_providers.h"
#include "runtime/plugin_host.h"
#include "runtime/validation.h"

namespace millrace {

/// Threads: any (immutable). May take as long as the plugin's own check does.
class ConnectorValidation {
 public:
  ConnectorValidation(const PluginHost& plugins, const ConfigProviders& providers, ValidationRules rules, Logger logger)
      : plugins_(plugins), providers_(providers), rules_(rules), logger_(std::move(logger)) {}

  /// The answer of …/config/validate, with variables resolved. Errors: kInvalidConfig without connector.class;
  /// kNotFound or kConflict for the plugin; kInternal when a variable cannot be resolved.
  Expected<ConfigInfos> validate(const std::string& plugin, const RawConfig& config) const;
  /// Whether the configuration may be stored. Errors: kInvalidConfig with the texts of all mistakes; kInternal.
  /// What is accepted but probably a mistake goes to the log.
  Status require_valid(const RawConfig& config) const;

 private:
  void log_remarks(const RawConfig& config) const;

  const PluginHost& plugins_;
  const ConfigProviders& providers_;
  const ValidationRules rules_;
  const Logger logger_;
};

}  // namespace millrace
