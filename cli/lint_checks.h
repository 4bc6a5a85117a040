/// The checks of `millrace lint`, on settings as the files have them. Nothing is started and nothing connected to;
/// variables are resolved through the file system, as the worker would.
#pragma once

#include <string>

#include "cli/lint_findings.h"
#include "core/file_system.h"
#include "runtime/config_providers.h"
#include "runtime/plugin_host.h"
#include "runtime/validation.h"

namespace millrace {

/// A worker with group.id is a distributed one.
WorkerMode worker_mode(const ConfigMap& settings);

/// Wrong, missing, idle and misspelt settings of a worker, and what is insecure about them.
void lint_worker(const std::string& file, const ConfigMap& settings, FileSystem& files, Findings& findings);

/// What a connector is checked against.
struct ConnectorSurroundings {
  const PluginHost& plugins;
  const ConfigProviders& providers;
  ValidationRules rules;
  bool online = false;  ///< ask the plugins too; they may call their servers
};
void lint_connector(const std::string& file, const RawConfig& config, const ConnectorSurroundings& surroundings,
                    Findings& findings);

/// Secrets in plain text, SASL without TLS, certificates that are not checked: in files of both kinds.
/// `is_secret` says which settings are passwords by their type.
void lint_secrets(const std::string& file, const RawConfig& settings, bool (*is_secret)(std::string_view name),
                  Findings& findings);
/// Listeners that everyone reaches.
void lint_listeners(const std::string& file, const ConfigMap& settings, Findings& findings);

}  // namespace millrace
