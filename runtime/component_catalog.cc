#include "runtime/component_catalog.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "converters/converter.h"
#include "runtime/connector_config.h"
#include "transforms/transformation.h"

namespace millrace {
namespace {

constexpr std::array kAllKinds = {ComponentKind::kConverter, ComponentKind::kHeaderConverter,
                                  ComponentKind::kTransformation, ComponentKind::kPredicate};
/// The one class that converts headers but neither keys nor values.
constexpr std::string_view kSimpleHeaderConverter = "org.apache.kafka.connect.storage.SimpleHeaderConverter";
constexpr std::array<std::string_view, 3> kSimpleNames = {kSimpleHeaderConverter, "SimpleHeaderConverter", "Simple"};

std::string_view any_converter(std::string_view name) {
  if (std::ranges::find(kSimpleNames, name) != kSimpleNames.end()) return kSimpleHeaderConverter;
  return converter_class(name);
}

/// The Java interfaces of components: classes that exist and can be nobody's component.
constexpr std::array<std::string_view, 4> kInterfaces = {
    "org.apache.kafka.connect.storage.Converter", "org.apache.kafka.connect.storage.HeaderConverter",
    "org.apache.kafka.connect.transforms.Transformation", "org.apache.kafka.connect.transforms.predicates.Predicate"};

bool is_interface(std::string_view name) { return std::ranges::find(kInterfaces, name) != kInterfaces.end(); }

/// The simple name of the interface, as messages have it.
std::string_view interface_of(ComponentKind kind) {
  switch (kind) {
    case ComponentKind::kConverter:
      return "Converter";
    case ComponentKind::kHeaderConverter:
      return "HeaderConverter";
    case ComponentKind::kTransformation:
      return "Transformation";
    case ComponentKind::kPredicate:
      return "Predicate";
  }
  return {};
}

/// A JVM has these and they are no components, so that the user is told of a wrong class and not of a missing one.
bool is_of_java(std::string_view name) { return name.starts_with("java.lang.") || name.starts_with("java.util."); }

std::string nested(std::string_view name, std::string_view inner) { return fmt::format("{}${}", name, inner); }

bool is_of_kind(std::string_view converter, ComponentKind kind) {
  return kind == ComponentKind::kHeaderConverter ||
         (kind == ComponentKind::kConverter && converter != kSimpleHeaderConverter);
}

}  // namespace

std::string_view ComponentCatalog::find_any(std::string_view name) const {
  for (const ComponentKind kind : kAllKinds) {
    if (const std::string_view found = find(kind, name); !found.empty()) return found;
  }
  return {};
}

bool is_class(const ComponentCatalog& catalog, std::string_view name) {
  return !catalog.find_any(name).empty() || is_interface(name) || is_of_java(name) ||
         !catalog.find(ComponentKind::kTransformation, nested(name, "Value")).empty();
}

std::optional<std::string> check_component_class(const ComponentCatalog& catalog, ComponentKind kind,
                                                 std::string_view name) {
  if (!catalog.find(kind, name).empty()) return {};
  if (is_interface(name)) return "This class is abstract and cannot be created.";
  if (kind == ComponentKind::kTransformation) {
    const std::string_view value = catalog.find(kind, nested(name, "Value"));
    const std::string_view key = catalog.find(kind, nested(name, "Key"));
    if (!value.empty() && !key.empty())
      return fmt::format("This class is abstract and cannot be created. Did you mean {}, {}?", value, key);
  }
  const std::string_view full = catalog.find_any(name);
  return fmt::format("Class class {} does not implement the {} interface", full.empty() ? name : full,
                     interface_of(kind));
}

std::string_view BuiltInComponents::find(ComponentKind kind, std::string_view name) const {
  if (kind == ComponentKind::kTransformation) {
    const TransformationClass* found = find_transformation(name);
    return found == nullptr ? std::string_view() : found->name;
  }
  if (kind == ComponentKind::kPredicate) {
    const PredicateClass* found = find_predicate(name);
    return found == nullptr ? std::string_view() : found->name;
  }
  const std::string_view found = any_converter(name);
  return is_of_kind(found, kind) ? found : std::string_view();
}

std::vector<std::string_view> BuiltInComponents::classes(ComponentKind kind) const {
  std::vector<std::string_view> found;
  if (kind == ComponentKind::kTransformation) {
    for (const TransformationClass& each : transformation_classes()) found.push_back(each.name);
    return found;
  }
  if (kind == ComponentKind::kPredicate) {
    for (const PredicateClass& each : predicate_classes()) found.push_back(each.name);
    return found;
  }
  found = converter_classes();
  if (std::ranges::find(found, kSimpleHeaderConverter) == found.end()) found.push_back(kSimpleHeaderConverter);
  std::erase_if(found, [&](std::string_view name) { return !is_of_kind(name, kind); });
  std::ranges::sort(found);
  return found;
}

const ConfigDef* BuiltInComponents::options(ComponentKind kind, std::string_view class_name) const {
  if (class_name.empty()) return nullptr;
  if (kind == ComponentKind::kTransformation) {
    const TransformationClass* found = find_transformation(class_name);
    return found == nullptr ? nullptr : &found->options();
  }
  if (kind == ComponentKind::kPredicate) {
    const PredicateClass* found = find_predicate(class_name);
    return found == nullptr ? nullptr : &found->options();
  }
  if (!is_of_kind(class_name, kind)) return nullptr;
  return class_name == kSimpleHeaderConverter ? &no_options_ : converter_config(class_name);
}

std::optional<std::vector<ConfigKeyInfo>> component_key_infos(const ComponentCatalog& catalog, std::string_view name) {
  if (name.find('$') != name.npos && name.find('.') == name.npos) return {};
  for (const ComponentKind kind : kAllKinds) {
    const ConfigDef* options = catalog.options(kind, catalog.find(kind, name));
    if (options == nullptr) continue;
    std::vector<ConfigKeyInfo> infos;
    for (const ConfigKey& key : options->keys()) infos.push_back(key_info(key));
    return infos;
  }
  return {};
}

}  // namespace millrace
