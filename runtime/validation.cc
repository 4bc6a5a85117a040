#include "runtime/validation.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <span>

#include "runtime/connector_config.h"

namespace millrace {
namespace {

namespace k = connector_keys;

const std::string* given(const RawConfig& config, std::string_view name) {
  const auto found = config.find(std::string(name));
  return found == config.end() || !found->second ? nullptr : &*found->second;
}

bool is_blank(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) <= ' '; });
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.substr(0, 1))) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.substr(text.size() - 1))) text.remove_suffix(1);
  return text;
}

/// Elements of a LIST without empty ones and repetitions.
std::vector<std::string> distinct_elements(std::string_view list) {
  std::vector<std::string> elements;
  while (!list.empty()) {
    const size_t comma = list.find(',');
    const std::string element(trim(list.substr(0, comma)));
    list = comma == list.npos ? std::string_view() : list.substr(comma + 1);
    if (!element.empty() && std::ranges::find(elements, element) == elements.end()) elements.push_back(element);
  }
  return elements;
}

/// Settings under a prefix, without it.
RawConfig with_prefix(const RawConfig& config, std::string_view prefix) {
  RawConfig found;
  for (auto entry = config.lower_bound(std::string(prefix)); entry != config.end() && entry->first.starts_with(prefix);
       ++entry) {
    found.emplace(entry->first.substr(prefix.size()), entry->second);
  }
  return found;
}

// ---- options of transformations and predicates

struct Section {
  std::string_view key;   ///< transforms
  std::string_view word;  ///< Transformation
  ComponentKind kind;
};
constexpr Section kTransformSection{k::kTransforms, "Transformation", ComponentKind::kTransformation};
constexpr Section kPredicateSection{k::kPredicates, "Predicate", ComponentKind::kPredicate};

/// The order in which Kafka numbers the options of an embedded component.
bool comes_before(const ConfigKey& a, const ConfigKey& b) {
  if (a.group.has_value() != b.group.has_value()) return !a.group.has_value();
  if (a.order != b.order) return a.order < b.order;
  if (a.required() != b.required()) return a.required();
  if (a.importance != b.importance) return a.importance < b.importance;
  return a.name < b.name;
}

/// Kafka names the option in a validator's message without the prefix.
ConfigValidator without_prefix(ConfigValidator validator, size_t prefix_size) {
  if (!validator) return {};
  return [validator = std::move(validator), prefix_size](std::string_view key, const ConfigValue& value) {
    return validator(key.substr(prefix_size), value);
  };
}

/// A transformation can be limited by a predicate, which can be negated.
void add_predicate_options(std::vector<ConfigKey>& options) {
  options.push_back(
      {.name = "predicate",
       .type = ConfigType::kString,
       .default_value = nullptr,
       .importance = ConfigImportance::kMedium,
       .documentation = "The alias of a predicate that says whether the transformation applies to a record."});
  options.push_back({.name = "negate",
                     .type = ConfigType::kBoolean,
                     .default_value = "false",
                     .importance = ConfigImportance::kMedium,
                     .documentation = "Whether the transformation applies where the predicate does not hold."});
}

ConfigKey type_key(const Section& section, const std::string& alias, const std::string& prefix, const RawConfig& config,
                   const ComponentCatalog& catalog) {
  ConfigKey key;
  key.name = prefix + "type";
  key.type = ConfigType::kClass;
  key.importance = ConfigImportance::kHigh;
  key.documentation = fmt::format("The class of the {} '{}'.", section.key.substr(0, section.key.size() - 1), alias);
  key.group =
      fmt::format("{}: {}", section.kind == ComponentKind::kTransformation ? "Transforms" : "Predicates", alias);
  key.order = 0;
  key.width = ConfigWidth::kLong;
  key.display_name = fmt::format("{} type for {}", section.word, alias);
  key.recommended = [&catalog, kind = section.kind](const auto&) {
    const auto classes = catalog.classes(kind);
    return std::vector<std::string>(classes.begin(), classes.end());
  };
  const bool negated = section.kind == ComponentKind::kTransformation && config.contains(prefix + "negate");
  if (negated && !config.contains(prefix + "predicate")) {
    key.validator = [prefix](std::string_view, const ConfigValue&) -> std::optional<std::string> {
      return fmt::format(
          "Config '{0}negate' was provided but there is no config '{0}predicate' defining a predicate to be negated.",
          prefix);
    };
  }
  return key;
}

void add_section(const Section& section, const RawConfig& config, const ComponentCatalog& catalog,
                 std::vector<ConfigKey>& keys) {
  const std::string* aliases = given(config, section.key);
  if (aliases == nullptr) return;
  for (const std::string& alias : distinct_elements(*aliases)) {
    const std::string prefix = fmt::format("{}.{}.", section.key, alias);
    ConfigKey type = type_key(section, alias, prefix, config, catalog);
    const std::string group = *type.group;
    keys.push_back(std::move(type));
    const std::string* name = given(config, prefix + "type");
    const ConfigDef* def =
        name == nullptr ? nullptr : catalog.options(section.kind, catalog.find(section.kind, trim(*name)));
    if (def == nullptr) continue;
    std::vector<ConfigKey> options = def->keys();
    if (section.kind == ComponentKind::kTransformation) add_predicate_options(options);
    std::ranges::stable_sort(options, comes_before);
    int order = 1;
    for (ConfigKey& option : options) {
      if (option.display_name.empty()) option.display_name = option.name;
      option.name = prefix + option.name;
      option.validator = without_prefix(std::move(option.validator), prefix.size());
      option.group = option.group ? fmt::format("{}: {}", group, *option.group) : group;
      option.order = order++;
      for (std::string& dependent : option.dependents) dependent = prefix + dependent;
      keys.push_back(std::move(option));
    }
  }
}

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
  void show_full_class_names(const std::vector<ConfigKey>& keys);
  void check_converter_class(std::string_view key, ComponentKind kind, std::string_view interface);
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
  add_section(kTransformSection, config_, catalog_, keys);
  add_section(kPredicateSection, config_, catalog_, keys);
  const auto def = ConfigDef::create(keys, [this](std::string_view name) { return !catalog_.find_any(name).empty(); });
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
    if (value) value = catalog_.find_any(*value);
  }
  check_converter_class(k::kKeyConverter, ComponentKind::kConverter, "Converter");
  check_converter_class(k::kValueConverter, ComponentKind::kConverter, "Converter");
  check_converter_class(k::kHeaderConverter, ComponentKind::kHeaderConverter, "HeaderConverter");
}

void Validation::check_converter_class(std::string_view key, ComponentKind kind, std::string_view interface) {
  const ConfigValueInfo& value = report_.find(key)->value;
  if (!value.value || !catalog_.find(kind, *value.value).empty()) return;
  report_.add_error(key, fmt::format("Class class {} does not implement the {} interface", *value.value, interface));
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
    const std::string dlq(trim(*given(config_, k::kDlqTopic)));
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
  return std::ranges::equal(trim(*text), upper,
                            [](char a, char b) { return (a >= 'a' && a <= 'z' ? a - 32 : a) == b; });
}

void Validation::check_exactly_once() {
  if (plugin_.type != ConnectorType::kSource) return;
  // Offsets are the worker's to write, so every source here supports it; none defines its own transactions.
  if (is_word(given(config_, k::kExactlyOnceSupport), "REQUIRED") && !rules_.exactly_once_sources) {
    report_.add_error(k::kExactlyOnceSupport, "This worker does not have exactly-once source support enabled.");
  }
  if (is_word(given(config_, k::kTransactionBoundary), "CONNECTOR")) {
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
  std::vector<ClientKind> clients;
  if (plugin_.type == ConnectorType::kSource || dead_letters) clients.push_back(ClientKind::kProducer);
  if (plugin_.type == ConnectorType::kSink) clients.push_back(ClientKind::kConsumer);
  if (creates_topics || dead_letters) clients.push_back(ClientKind::kAdmin);
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
  const ConfigDef* def = catalog_.options(kind, catalog_.find(kind, trim(*name)));
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

Expected<ConfigInfos> validate_connector(const ConnectorPlugin& plugin, const RawConfig& config,
                                         const PluginCheck& plugin_check, const ValidationRules& rules) {
  const BuiltInComponents built_in;
  Validation validation(plugin, config, rules, rules.components == nullptr ? built_in : *rules.components);
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
