#include "runtime/component_catalog.h"

#include <algorithm>
#include <array>

#include "converters/converter.h"
#include "runtime/connector_config.h"

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

std::string_view BuiltInComponents::find(ComponentKind kind, std::string_view name) const {
  const std::string_view found = any_converter(name);
  return is_of_kind(found, kind) ? found : std::string_view();
}

std::vector<std::string_view> BuiltInComponents::classes(ComponentKind kind) const {
  std::vector<std::string_view> found = converter_classes();
  if (std::ranges::find(found, kSimpleHeaderConverter) == found.end()) found.push_back(kSimpleHeaderConverter);
  std::erase_if(found, [&](std::string_view name) { return !is_of_kind(name, kind); });
  std::ranges::sort(found);
  return found;
}

const ConfigDef* BuiltInComponents::options(ComponentKind kind, std::string_view class_name) const {
  if (!is_of_kind(class_name, kind)) return nullptr;
  return class_name == kSimpleHeaderConverter ? &no_options_ : converter_config(class_name);
}

std::optional<std::vector<ConfigKeyInfo>> component_key_infos(const ComponentCatalog& catalog, std::string_view name) {
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
