/// What a schema means for JSON, worked out once per schema: the steps that write and read its payload.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/schema.h"

namespace millrace {

/// The text last written for a struct: what begins like it, as Debezium's source block does row after row, is copied.
struct JsonMemo {
  struct Member {
    uint8_t kind;
    bool escaped;  ///< a string whose text is not its bytes
    uint32_t end;  ///< of the member in `text`
    int64_t number;
  };
  std::vector<Member> members;
  std::string text;
  size_t known = 0;   ///< members, from the first on, that `members` and `text` tell of
  uint32_t idle = 0;  ///< structs to be written without looking here: those before had little in common
};

/// Immutable but for its memos; refers to the schema, which must outlive it.
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
    std::string padded;  ///< the key, then zeros up to whole blocks of JsonBuffer::kBlock, which are copied faster
    size_t key_size;
    std::string_view key() const { return std::string_view(padded).substr(0, key_size); }  ///< `"name":`, escaped
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
  std::unique_ptr<JsonMemo> memo;        ///< kStruct of many members
  std::unique_ptr<JsonPlan> key, value;  ///< kMap, kArray
};

}  // namespace millrace
