#include "cli/lint.h"

#include <fmt/format.h>

#include <set>

#include "cli/connector_file.h"
#include "cli/lint_checks.h"
#include "cli/options_document.h"
#include "core/properties.h"
#include "runtime/plugin_bridge.h"

namespace millrace {
namespace {

constexpr int kWrongArguments = 1;
constexpr const char* kUsage =
    "usage: millrace lint [--strict] [--json] [--online] worker.properties [connector.properties|connector.json ...]\n"
    "       millrace lint --print-options\n"
    "Checks settings as the worker would, and for misspelt names and insecure values, without starting anything.\n"
    "  --strict         warnings make the exit code 1\n"
    "  --json           print the findings as JSON\n"
    "  --online         ask the connectors too, which may connect to their databases\n"
    "  --print-options  print all settings as Markdown (docs/configuration.md)\n"
    "Exit code: 0 nothing wrong, 1 warnings with --strict, 2 errors.\n";

struct LintArguments {
  bool strict = false, json = false, online = false, print_options = false, help = false;
  std::vector<std::string> files;  ///< the worker's, then connectors
};

Expected<LintArguments> parse(const std::vector<std::string>& arguments) {
  LintArguments parsed;
  for (const std::string& each : arguments) {
    if (each == "--strict") {
      parsed.strict = true;
    } else if (each == "--json") {
      parsed.json = true;
    } else if (each == "--online") {
      parsed.online = true;
    } else if (each == "--print-options") {
      parsed.print_options = true;
    } else if (each == "--help" || each == "-h") {
      parsed.help = true;
    } else if (each.starts_with("-")) {
      return fail(ErrorCode::kInvalidConfig, fmt::format("unexpected argument {}", each));
    } else {
      parsed.files.push_back(each);
    }
  }
  if (parsed.files.empty() && !parsed.help && !parsed.print_options)
    return fail(ErrorCode::kInvalidConfig, "the worker's .properties file is missing");
  return parsed;
}

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
  return text + ".";
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

Findings lint(const LintArguments& arguments, const std::string& built_in_plugins) {
  const std::vector<std::string>& paths = arguments.files;
  PosixFileSystem files;
  Findings findings;
  const std::string& worker_file = paths.front();
  findings.count_file();
  auto settings = read_properties_file(files, worker_file);
  if (settings) {
    tell_repeated_keys(files, worker_file, findings);
    lint_worker(worker_file, *settings, files, findings);
  } else {
    findings.add(worker_file, "", Severity::kError, reason(settings.error()));
    settings = ConfigMap();
  }
  // With a mistake in the worker's file the connectors are still checked, as far as possible.
  auto providers = ConfigProviders::create(*settings, files);
  const auto worker = WorkerConfig::parse(*settings, worker_mode(*settings), files);
  PluginHost plugins(files, plugin_host_table(), Logger());
  plugins.scan(built_in_plugins);
  const auto path = settings->find("plugin.path");
  for (const std::string& folder : split_list(path == settings->end() ? "" : path->second)) plugins.scan(folder);
  for (const PluginHost::Refusal& refusal : plugins.refused())
    findings.add(worker_file, "plugin.path", Severity::kWarning,
                 fmt::format("{} is refused: {}", refusal.library.string(), refusal.reason));
  lint_connector_files(files, {paths.begin() + 1, paths.end()},
                       {.plugins = plugins,
                        .providers = providers ? *providers : ConfigProviders(),
                        .rules = worker ? validation_rules(*worker) : ValidationRules(),
                        .online = arguments.online},
                       findings);
  return findings;
}

}  // namespace

int run_lint(const std::vector<std::string>& arguments, const std::string& built_in_plugins, std::FILE* out,
             std::FILE* err) {
  const auto parsed = parse(arguments);
  if (!parsed) {
    fmt::print(err, "millrace lint: {}\n{}", parsed.error().message, kUsage);
    return kWrongArguments;
  }
  if (parsed->help) return std::fputs(kUsage, out), 0;
  if (parsed->print_options) return std::fputs(options_document().c_str(), out), 0;
  const Findings findings = lint(*parsed, built_in_plugins);
  std::fputs((parsed->json ? findings.json() : findings.text()).c_str(), out);
  return findings.exit_code(parsed->strict);
}

}  // namespace millrace
