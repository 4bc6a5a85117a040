#include "cli/lint_checks.h"

#include <fmt/format.h>

#include <algorithm>

#include "broker/config_catalogue.h"
#include "broker/node_settings.h"
#include "core/java_text.h"
#include "runtime/connector_config.h"
#include "runtime/connector_remarks.h"
#include "runtime/plugin_bridge.h"
#include "runtime/raw_config.h"

namespace millrace {
namespace {

namespace k = connector_keys;

/// Kafka's message as a sentence, and what the option is for.
std::string with_advice(const std::string& error, std::string_view documentation) {
  const std::string end = error.ends_with('.') || error.ends_with('?') ? "" : ".";
  return documentation.empty() ? error + end : fmt::format("{}{} {}", error, end, documentation);
}

bool is_worker_secret(std::string_view name) {
  for (const char* prefix : {"producer.", "consumer.", "admin.", "listeners.https.", "admin.listeners.https."}) {
    if (name.starts_with(prefix)) name.remove_prefix(std::string_view(prefix).size());
  }
  const ConfigKey* key = worker_options(WorkerMode::kDistributed).find(name);
  return key != nullptr && key->type == ConfigType::kPassword;
}

bool is_client_secret(std::string_view name) {
  for (const ClientKind client : {ClientKind::kProducer, ClientKind::kConsumer, ClientKind::kAdmin}) {
    const std::string_view prefix = client_override_prefix(client);
    if (name.starts_with(prefix)) return is_worker_secret(name.substr(prefix.size()));
  }
  return false;
}

/// Values with their variables resolved; those that cannot be are told and stay.
template <class Settings>
Settings resolved(const std::string& file, const Settings& settings, const ConfigProviders& providers,
                  Findings& findings) {
  Settings all;
  for (const auto& [key, value] : settings) {
    auto one = providers.resolve(Settings{{key, value}});
    if (one) {
      all.insert(*one->begin());
    } else {
      findings.add(file, key, Severity::kError,
                   one.error().message + ". Create the file, or correct its name; the worker must be able to read it.");
      all.emplace(key, value);
    }
  }
  return all;
}

void tell_unresolved(const std::string& file, const RawConfig& settings, Findings& findings) {
  for (const auto& [key, value] : settings) {
    if (!value || key.starts_with("config.providers.")) continue;
    const size_t begin = value->find("${");
    const size_t end = begin == std::string::npos ? begin : value->find('}', begin);
    if (end == std::string::npos || value->find(':', begin) > end) continue;
    findings.add(file, key, Severity::kWarning,
                 fmt::format("{} is answered by no provider and stays as it is written. Name the provider in the "
                             "worker's config.providers, and check path and key.",
                             value->substr(begin, end + 1 - begin)));
  }
}

void lint_timing(const std::string& file, const ConfigMap& settings, Findings& findings) {
  const auto parsed = worker_options(WorkerMode::kDistributed).parse(settings);
  if (!parsed) return;  // told before
  const int64_t heartbeat = parsed->integer("heartbeat.interval.ms");
  const int64_t session = parsed->integer("session.timeout.ms");
  constexpr int64_t kBeatsPerSession = 3;
  if (heartbeat * kBeatsPerSession > session) {
    findings.add(file, "heartbeat.interval.ms", Severity::kWarning,
                 fmt::format("{} ms is more than a third of session.timeout.ms={}: a lost heartbeat or two and the "
                             "worker counts as gone. Lower it.",
                             heartbeat, session));
  }
}

/// The settings of the embedded log, by the rules of `millrace broker`.
void lint_log(const std::string& file, const ConfigMap& values, Findings& findings) {
  constexpr std::string_view kPrefix = "broker.";
  ConfigMap log;
  for (const auto& [name, value] : values) {
    const bool ours = worker_options(WorkerMode::kStandalone).find(name) != nullptr;
    const std::string own = name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : name;
    if (ours || (!name.starts_with("log.") && own == name)) continue;
    const bool known =
        name.starts_with("log.") ? broker_config(own) != nullptr : unknown_settings({{own, value}}).empty();
    if (known || name == "broker.id") {
      log.emplace(own, value);
      continue;
    }
    std::vector<std::string_view> names;
    for (const ConfigDefinition& each : broker_config_definitions()) names.push_back(each.name);
    findings.add(file, name, Severity::kWarning,
                 fmt::format("The embedded log has no setting {}; it is ignored.{}", own, did_you_mean(own, names)));
  }
  for (const char* shared : {"num.partitions", "auto.create.topics.enable", "message.max.bytes"}) {
    if (const auto given = values.find(shared); given != values.end()) log.insert(*given);
  }
  if (const auto options = parse_node_settings(log); !options)
    findings.add(file, "", Severity::kError, with_advice(options.error().message, "Correct this setting of the log."));
}

}  // namespace

WorkerMode worker_mode(const ConfigMap& settings) {
  return settings.contains("group.id") ? WorkerMode::kDistributed : WorkerMode::kStandalone;
}

void lint_worker(const std::string& file, const ConfigMap& settings, FileSystem& files, Findings& findings) {
  const WorkerMode mode = worker_mode(settings);
  auto providers = ConfigProviders::create(settings, files);
  if (!providers) {
    findings.add(file, "config.providers", Severity::kError,
                 providers.error().message +
                     ". Providers are FileConfigProvider, DirectoryConfigProvider and EnvVarConfigProvider.");
    providers = ConfigProviders();
  }
  const ConfigMap values = resolved(file, settings, *providers, findings);
  const ConfigDef& options = worker_options(mode);
  bool fine = true;
  for (const ValidatedConfig& each : options.validate(RawConfig(values.begin(), values.end()))) {
    for (const std::string& error : each.errors) {
      findings.add(file, each.name, Severity::kError, with_advice(error, options.find(each.name)->documentation));
      fine = false;
    }
  }
  for (const std::string& name : split_list(values.contains("config.providers") ? values.at("config.providers") : "")) {
    const std::string key = fmt::format("config.providers.{}.class", name);
    if (!values.contains(key))
      findings.add(
          file, key, Severity::kWarning,
          fmt::format("The provider {} has no class, so its variables stay as they are written. Set it.", name));
  }
  if (fine) {
    const auto config = WorkerConfig::parse(values, mode, files);
    if (config) {
      for (const auto& each : config->notices) findings.add(file, each.key, Severity::kNotice, each.message);
      for (const auto& each : config->warnings) findings.add(file, each.key, Severity::kWarning, each.message);
    } else {
      findings.add(file, "", Severity::kError, with_advice(config.error().message, ""));
    }
    lint_log(file, values, findings);
    if (mode == WorkerMode::kDistributed) lint_timing(file, values, findings);
  }
  const RawConfig raw(settings.begin(), settings.end());
  tell_unresolved(file, RawConfig(values.begin(), values.end()), findings);
  lint_secrets(file, raw, is_worker_secret, findings);
  lint_listeners(file, values, findings);
}

namespace {

const ConnectorPlugin* find_plugin(const std::string& file, const RawConfig& config, const PluginHost& plugins,
                                   Findings& findings) {
  const std::string* name = given(config, k::kClass);
  if (name == nullptr) {
    findings.add(file, std::string(k::kClass), Severity::kError,
                 "Missing required configuration \"connector.class\" which has no default value. Name the connector to "
                 "run.");
    return nullptr;
  }
  const auto plugin = plugins.find(*name);
  if (plugin) return *plugin;
  std::vector<std::string_view> names;
  for (const ConnectorPlugin* each : plugins.connectors()) {
    names.insert(names.end(), each->names.begin(), each->names.end());
    const std::string_view full = each->class_name;
    names.push_back(full.substr(full.rfind('.') + 1));
  }
  findings.add(file, std::string(k::kClass), Severity::kError,
               fmt::format("No connector has the name {}.{} Check the name, and plugin.path of the worker.", *name,
                           did_you_mean(*name, names)));
  return nullptr;
}

/// What the plugin logged while it checked: what a server lacks, what has no effect.
void tell_lines(const std::string& file, const ValidationContext& context, Findings& findings) {
  for (const auto& [level, text] : context.lines) {
    if (level == LogLevel::kDebug) continue;
    findings.add(file, "",
                 level == LogLevel::kError  ? Severity::kError
                 : level == LogLevel::kWarn ? Severity::kWarning
                                            : Severity::kNotice,
                 text);
  }
}

/// Key and message.
using OptionErrors = std::vector<std::pair<std::string, std::string>>;

/// The plugin's own check of relations between its options, as the worker asks for it. `told`: what it found.
PluginCheck ask(const std::string& file, const ConnectorPlugin& plugin, Findings& findings, OptionErrors& told) {
  return [&](const ConfigMap& settings) -> Expected<OptionErrors> {
    if (plugin.table.validate == nullptr) return OptionErrors{};
    ValidationContext context("lint", Logger());
    const ConfigView view(settings);
    mr_error error{};
    auto ok = to_status(plugin.table.validate(&context, view.get(), &error), error);
    tell_lines(file, context, findings);
    if (!ok) return fail(std::move(ok.error()));
    told = context.errors;
    return std::move(context.errors);
  };
}

/// What becomes of bad records.
void lint_errors(const std::string& file, const RawConfig& config, ConnectorType type, Findings& findings) {
  const auto is = [&](std::string_view key, std::string_view value) {
    const std::string* text = given(config, key);
    return text != nullptr && java_trim(*text) == value;
  };
  const std::string* dlq = given(config, k::kDlqTopic);
  const bool sink = type == ConnectorType::kSink;
  const bool dead_letters = sink && dlq != nullptr && !is_blank(*dlq);
  const bool tolerant = is("errors.tolerance", "all");
  if (tolerant && !dead_letters && !is("errors.log.enable", "true")) {
    findings.add(file, "errors.tolerance", Severity::kWarning,
                 fmt::format("Bad records are skipped and nobody learns of them. Set errors.log.enable=true{}.",
                             sink ? ", or errors.deadletterqueue.topic.name to keep them" : ""));
  }
  if (dead_letters && !tolerant) {
    findings.add(
        file, std::string(k::kDlqTopic), Severity::kWarning,
        "Dead letters are only written with errors.tolerance=all; now the first bad record stops its task. Set "
        "it too.");
  }
  if (dead_letters && tolerant && !is("errors.deadletterqueue.context.headers.enable", "true")) {
    findings.add(file, "errors.deadletterqueue.context.headers.enable", Severity::kNotice,
                 "Dead letters do not say what was wrong with them. Set it to true.");
  }
  if (sink && !dead_letters && !tolerant) {
    findings.add(file, std::string(k::kDlqTopic), Severity::kNotice,
                 "There is no dead letter topic: the first bad record stops its task. Set it and errors.tolerance=all "
                 "if the others should go on.");
  }
}

}  // namespace

void lint_connector(const std::string& file, const RawConfig& config, const ConnectorSurroundings& surroundings,
                    Findings& findings) {
  const RawConfig values = resolved(file, config, surroundings.providers, findings);
  tell_unresolved(file, values, findings);
  lint_secrets(file, config, is_client_secret, findings);
  const ConnectorPlugin* plugin = find_plugin(file, values, surroundings.plugins, findings);
  if (plugin == nullptr) return;
  OptionErrors asked;
  const auto infos = validate_connector(
      *plugin, values, surroundings.online ? ask(file, *plugin, findings, asked) : PluginCheck(), surroundings.rules);
  if (!infos) {
    findings.add(file, "", Severity::kError, with_advice(infos.error().message, "Correct the value."));
  } else {
    for (const ConfigInfo& info : infos->configs) {
      for (const std::string& error : info.value.errors) {
        // What a plugin says of a server comes with its own advice; what the option is for does not help there.
        const bool own = std::ranges::find(asked, std::pair(info.value.name, error)) != asked.end();
        const std::string advice = own ? "" : info.definition ? info.definition->documentation : "Remove the line.";
        findings.add(file, info.value.name, Severity::kError, with_advice(error, advice));
      }
      // By the plugin's own table.
      const auto written = config.find(info.value.name);
      const bool plain = written != config.end() && written->second && written->second->find("${") == std::string::npos;
      if (plain && info.definition && info.definition->type == "PASSWORD") {
        const RawConfig one = {{written->first, written->second}};
        const auto told = [&](const Finding& each) {
          return each.file == file && each.key == written->first && each.severity == Severity::kWarning;
        };
        if (std::ranges::none_of(findings.all(), told))
          lint_secrets(
              file, one, [](std::string_view) { return true; }, findings);
      }
    }
  }
  for (const SettingRemark& each : connector_remarks(*plugin, values, components_of(surroundings.rules)))
    findings.add(file, each.key, Severity::kWarning, each.message);
  lint_errors(file, values, plugin->type, findings);
}

}  // namespace millrace
