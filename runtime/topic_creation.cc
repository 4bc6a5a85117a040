#include "runtime/topic_creation.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/connector_config.h"

namespace millrace {
namespace {

using enum ConfigType;

constexpr std::string_view kPrefix = "topic.creation.";
constexpr std::string_view kDefaultGroup = "default";
// Settings of a group that are not settings of its topics.
constexpr std::string_view kOwnSettings[] = {"include", "exclude", "replication.factor", "partitions"};

std::optional<std::string> positive_or_default(std::string_view key, const ConfigValue& value, std::string_view why) {
  const auto* number = std::get_if<int64_t>(&value);
  if (number == nullptr || *number == -1 || *number >= 1) return std::nullopt;
  return invalid_config_value(key, value, why);
}

ConfigValidator valid_partitions() {
  return [](std::string_view key, const ConfigValue& value) {
    return positive_or_default(key, value, "Number of partitions must be positive, or -1 to use the broker's default");
  };
}

ConfigValidator valid_replication() {
  return [](std::string_view key, const ConfigValue& value) {
    return positive_or_default(key, value,
                               "Replication factor must be positive and not larger than the number of brokers in the "
                               "Kafka cluster, or -1 to use the broker's default");
  };
}

ConfigValidator regex_list() {
  return [](std::string_view key, const ConfigValue& value) -> std::optional<std::string> {
    const auto* list = std::get_if<std::vector<std::string>>(&value);
    if (list == nullptr) return std::nullopt;
    for (const std::string& regex : *list) {
      if (auto wrong = check_topic_regex(regex)) {
        constexpr std::string_view kGeneral = "Invalid regex: ";
        const size_t from = wrong->starts_with(kGeneral) ? kGeneral.size() : 0;
        return invalid_config_value(key, value,
                                    fmt::format("Syntax error in regular expression: {}", wrong->substr(from)));
      }
    }
    return std::nullopt;
  };
}

ConfigKey make_key(const std::string& group, std::string_view name, ConfigType type, ConfigKey::Default fallback,
                   ConfigValidator validator) {
  ConfigKey key;
  key.name = fmt::format("{}{}.{}", kPrefix, group, name);
  key.type = type;
  key.default_value = std::move(fallback);
  key.validator = std::move(validator);
  return key;
}

/// The options of all groups; named ones inherit the default group's numbers.
Expected<ConfigDef> definition(const std::vector<std::string>& groups, const ConfigMap& connector) {
  const auto inherited = [&](std::string_view name) -> ConfigKey::Default {
    const auto at = connector.find(fmt::format("{}{}.{}", kPrefix, kDefaultGroup, name));
    return at == connector.end() ? ConfigKey::Default(ConfigKey::Required{}) : ConfigKey::Default(at->second);
  };
  std::vector<ConfigKey> keys;
  const std::string main(kDefaultGroup);
  keys.push_back(make_key(main, "replication.factor", kShort, ConfigKey::Required{}, valid_replication()));
  keys.push_back(make_key(main, "partitions", kInt, ConfigKey::Required{}, valid_partitions()));
  for (const std::string& group : groups) {
    keys.push_back(make_key(group, "include", kList, "", regex_list()));
    keys.push_back(make_key(group, "exclude", kList, "", regex_list()));
    keys.push_back(make_key(group, "replication.factor", kShort, inherited("replication.factor"), valid_replication()));
    keys.push_back(make_key(group, "partitions", kInt, inherited("partitions"), valid_partitions()));
  }
  return ConfigDef::create(std::move(keys));
}

std::map<std::string, std::string> topic_configs(const std::string& group, const ConfigMap& connector) {
  const std::string prefix = fmt::format("{}{}.", kPrefix, group);
  std::map<std::string, std::string> configs;
  for (auto at = connector.lower_bound(prefix); at != connector.end() && at->first.starts_with(prefix); ++at) {
    std::string name = at->first.substr(prefix.size());
    if (std::ranges::find(kOwnSettings, name) == std::end(kOwnSettings)) configs.emplace(std::move(name), at->second);
  }
  return configs;
}

bool in_use(const ConfigMap& worker, const ConfigMap& connector) {
  const auto enabled = worker.find("topic.creation.enable");
  if (enabled != worker.end() && enabled->second == "false") return false;
  const auto first = connector.lower_bound(std::string(kPrefix));
  return first != connector.end() && first->first.starts_with(kPrefix);
}

}  // namespace

Expected<std::optional<TopicCreation>> TopicCreation::from(const ConfigMap& worker, const ConfigMap& connector) {
  if (!in_use(worker, connector)) return std::nullopt;
  ConfigKey groups_key;
  groups_key.name = "topic.creation.groups";
  groups_key.type = kList;
  groups_key.default_value = "";
  groups_key.validator = validators::unique_list();
  auto listed = ConfigDef::create({groups_key})->parse(connector);
  if (!listed) return fail(std::move(listed.error()));
  std::vector<std::string> names = listed->list("topic.creation.groups");
  std::erase(names, std::string(kDefaultGroup));
  auto def = definition(names, connector);
  if (!def) return fail(std::move(def.error()));
  auto parsed = def->parse(connector);
  if (!parsed) return fail(std::move(parsed.error()));

  TopicCreation creation;
  names.emplace_back(kDefaultGroup);
  for (const std::string& name : names) {
    const auto setting = [&](std::string_view key) { return fmt::format("{}{}.{}", kPrefix, name, key); };
    Group group;
    group.name = name;
    if (name != kDefaultGroup) {
      group.include = parsed->list(setting("include"));
      group.exclude = parsed->list(setting("exclude"));
    }
    group.topic.partitions = static_cast<int32_t>(parsed->integer(setting("partitions")));
    group.topic.replication_factor = static_cast<int16_t>(parsed->integer(setting("replication.factor")));
    group.topic.configs = topic_configs(name, connector);
    creation.groups_.push_back(std::move(group));
  }
  return creation;
}

bool TopicCreation::Group::matches(std::string_view topic_name) const {
  const auto any = [&](const std::vector<std::string>& regexes) {
    return std::ranges::any_of(regexes, [&](const auto& regex) { return topic_regex_matches(regex, topic_name); });
  };
  return name == kDefaultGroup || (any(include) && !any(exclude));
}

NewTopic TopicCreation::settings_for(std::string_view topic) const {
  const auto group = std::ranges::find_if(groups_, [&](const Group& each) { return each.matches(topic); });
  NewTopic wanted = group->topic;
  wanted.name = topic;
  return wanted;
}

Status TopicCreation::ensure(Admin& admin, std::string_view topic) const {
  if (admin.describe_topic(std::string(topic))) return {};
  const NewTopic wanted = settings_for(topic);
  Status created = admin.create_topic(wanted);
  if (created || created.error().code == ErrorCode::kAlreadyExists) return {};
  if (created.error().retriable()) return created;
  std::string configs;
  for (const auto& [name, value] : wanted.configs)
    configs += fmt::format("{}{}={}", configs.empty() ? "" : ", ", name, value);
  return fail(
      std::move(created.error())
          .wrap(ErrorCode::kInternal,
                fmt::format("Task failed to create new topic (name={}, numPartitions={}, replicationFactor={}, "
                            "replicasAssignments=null, configs={{{}}}). Ensure that the task is authorized to "
                            "create topics or that the topic exists and restart the task",
                            wanted.name, wanted.partitions < 0 ? "default" : std::to_string(wanted.partitions),
                            wanted.replication_factor < 0 ? "default" : std::to_string(wanted.replication_factor),
                            configs)));
}

}  // namespace millrace
