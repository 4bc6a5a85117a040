#include "runtime/connector_remarks.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "core/java_text.h"
#include "runtime/client_overrides.h"
#include "runtime/connector_config.h"
#include "runtime/raw_config.h"

namespace millrace {
namespace {

namespace k = connector_keys;

constexpr std::string_view kTopicCreation = "topic.creation.";
/// Settings that are no option of any table and are read nevertheless.
constexpr std::string_view kOwnSettings[] = {"millrace.restart"};

bool has(const std::vector<std::string>& list, std::string_view element) {
  return std::ranges::find(list, element) != list.end();
}

class Remarks {
 public:
  Remarks(const ConnectorPlugin& plugin, const RawConfig& config, const ComponentCatalog& components)
      : config_(config), components_(components) {
    for (const ConfigKey& key : common_connector_keys(plugin.type)) known_.push_back(key.name);
    for (const ConfigKey& key : plugin_keys(plugin.table)) known_.push_back(key.name);
    known_.insert(known_.end(), std::begin(kOwnSettings), std::end(kOwnSettings));
    source_ = plugin.type == ConnectorType::kSource;
  }

  std::vector<SettingRemark> all() && {
    for (const auto& [name, value] : config_) {
      if (!has(known_, name)) look_at(name);
    }
    if (source_) look_at_topic_creation();
    return std::move(remarks_);
  }

 private:
  void add(std::string_view key, std::string message) { remarks_.push_back({std::string(key), std::move(message)}); }

  std::vector<std::string> list_of(std::string_view key) const {
    const std::string* list = given(config_, key);
    return list == nullptr ? std::vector<std::string>() : distinct_elements(*list);
  }

  void unknown(std::string_view name, std::string_view own, const std::vector<std::string>& known,
               std::string_view prefix = {}) {
    const std::vector<std::string_view> names(known.begin(), known.end());
    const std::string_view nearest = nearest_name(own, names);
    add(name, nearest.empty() ? "No such setting; it is ignored."
                              : fmt::format("No such setting; it is ignored. Did you mean {}{}?", prefix, nearest));
  }

  void look_at(std::string_view name) {
    for (const std::string_view section : {k::kTransforms, k::kPredicates}) {
      if (name.starts_with(section) && name.substr(section.size()).starts_with("."))
        return look_at_component(name, section);
    }
    for (const std::string_view converter : {k::kKeyConverter, k::kValueConverter, k::kHeaderConverter}) {
      if (name.starts_with(converter) && name.substr(converter.size()).starts_with("."))
        return look_at_converter(name, converter);
    }
    for (const ClientKind client : {ClientKind::kProducer, ClientKind::kConsumer, ClientKind::kAdmin}) {
      const std::string_view prefix = client_override_prefix(client);
      if (!name.starts_with(prefix)) continue;
      // The clients have more settings than we list; only what looks misspelt is said.
      const auto settings = client_setting_names(client);
      const std::string_view own = name.substr(prefix.size());
      if (std::ranges::find(settings, own) != settings.end()) return;
      if (const std::string_view nearest = nearest_name(own, settings); !nearest.empty())
        add(name, fmt::format("The client has no such setting. Did you mean {}{}?", prefix, nearest));
      return;
    }
    if (source_ && name.starts_with(kTopicCreation)) return;
    if (belongs_to_plugin(name)) return;
    // Connectors to databases hand other connection.* to the driver: ssl, say, which must not be taken for url.
    constexpr std::string_view kDriver = "connection.";
    if (name.starts_with(kDriver) && has(known_, "connection.url")) {
      std::vector<std::string_view> names;
      for (const std::string_view known : known_) {
        if (known.starts_with(kDriver)) names.push_back(known.substr(kDriver.size()));
      }
      if (nearest_name(name.substr(kDriver.size()), names).empty()) return;
    }
    unknown(name, name, known_);
  }

  /// What the option table cannot spell out: names that an option's name stands for as a pattern
  /// (column.mask.with.(d+).chars), what follows an option's name (overrides.db.table), client settings handed on
  /// (signal.consumer.…), and the settings of components that an option lists (converters=one, one.type=…).
  bool belongs_to_plugin(std::string_view name) const {
    for (const std::string_view part : {".consumer.", ".producer."}) {
      if (const size_t at = name.find(part); at != std::string_view::npos && knows_prefix(name.substr(0, at + 1)))
        return true;
    }
    for (const std::string& known : known_) {
      if (const size_t open = known.find('('); open != std::string::npos && name.starts_with(known.substr(0, open)))
        return true;
    }
    // Unless it looks misspelt.
    const std::vector<std::string_view> names(known_.begin(), known_.end());
    const auto goes_on = [&](std::string_view known) {
      return name.starts_with(known) && name.size() > known.size() && name[known.size()] == '.';
    };
    if (std::ranges::any_of(known_, goes_on) && nearest_name(name, names).empty()) return true;
    const size_t dot = name.find('.');
    return dot != std::string_view::npos && has(known_, "converters") &&
           has(list_of("converters"), name.substr(0, dot));
  }
  bool knows_prefix(std::string_view prefix) const {
    return std::ranges::any_of(known_, [&](const std::string& known) { return known.starts_with(prefix); });
  }

  void look_at_component(std::string_view name, std::string_view section) {
    const bool transform = section == k::kTransforms;
    const std::vector<std::string> aliases = list_of(section);
    const std::string_view rest = name.substr(section.size() + 1);
    // An alias may have dots; the longest that fits is meant.
    std::string_view alias;
    for (const std::string& each : aliases) {
      if (rest.starts_with(each + ".") && each.size() > alias.size()) alias = each;
    }
    if (alias.empty()) {
      return add(name, fmt::format("{} does not list {}, so this is ignored. Add the alias to {}, or remove the line.",
                                   section, rest.substr(0, rest.find('.')), section));
    }
    const std::string_view option = rest.substr(alias.size() + 1);
    const std::string prefix = fmt::format("{}.{}.", section, alias);
    if (option == "type") return;
    if (transform && option == "negate") return;
    if (transform && option == "predicate") return look_at_predicate(name);
    const auto kind = transform ? ComponentKind::kTransformation : ComponentKind::kPredicate;
    look_at_option(name, prefix, option, kind, given(config_, prefix + "type"));
  }

  void look_at_predicate(std::string_view name) {
    const std::string* alias = given(config_, name);
    if (alias == nullptr) return;
    const std::vector<std::string> aliases = list_of(k::kPredicates);
    if (has(aliases, java_trim(*alias))) return;
    const std::vector<std::string_view> names(aliases.begin(), aliases.end());
    add(name, fmt::format("predicates does not list {}, so the tasks will fail. Define predicates.{}.type and add the "
                          "alias to predicates.{}",
                          *alias, *alias, did_you_mean(*alias, names)));
  }

  void look_at_converter(std::string_view name, std::string_view converter) {
    const std::string* class_name = given(config_, converter);
    if (class_name == nullptr) {
      return add(
          name, fmt::format("It is ignored without {}: the worker's converter comes with the worker's settings. Set {} "
                            "too.",
                            converter, converter));
    }
    const auto kind = converter == k::kHeaderConverter ? ComponentKind::kHeaderConverter : ComponentKind::kConverter;
    look_at_option(name, fmt::format("{}.", converter), name.substr(converter.size() + 1), kind, class_name);
  }

  void look_at_option(std::string_view name, std::string_view prefix, std::string_view option, ComponentKind kind,
                      const std::string* class_name) {
    if (class_name == nullptr) return;
    const ConfigDef* def = components_.options(kind, components_.find(kind, java_trim(*class_name)));
    if (def == nullptr || def->find(option) != nullptr) return;
    std::vector<std::string> options;
    for (const ConfigKey& key : def->keys()) options.push_back(key.name);
    unknown(name, option, options, prefix);
  }

  void look_at_topic_creation() {
    const RawConfig settings = with_prefix(config_, kTopicCreation);
    if (settings.empty() ||
        (settings.size() == 1 && settings.contains("groups") && list_of("topic.creation.groups").empty()))
      return;
    for (const char* needed : {"default.replication.factor", "default.partitions"}) {
      if (settings.contains(needed)) continue;
      add(fmt::format("{}{}", kTopicCreation, needed),
          fmt::format("Missing required configuration \"{}{}\" which has no default value: the connector will fail to "
                      "start. Set it, -1 for the broker's default.",
                      kTopicCreation, needed));
    }
    std::vector<std::string> groups = list_of("topic.creation.groups");
    groups.emplace_back("default");
    for (const auto& [name, value] : settings) {
      if (name == "groups" || !value) continue;
      const std::string key = fmt::format("{}{}", kTopicCreation, name);
      const auto group =
          std::ranges::find_if(groups, [&](const std::string& each) { return name.starts_with(each + "."); });
      if (group == groups.end()) {
        add(key, fmt::format("topic.creation.groups does not list {}, so this is ignored. Add the group, or remove the "
                             "line.",
                             name.substr(0, name.find('.'))));
      } else {
        look_at_group(key, name.substr(group->size() + 1), *value);
      }
    }
  }

  void look_at_group(const std::string& key, std::string_view option, const std::string& value) {
    const bool replicas = option == "replication.factor";
    if (replicas || option == "partitions") {
      const int64_t max = replicas ? std::numeric_limits<int16_t>::max() : std::numeric_limits<int32_t>::max();
      const auto number = parse_java_integer(java_trim(value), -max - 1, max);
      if (number && (*number > 0 || *number == -1)) return;
      add(key, fmt::format(
                   "{}: the connector will fail to start. Give a number from 1, or -1 for the broker's default.",
                   invalid_config_value(key, value,
                                        number ? "It must be positive, or -1"
                                               : fmt::format("Not a number of type {}", replicas ? "SHORT" : "INT"))));
    } else if (option == "include" || option == "exclude") {
      for (const std::string& regex : distinct_elements(value)) {
        if (const auto wrong = check_topic_regex(regex))
          add(key, fmt::format("{} is no regular expression ({}): the connector will fail to start.", regex, *wrong));
      }
    }
  }

  const RawConfig& config_;
  const ComponentCatalog& components_;
  std::vector<std::string> known_;
  bool source_ = false;
  std::vector<SettingRemark> remarks_;
};

}  // namespace

std::vector<SettingRemark> connector_remarks(const ConnectorPlugin& plugin, const RawConfig& config,
                                             const ComponentCatalog& components) {
  return Remarks(plugin, config, components).all();
}

}  // namespace millrace
