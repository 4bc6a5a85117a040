/// Variables in settings: `${provider:path:key}` and `${provider:key}`, answered by Kafka's configuration providers
/// (KIP-297): FileConfigProvider, DirectoryConfigProvider, EnvVarConfigProvider. Settings are stored with their
/// variables; they are resolved each time a connector or task starts and when a configuration is validated.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/config_def.h"
#include "core/file_system.h"

namespace millrace {

/// Threads: any (immutable; each resolve() reads the sources anew).
class ConfigProviders {
 public:
  /// No providers: every setting stays as it is.
  ConfigProviders() = default;
  /// From a worker's settings (config.providers, config.providers.<name>.class, .param.*). `files` outlives the result.
  /// Errors: kInvalidConfig with Kafka's text.
  static Expected<ConfigProviders> create(const ConfigMap& worker_settings, FileSystem& files);

  /// The settings with the variables of known providers replaced; what no provider answers stays as it is written.
  /// Errors: kInvalidConfig with Kafka's text, e.g. "Could not read properties from file /x" (REST answers 500).
  Expected<ConfigMap> resolve(const ConfigMap& settings) const;
  Expected<RawConfig> resolve(const RawConfig& settings) const;

  class Provider;

 private:
  std::map<std::string, std::shared_ptr<const Provider>, std::less<>> providers_;  // shared by copies of this object
};

}  // namespace millrace
