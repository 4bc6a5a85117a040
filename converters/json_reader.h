/// From JSON to Connect data with every coercion of Kafka's JsonConverter: the complete way, taken for a record whose
/// envelope is new or whose payload is out of the ordinary (json_payload.h is the fast one).
#pragma once

#include "converters/json_plan.h"
#include "converters/json_tree.h"
#include "core/error.h"

namespace millrace {

struct JsonReadOptions {
  bool replace_null_with_default = true;
};

/// A schema from its JSON form; null for JSON null. Errors: kBadRecord with Connect's texts.
Expected<SchemaPtr> read_schema(const JsonNode& node, JsonReadOptions options);

/// A value under the plan's schema. `node` null = absent member. Errors: kBadRecord with Connect's texts.
Expected<Value> read_value(const JsonPlan& plan, const JsonNode* node, JsonReadOptions options, Arena& arena);

/// Drops all but the last value of equal keys, which stays in the place of the first; `items` are keys and values in
/// turn. Returns the number of entries left.
size_t drop_duplicate_keys(Value* items, size_t entries);

}  // namespace millrace
