#include "runtime/component_sections.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/java_text.h"
#include "runtime/connector_config.h"
#include "runtime/raw_config.h"

namespace millrace {
namespace {

namespace k = connector_keys;

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
  const bool negated = section.kind == ComponentKind::kTransformation && config.contains(prefix + "negate") &&
                       !config.contains(prefix + "predicate");
  key.validator = [&catalog, prefix, negated, kind = section.kind](
                      std::string_view, const ConfigValue& value) -> std::optional<std::string> {
    if (negated) {
      return fmt::format(
          "Config '{0}negate' was provided but there is no config '{0}predicate' defining a predicate to be negated.",
          prefix);
    }
    const auto* name = std::get_if<ClassName>(&value);
    return name == nullptr ? std::nullopt : check_component_class(catalog, kind, name->value);
  };
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
        name == nullptr ? nullptr : catalog.options(section.kind, catalog.find(section.kind, java_trim(*name)));
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

}  // namespace

void add_component_options(const RawConfig& config, const ComponentCatalog& catalog, std::vector<ConfigKey>& keys) {
  add_section(kTransformSection, config, catalog, keys);
  add_section(kPredicateSection, config, catalog, keys);
}

}  // namespace millrace
