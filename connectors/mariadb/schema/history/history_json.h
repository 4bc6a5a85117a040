/// Table definitions as the JSON of schema history records. Inside /schema/history only, and for its tests.
#pragma once

#include <nlohmann/json.hpp>

#include "connectors/mariadb/schema/schema_registry.h"

namespace millrace::mariadb {

using Json = nlohmann::ordered_json;

Json table_change_json(const TableChange& change);
/// Also reads the form of the schema change topic, whose fields are a superset. nullopt: not such an object.
std::optional<TableChange> table_change_of(const Json& json);

}  // namespace millrace::mariadb
