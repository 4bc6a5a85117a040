#include "runtime/validation.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <span>

#include "core/java_text.h"
#include "runtime/component_sections.h"
#include "runtime/connector_config.h"
#include "runtime/raw_config.h"

namespace millrace {
namespace {

namespace k = connector_keys;

// ---- the result under construction

/// Definitions in order with their values; an entry without definition comes from a setting nobody defines.
class Report {
 public:
  void add(const ConfigKey& key, ValidatedConfig value) {
    if (key.group) add_group(*key.group);
    ConfigInfo info;
    info.definition = key_info(key);
    info.value = to_info(std::move(value));
    if (ConfigInfo* defined = find(key.name)) {
      *defined = std::move(info);  // a plugin defines a common option anew
    } else {
      configs_.push_back(std::move(info));
    }
  }

  void add_group(const std::string& group) {
    if (std::ranges::find(groups_, group) == groups_.end()) groups_.push_back(group);
  }

  ConfigInfo* find(std::string_view name) {
    const auto is_it = [&](const ConfigInfo& info) { return info.value.name == name; };
    const auto found = std::ranges::find_if(configs_, is_it);
    if (found != configs_.end()) return &*found;
    const auto loose = std::ranges::find_if(undefined_, is_it);
    return loose == undefined_.end() ? nullptr : &*loose;
  }

  void add_error(std::string_view name, std::string message) {
    ConfigInfo* info = find(name);
    if (info == nullptr) {
      info = &undefined_.emplace_back();
      info->value.name = name;
    }
    info->value.errors.push_back(std::move(message));
  }

  bool fine(std::string_view name) {
    const ConfigInfo* info = find(name);
    return info != nullptr && info->value.errors.empty();
  }

  ConfigInfos finish(std::string class_name) && {
    ConfigInfos infos;
    infos.name = std::move(class_name);
    infos.groups = std::move(groups_);
    infos.configs = std::move(undefined_);
    std::ranges::move(configs_, std::back_inserter(infos.configs));
    for (const ConfigInfo& info : infos.configs) infos.error_count += static_cast<int>(info.value.errors.size());
    return infos;
  }

 private:
  static ConfigValueInfo to_info(ValidatedConfig value) {
    return {std::move(value.name), std::move(value.value), std::move(value.recommended_values), std::move(value.errors),
            value.visible};
  }

  std::vector<ConfigInfo> configs_, undefined_;
  std::vector<std::string> groups_;
};

/// One validation on its way.
class Validation {
 public:
  Validation(const ConnectorPlugin& plugin, const RawConfig& config, const ValidationRules& rules,
             const ComponentCatalog& catalog)
      : plugin_(plugin), config_(config), rules_(rules), catalog_(catalog) {}

  Status check_common_options();
  void check_sink_topics();
  void check_exactly_once();
  void check_nulls();
  Status check_plugin_options(const PluginCheck& plugin_check);
  Expected<ConfigInfos> finish();

 private:
  int32_t ask(int32_t (*question)(const mr_config*)) const;
  void check_exactly_once_of_connector();
  void show_full_class_names(const std::vector<ConfigKey>& keys);
  void check_converter_class(std::string_view key, ComponentKind kind);
  void add_converter_options(std::string_view key, std::string_view type, ComponentKind kind, ConfigInfos& infos);
  Status add_client_overrides(ConfigInfos& infos);
  bool is_set(std::string_view name) const {
    const std::string* value = given(config_, name);
    return value != nullptr && !is_blank(*value);
  }

  const ConnectorPlugin& plugin_;
  const RawConfig& config_;
  const ValidationRules& rules_;
  const ComponentCatalog& catalog_;
  Report report_;
};

Status Validation::check_common_options() {
  std::vector<ConfigKey> keys = common_connector_keys(plugin_.type);
  add_component_options(config_, catalog_, keys);
  const auto def = ConfigDef::create(keys, [this](std::string_view name) { return is_class(catalog_, name); });
  if (!def) return fail(def.error());
  std::vector<ValidatedConfig> values = def->validate(config_);
  for (size_t i = 0; i < keys.size(); ++i) report_.add(keys[i], std::move(values[i]));
  show_full_class_names(keys);
  return {};
}

/// A class that was named by an alias is shown by its full name.
void Validation::show_full_class_names(const std::vector<ConfigKey>& keys) {
  for (const ConfigKey& key : keys) {
    if (key.type != ConfigType::kClass) continue;
    std::optional<std::string>& value = report_.find(key.name)->value.value;
    if (!value) continue;
    if (const std::string_view full = catalog_.find_any(*value); !full.empty()) value = full;
  }
  check_converter_class(k::kKeyConverter, ComponentKind::kConverter);
  check_converter_class(k::kValueConverter, ComponentKind::kConverter);
  check_converter_class(k::kHeaderConverter, ComponentKind::kHeaderConverter);
}

void Validation::check_converter_class(std::string_view key, ComponentKind kind) {
  const ConfigValueInfo& value = report_.find(key)->value;
  if (!value.value) return;
  if (auto message = check_component_class(catalog_, kind, *value.value)) report_.add_error(key, std::move(*message));
}

void Validation::check_sink_topics() {
  if (plugin_.type != ConnectorType::kSink) return;
  const bool topics = is_set(k::kTopics);
  const bool regex = is_set(k::kTopicsRegex);
  if (topics == regex) {
    const char* message = topics ? "topics and topics.regex are mutually exclusive options, but both are set."
                                 : "Must configure one of topics or topics.regex";
    report_.add_error(k::kTopics, message);
    report_.add_error(k::kTopicsRegex, message);
  }
  if (is_set(k::kDlqTopic)) {
    const std::string dlq(java_trim(*given(config_, k::kDlqTopic)));
    const auto list = topics ? distinct_elements(*given(config_, k::kTopics)) : std::vector<std::string>{};
    if (std::ranges::find(list, dlq) != list.end()) {
      report_.add_error(
          k::kTopics,
          fmt::format(
              "The DLQ topic '{}' may not be included in the list of topics ('topics=[{}]') consumed by the connector",
              dlq, fmt::join(list, ", ")));
    }
    if (regex && topic_regex_matches(*given(config_, k::kTopicsRegex), dlq)) {
      report_.add_error(k::kTopicsRegex, fmt::format("The DLQ topic '{}' may not be matched by the regex for the "
                                                     "topics ('topics.regex={}') consumed by the connector",
                                                     dlq, *given(config_, k::kTopicsRegex)));
    }
  }
  if (rules_.worker_group.empty()) return;
  const std::string* name = given(config_, k::kName);
  const std::string* group = given(config_, "consumer.override.group.id");
  if (group != nullptr && *group == rules_.worker_group) {
    report_.add_error("consumer.override.group.id",
                      fmt::format("Consumer group {0} conflicts with Connect worker group {0}", *group));
  } else if (group == nullptr && name != nullptr && "connect-" + *name == rules_.worker_group) {
    report_.add_error(k::kName,
                      fmt::format("Consumer group for sink connector named {} conflicts with Connect worker group {}",
                                  *name, rules_.worker_group));
  }
}

bool is_word(const std::string* text, std::string_view upper) {
  if (text == nullptr) return false;
  return std::ranges::equal(java_trim(*text), upper,
                            [](char a, char b) { return (a >= 'a' && a <= 'z' ? a - 32 : a) == b; });
}

/// What the plugin answers about these settings; 0 when it has no such function.
int32_t Validation::ask(int32_t (*question)(const mr_config*)) const {
  if (question == nullptr) return 0;
  std::vector<mr_pair> pairs;
  for (const auto& [name, value] : config_) {
    if (value) pairs.push_back({{name.data(), name.size()}, {value->data(), value->size()}});
  }
  const mr_config settings{pairs.data(), pairs.size()};
  return question(&settings);
}

void Validation::check_exactly_once_of_connector() {
  const int32_t support = ask(plugin_.table.exactly_once_support);
  if (support == MR_SUPPORTED) return;
  report_.add_error(
      k::kExactlyOnceSupport,
      support == MR_UNSUPPORTED
          ? "The connector does not support exactly-once semantics with the provided configuration."
          : "The connector does not implement the API required for preflight validation of exactly-once source "
            "support. Please consult the documentation for the connector to determine whether it supports exactly-once "
            "semantics, and then consider reconfiguring the connector to use the value \"requested\" for this property "
            "(which will disable this preflight check and allow the connector to be created).");
}

void Validation::check_exactly_once() {
  if (plugin_.type != ConnectorType::kSource) return;
  if (is_word(given(config_, k::kExactlyOnceSupport), "REQUIRED")) {
    if (!rules_.exactly_once_sources)
      report_.add_error(k::kExactlyOnceSupport, "This worker does not have exactly-once source support enabled.");
    check_exactly_once_of_connector();
  }
  if (is_word(given(config_, k::kTransactionBoundary), "CONNECTOR") &&
      ask(plugin_.table.can_define_transactions) == 0) {
    report_.add_error(
        k::kTransactionBoundary,
        "The connector does not support connector-defined transaction boundaries with the given configuration. "
        "Please reconfigure it to use a different transaction boundary definition.");
  }
}

void Validation::check_nulls() {
  for (const auto& [name, value] : config_) {
    if (!value) report_.add_error(name, "Null value can not be supplied as the configuration value.");
  }
}

Status Validation::check_plugin_options(const PluginCheck& plugin_check) {
  const std::vector<ConfigKey> keys = plugin_keys(plugin_.table);
  const auto def = ConfigDef::create(keys);
  if (!def) {
    return fail(ErrorCode::kInvalidConfig,
                fmt::format("The option table of {} ({}) contradicts itself: {}", plugin_.class_name,
                            plugin_.library.string(), def.error().message));
  }
  bool all_fine = true;
  std::vector<ValidatedConfig> values = def->validate(config_);
  for (size_t i = 0; i < keys.size(); ++i) {
    all_fine = all_fine && values[i].errors.empty();
    report_.add(keys[i], std::move(values[i]));
  }
  if (!all_fine || !plugin_check) return {};
  ConfigMap settings;
  for (const auto& [name, value] : config_) {
    if (value) settings.emplace(name, *value);
  }
  auto messages = plugin_check(settings);
  if (!messages) return fail(std::move(messages.error()));
  for (auto& [name, message] : *messages) report_.add_error(name, std::move(message));
  return {};
}

Status Validation::add_client_overrides(ConfigInfos& infos) {
  const bool dead_letters = plugin_.type == ConnectorType::kSink && is_set(k::kDlqTopic);
  const bool creates_topics =
      plugin_.type == ConnectorType::kSource && !with_prefix(config_, "topic.creation.").empty();
  // In a group of workers such a source reads its offsets with a consumer of its own.
  const bool own_offsets = plugin_.type == ConnectorType::kSource && !rules_.worker_group.empty() &&
                           (rules_.exactly_once_sources || is_set("offsets.storage.topic"));
  std::vector<ClientKind> clients;
  if (plugin_.type == ConnectorType::kSource || dead_letters) clients.push_back(ClientKind::kProducer);
  if (plugin_.type == ConnectorType::kSink || own_offsets) clients.push_back(ClientKind::kConsumer);
  if (creates_topics || dead_letters || own_offsets) clients.push_back(ClientKind::kAdmin);
  for (const ClientKind client : clients) {
    auto overrides = check_client_overrides(client, rules_.override_policy, config_);
    if (!overrides) return fail(std::move(overrides.error()));
    for (ConfigInfo& info : *overrides) {
      infos.error_count += info.value.errors.empty() ? 0 : 1;
      infos.configs.push_back(std::move(info));
    }
  }
  return {};
}

/// A converter's own options are checked only where the connector names the converter.
void Validation::add_converter_options(std::string_view key, std::string_view type, ComponentKind kind,
                                       ConfigInfos& infos) {
  const std::string* name = given(config_, key);
  if (name == nullptr || !report_.fine(key)) return;
  const ConfigDef* def = catalog_.options(kind, catalog_.find(kind, java_trim(*name)));
  if (def == nullptr) return;
  const std::string prefix = fmt::format("{}.", key);
  RawConfig settings = with_prefix(config_, prefix);
  settings.emplace("converter.type", type);
  std::vector<ValidatedConfig> values = def->validate(settings);
  for (ValidatedConfig& value : values) {
    ConfigInfo& info = infos.configs.emplace_back();
    if (const ConfigKey* option = def->find(value.name)) {
      info.definition = key_info(*option, prefix);
      if (option->group && std::ranges::find(infos.groups, *option->group) == infos.groups.end())
        infos.groups.push_back(*option->group);
    }
    infos.error_count += value.errors.empty() ? 0 : 1;
    info.value = {prefix + value.name, std::move(value.value), std::move(value.recommended_values),
                  std::move(value.errors), value.visible};
  }
}

Expected<ConfigInfos> Validation::finish() {
  const std::string* class_name = given(config_, k::kClass);
  ConfigInfos rest;  // added after the count of the rest, because these sections count options and not messages
  if (Status ok = add_client_overrides(rest); !ok) return fail(std::move(ok.error()));
  add_converter_options(k::kHeaderConverter, "header", ComponentKind::kHeaderConverter, rest);
  add_converter_options(k::kKeyConverter, "key", ComponentKind::kConverter, rest);
  add_converter_options(k::kValueConverter, "value", ComponentKind::kConverter, rest);
  for (const std::string& group : rest.groups) report_.add_group(group);
  ConfigInfos infos = std::move(report_).finish(class_name == nullptr ? plugin_.class_name : *class_name);
  infos.error_count += rest.error_count;
  std::ranges::move(rest.configs, std::back_inserter(infos.configs));
  return infos;
}

}  // namespace

ValidationRules validation_rules(const WorkerConfig& worker) {
  return {.exactly_once_sources = worker.exactly_once_source == ExactlyOnceSource::kEnabled,
          .override_policy = worker.override_policy,
          .worker_group = worker.group_id};
}

const ComponentCatalog& components_of(const ValidationRules& rules) {
  static const BuiltInComponents built_in;
  return rules.components == nullptr ? built_in : *rules.components;
}

Expected<ConfigInfos> validate_connector(const ConnectorPlugin& plugin, const RawConfig& config,
                                         const PluginCheck& plugin_check, const ValidationRules& rules) {
  Validation validation(plugin, config, rules, components_of(rules));
  if (Status ok = validation.check_common_options(); !ok) return fail(std::move(ok.error()));
  validation.check_sink_topics();
  validation.check_exactly_once();
  validation.check_nulls();
  if (Status ok = validation.check_plugin_options(plugin_check); !ok) return fail(std::move(ok.error()));
  return validation.finish();
}

std::string validation_error_message(const ConfigInfos& infos) {
  std::string message =
      fmt::format("Connector configuration is invalid and contains the following {} error(s):", infos.error_count);
  for (const ConfigInfo& info : infos.configs) {
    for (const std::string& error : info.value.errors) message += "\n" + error;
  }
  return message +
         "\nYou can also find the above list of errors at the endpoint "
         "`/connector-plugins/{connectorType}/config/validate`";
}

std::vector<ConfigKeyInfo> plugin_key_infos(const ConnectorPlugin& plugin) {
  std::vector<ConfigKeyInfo> infos;
  for (const ConfigKey& key : plugin_keys(plugin.table)) infos.push_back(key_info(key));
  const size_t own = infos.size();
  for (const ConfigKey& key : common_connector_keys(plugin.type)) {
    const auto is_it = [&](const ConfigKeyInfo& info) { return info.name == key.name; };
    if (std::none_of(infos.begin(), infos.begin() + static_cast<std::ptrdiff_t>(own), is_it))
      infos.push_back(key_info(key));
  }
  return infos;
}

}  // namespace millrace
