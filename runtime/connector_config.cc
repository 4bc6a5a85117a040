#include "runtime/connector_config.h"

#include <fmt/format.h>
#include <re2/re2.h>

namespace millrace {
namespace {

using Type = ConfigType;
using Importance = ConfigImportance;
using Width = ConfigWidth;
using Required = ConfigKey::Required;

constexpr const char* kCommon = "Common";
constexpr const char* kErrors = "Error Handling";
constexpr const char* kExactlyOnce = "Exactly Once Support";

/// A row of the tables below, in the order of their columns.
ConfigKey key(std::string_view name, Type type, ConfigKey::Default default_value, Importance importance,
              const char* group, int order, Width width, const char* display_name, const char* documentation,
              ConfigValidator validator = {}) {
  return {.name = std::string(name),
          .type = type,
          .default_value = std::move(default_value),
          .importance = importance,
          .documentation = documentation,
          .validator = std::move(validator),
          .group = group,
          .order = order,
          .width = width,
          .display_name = display_name};
}

std::vector<ConfigKey> shared_keys() {
  namespace k = connector_keys;
  return {
      key(k::kName, Type::kString, Required{}, Importance::kHigh, kCommon, 1, Width::kMedium, "Connector name",
          "The name of this connector; no other connector of the worker or group may have it.",
          validators::non_empty_string_without_control_chars()),
      key(k::kClass, Type::kString, Required{}, Importance::kHigh, kCommon, 2, Width::kLong, "Connector class",
          "Which connector to run: its class name, or its short name with or without the ending Connector."),
      key(k::kTasksMax, Type::kInt, "1", Importance::kHigh, kCommon, 3, Width::kShort, "Tasks max",
          "The most tasks the connector may split its work into.", validators::at_least(int64_t{1})),
      key("tasks.max.enforce", Type::kBoolean, "true", Importance::kLow, kCommon, 4, Width::kShort, "Enforce tasks max",
          "Whether a connector that makes more tasks than tasks.max allows fails. Deprecated; leave it on."),
      key(k::kKeyConverter, Type::kClass, nullptr, Importance::kLow, kCommon, 5, Width::kShort, "Key converter class",
          "How record keys are written to and read from topics. Without it the worker's setting holds."),
      key(k::kValueConverter, Type::kClass, nullptr, Importance::kLow, kCommon, 6, Width::kShort,
          "Value converter class",
          "How record values are written to and read from topics. Without it the worker's setting holds."),
      key(k::kHeaderConverter, Type::kClass, nullptr, Importance::kLow, kCommon, 7, Width::kShort,
          "Header converter class",
          "How header values are written to and read from topics. Without it the worker's setting holds."),
      key(k::kTransforms, Type::kList, "", Importance::kLow, "Transforms", 8, Width::kLong, "Transforms",
          "Aliases of the transformations that records pass through, in this order; transforms.<alias>.type says "
          "which.",
          validators::unique_list()),
      key(k::kPredicates, Type::kList, "", Importance::kLow, "Predicates", 9, Width::kLong, "Predicates",
          "Aliases of the predicates that transformations can be limited by; predicates.<alias>.type says which.",
          validators::unique_list()),
      key("config.action.reload", Type::kString, "restart", Importance::kLow, kCommon, 10, Width::kMedium,
          "Reload Action",
          "What to do when a value from a config provider changes or expires: restart the connector, or none.",
          validators::one_of({"none", "restart"})),
      key("errors.retry.timeout", Type::kLong, "0", Importance::kMedium, kErrors, 1, Width::kMedium,
          "Retry Timeout for Errors",
          "For how many milliseconds a failing step is tried again; 0 is not at all, -1 for ever."),
      key("errors.retry.delay.max.ms", Type::kLong, "60000", Importance::kMedium, kErrors, 2, Width::kMedium,
          "Maximum Delay Between Retries for Errors", "The longest pause between two tries, in milliseconds."),
      key("errors.tolerance", Type::kString, "none", Importance::kMedium, kErrors, 3, Width::kShort, "Error Tolerance",
          "What a bad record does: none fails the task, all skips the record.", validators::one_of({"none", "all"})),
      key("errors.log.enable", Type::kBoolean, "false", Importance::kMedium, kErrors, 4, Width::kShort, "Log Errors",
          "Whether records that were skipped are logged too."),
      key("errors.log.include.messages", Type::kBoolean, "false", Importance::kMedium, kErrors, 5, Width::kShort,
          "Log Error Details",
          "Whether the log names the record that failed: topic, partition, offset and timestamp for sinks, its content "
          "for sources."),
  };
}

ConfigValidator not_negative_or_null() {
  return [at_least = validators::at_least(int64_t{0})](std::string_view name, const ConfigValue& value) {
    return std::holds_alternative<std::monostate>(value) ? std::nullopt : at_least(name, value);
  };
}

std::vector<ConfigKey> source_keys() {
  namespace k = connector_keys;
  return {
      key("topic.creation.groups", Type::kList, "", Importance::kLow, "Topic Creation", 1, Width::kLong,
          "Topic Creation Groups",
          "Names of groups of topics that are created with their own settings, topic.creation.<group>.*.",
          validators::unique_list()),
      key(k::kExactlyOnceSupport, Type::kString, "requested", Importance::kMedium, kExactlyOnce, 2, Width::kShort,
          "Exactly once support",
          "required refuses this connector unless worker and connector deliver exactly once; requested does not check.",
          validators::one_of_ignoring_case({"requested", "required"})),
      key(k::kTransactionBoundary, Type::kString, "poll", Importance::kMedium, kExactlyOnce, 3, Width::kShort,
          "Transaction Boundary",
          "With exactly-once delivery: a transaction for each poll, for each interval, or as the connector decides.",
          validators::one_of_ignoring_case({"poll", "interval", "connector"})),
      key("transaction.boundary.interval.ms", Type::kLong, nullptr, Importance::kLow, kExactlyOnce, 4, Width::kShort,
          "Transaction boundary interval",
          "Milliseconds between commits when transaction.boundary is interval; without it the worker's "
          "offset.flush.interval.ms.",
          not_negative_or_null()),
      key("offsets.storage.topic", Type::kString, nullptr, Importance::kLow, "offsets.topic", 1, Width::kLong,
          "Offsets topic", "A topic of this connector's own for its source offsets; without it the worker's.",
          validators::non_empty_string()),
  };
}

std::vector<ConfigKey> sink_keys() {
  namespace k = connector_keys;
  return {
      key(k::kTopics, Type::kList, "", Importance::kHigh, kCommon, 4, Width::kLong, "Topics",
          "The topics to read, separated by commas."),
      key(k::kTopicsRegex, Type::kString, "", Importance::kHigh, kCommon, 4, Width::kLong, "Topics regex",
          "A regular expression for the whole names of the topics to read; in place of topics.",
          validators::text_check(check_topic_regex)),
      key(k::kDlqTopic, Type::kString, "", Importance::kMedium, kErrors, 6, Width::kMedium,
          "Dead Letter Queue Topic Name",
          "The topic that receives records which could not be processed; empty for none."),
      key("errors.deadletterqueue.topic.replication.factor", Type::kShort, "3", Importance::kMedium, kErrors, 7,
          Width::kMedium, "Dead Letter Queue Topic Replication Factor",
          "Replicas of the dead letter topic if it has to be created."),
      key("errors.deadletterqueue.context.headers.enable", Type::kBoolean, "false", Importance::kMedium, kErrors, 8,
          Width::kMedium, "Enable Error Context Headers",
          "Whether dead letters say in __connect.errors.* headers what went wrong and where."),
  };
}

RE2::Options regex_options() {
  RE2::Options options;
  options.set_log_errors(false);
  return options;
}

std::string to_string(const mr_str& text) {
  return text.data == nullptr ? std::string() : std::string(text.data, text.size);
}

ConfigValidator to_validator(mr_check check) {
  if (check == nullptr) return {};
  return validators::text_check([check](std::string_view text) -> std::optional<std::string> {
    mr_error error{};
    if (check({text.data(), text.size()}, &error) == MR_OK) return {};
    return error.message;
  });
}

ConfigKey plugin_key(const mr_config_key& from) {
  ConfigKey to;
  to.name = to_string(from.name);
  to.type = static_cast<Type>(from.type);
  to.importance = static_cast<Importance>(from.importance);
  to.width = static_cast<Width>(from.width);
  to.order = from.order;
  to.documentation = to_string(from.documentation);
  to.display_name = to_string(from.display_name);
  to.validator = to_validator(from.check);
  if (from.group.data != nullptr) to.group = to_string(from.group);
  if (from.required != 0) {
    to.default_value = Required{};
  } else if (from.default_value.data == nullptr) {
    to.default_value = nullptr;
  } else {
    to.default_value = to_string(from.default_value);
  }
  for (size_t i = 0; i < from.dependent_count; ++i) to.dependents.push_back(to_string(from.dependents[i]));
  return to;
}

/// Defaults are shown as their type writes them: a password hidden, a list without blanks.
std::optional<std::string> default_text(const ConfigKey& key) {
  const auto* text = std::get_if<std::string>(&key.default_value);
  if (text == nullptr) return {};
  return key.type == Type::kPassword ? config_text(Password{*text}) : *text;
}

}  // namespace

std::vector<ConfigKey> common_connector_keys(ConnectorType type) {
  std::vector<ConfigKey> keys = shared_keys();
  std::vector<ConfigKey> own;
  if (type == ConnectorType::kSource) own = source_keys();
  if (type == ConnectorType::kSink) own = sink_keys();
  keys.insert(keys.end(), std::make_move_iterator(own.begin()), std::make_move_iterator(own.end()));
  return keys;
}

std::vector<ConfigKey> plugin_keys(const mr_connector_v1& table) {
  std::vector<ConfigKey> keys;
  for (const mr_config_key& entry : std::span(table.config, table.config_count)) keys.push_back(plugin_key(entry));
  return keys;
}

ConfigKeyInfo key_info(const ConfigKey& key, std::string_view prefix) {
  ConfigKeyInfo info;
  info.name = fmt::format("{}{}", prefix, key.name);
  info.type = config_type_name(key.type);
  info.required = key.required();
  info.default_value = default_text(key);
  info.importance = config_importance_name(key.importance);
  info.documentation = key.documentation;
  info.group = key.group;
  info.width = config_width_name(key.width);
  info.display_name = key.display_name.empty() ? key.name : key.display_name;
  info.dependents = key.dependents;
  info.order = key.order;
  return info;
}

std::optional<std::string> check_topic_regex(std::string_view regex) {
  const RE2 pattern(regex, regex_options());
  if (pattern.ok()) return {};
  return fmt::format("Invalid regex: {}", pattern.error());
}

bool topic_regex_matches(std::string_view regex, std::string_view topic) {
  const RE2 pattern(regex, regex_options());
  return pattern.ok() && RE2::FullMatch(topic, pattern);
}

}  // namespace millrace
