/// The options that `transforms` and `predicates` of a connector bring with them: transforms.<alias>.type, the options
/// of that class, its predicate.
#pragma once

#include <vector>

#include "core/config_def.h"
#include "runtime/component_catalog.h"

namespace millrace {

/// Appends to `keys` the options of every alias, as Kafka Connect names, groups and numbers them. The keys use
/// `catalog`.
void add_component_options(const RawConfig& config, const ComponentCatalog& catalog, std::vector<ConfigKey>& keys);

}  // namespace millrace
