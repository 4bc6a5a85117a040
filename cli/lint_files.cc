#include "cli/lint_files.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "cli/connector_file.h"
#include "cli/lint_checks.h"
#include "core/properties.h"
#include "runtime/plugin_bridge.h"

namespace millrace {
namespace {

/// Java keeps the last of two equal keys, and says nothing.
void tell_repeated_keys(FileSystem& files, const std::string& file, Findings& findings) {
  if (file.ends_with(".json")) return;
  const auto text = files.read_file(file);
  const auto pairs = text ? parse_properties(*text) : decltype(parse_properties(*text))();
  if (!text || !pairs) return;
  std::set<std::string> seen, told;
  for (const auto& [key, value] : *pairs) {
    if (!seen.insert(key).second && told.insert(key).second)
      findings.add(file, key, Severity::kWarning, "It is set more than once; the last one counts. Keep one.");
  }
}

/// The file's name is in front already.
std::string reason(const Error& error) {
  std::string text = error.message;
  for (const Error* at = &error; !at->cause.empty(); at = &at->cause.front()) text += ": " + at->cause.front().message;
  return text.ends_with('.') ? text : text + ".";
}

void lint_connector_files(FileSystem& files, const std::vector<std::string>& connectors,
                          const ConnectorSurroundings& surroundings, Findings& findings) {
  std::map<std::string, std::string> names;  // name → file
  for (const std::string& path : connectors) {
    findings.count_file();
    const auto file = read_connector_file(files, path);
    if (!file) {
      findings.add(path, "", Severity::kError, reason(file.error()));
      continue;
    }
    tell_repeated_keys(files, path, findings);
    const auto [at, is_new] = names.emplace(file->name, path);
    if (!is_new) {
      findings.add(path, "name", Severity::kError,
                   fmt::format("{} names a connector {}, too. Names must differ.", at->second, file->name));
    }
    lint_connector(path, file->config, surroundings, findings);
  }
}

/// Empty where there is none, or it cannot be read: connectors are still checked, as far as possible.
ConfigMap read_worker(const LintFiles& what, FileSystem& files, Findings& findings) {
  if (what.worker.empty()) return {};
  if (what.check_worker) findings.count_file();
  auto settings = read_properties_file(files, what.worker);
  if (!settings) {
    findings.add(what.worker, "", Severity::kError, reason(settings.error()));
    return {};
  }
  if (what.check_worker) {
    tell_repeated_keys(files, what.worker, findings);
    lint_worker(what.worker, *settings, files, findings);
  }
  return std::move(*settings);
}

}  // namespace

Findings lint_files(const LintFiles& what, FileSystem& files, const std::string& built_in_plugins) {
  Findings findings;
  const ConfigMap settings = read_worker(what, files, findings);
  const auto providers = ConfigProviders::create(settings, files);
  const auto worker = WorkerConfig::parse(settings, worker_mode(settings), files);
  if (!worker && !what.worker.empty() && !what.check_worker)  // else lint_worker() has told
    findings.add(what.worker, "", Severity::kWarning,
                 "Connectors are checked as if this file said nothing but plugin.path: " + reason(worker.error()));
  PluginHost plugins(files, plugin_host_table(), Logger());
  plugins.scan(built_in_plugins);
  const auto path = settings.find("plugin.path");
  for (const std::string& folder : split_list(path == settings.end() ? "" : path->second)) plugins.scan(folder);
  for (const PluginHost::Refusal& refusal : plugins.refused())
    findings.add(what.worker, "plugin.path", Severity::kWarning, refusal.reason + ".");
  lint_connector_files(files, what.connectors,
                       {.plugins = plugins,
                        .providers = providers ? *providers : ConfigProviders(),
                        .rules = worker ? validation_rules(*worker) : ValidationRules(),
                        .online = what.online},
                       findings);
  return findings;
}

}  // namespace millrace
