/// The classes a connector's configuration may name besides the connector itself: converters, transformations,
/// predicates. Validation asks here what exists and which options it has.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/config_def.h"
#include "runtime/config_infos.h"

namespace millrace {

enum class ComponentKind { kConverter, kHeaderConverter, kTransformation, kPredicate };

/// Threads: any (immutable).
class ComponentCatalog {
 public:
  virtual ~ComponentCatalog() = default;
  /// The full class name behind a name or alias; empty if there is none of this kind.
  virtual std::string_view find(ComponentKind kind, std::string_view name) const = 0;
  /// Full class names, sorted.
  virtual std::vector<std::string_view> classes(ComponentKind kind) const = 0;
  /// The options of a class, given its full name; nullptr if unknown.
  virtual const ConfigDef* options(ComponentKind kind, std::string_view class_name) const = 0;

  /// find() over all kinds.
  std::string_view find_any(std::string_view name) const;
};

/// Whether Kafka Connect could load a class of this name: what the catalog knows, and classes that exist only as the
/// base of others.
bool is_class(const ComponentCatalog& catalog, std::string_view name);
/// Why a class that is_class() knows cannot be used as a component of this kind, in Kafka's words; nothing if it can.
std::optional<std::string> check_component_class(const ComponentCatalog& catalog, ComponentKind kind,
                                                 std::string_view name);

/// What this program brings: its converters, transformations and predicates.
class BuiltInComponents final : public ComponentCatalog {
 public:
  std::string_view find(ComponentKind kind, std::string_view name) const override;
  std::vector<std::string_view> classes(ComponentKind kind) const override;
  const ConfigDef* options(ComponentKind kind, std::string_view class_name) const override;

 private:
  ConfigDef no_options_ = *ConfigDef::create({});
};

/// The options of a component as REST describes them, by full name or alias; a nested class (A$Value) has no alias
/// here, as in Kafka Connect. Nothing if no component has this name.
std::optional<std::vector<ConfigKeyInfo>> component_key_infos(const ComponentCatalog& catalog, std::string_view name);

}  // namespace millrace
