/// What a schema means for JSON, worked out once per schema: the steps that write and read its payload.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/schema.h"

namespace millrace {

/// Immutable; refers to the schema, which must outlive it.
struct JsonPlan {
  enum class Step : uint8_t {
    kAny,  ///< no schema
    kBoolean,
    kInt8,
    kInt16,
    kInt32,
    kInt64,
    kFloat32,
    kFloat64,
    kString,
    kBytes,
    kArray,
    kMap,
    kStruct,
    kDecimal,
    kDate,
    kTime,
    kTimestamp,
    kOddLogical,  ///< Date, Time or Timestamp by name over another type than Connect's own
  };
  struct Member {
    std::string key;  ///< `"name":`, escaped
    std::string_view name;
    std::unique_ptr<JsonPlan> plan;
  };

  explicit JsonPlan(const Schema* from);

  Step step = Step::kAny;
  bool optional = true;
  bool string_keys = true;       ///< kMap: written as an object
  std::optional<int32_t> scale;  ///< kDecimal
  const Schema* schema = nullptr;
  const Value* default_value = nullptr;  ///< not null itself
  std::vector<Member> members;           ///< kStruct
  std::unique_ptr<JsonPlan> key, value;  ///< kMap, kArray
};

}  // namespace millrace
