/// A whole JSON document as a tree, read as leniently as Kafka's JsonConverter reads it: leading zeros are fine, what
/// follows the first value is ignored, UTF-16 and UTF-32 are recognised, and the last of equal member names wins.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/error.h"
#include "data/arena.h"

namespace millrace {

/// Borrows the input and the arena of the parse.
struct JsonNode {
  enum class Kind : uint8_t {
    kMissing /* empty document */,
    kNull,
    kBoolean,
    kInteger,
    kFraction,
    kString,
    kArray,
    kObject
  };

  Kind kind = Kind::kMissing;
  bool flag = false;      ///< kBoolean
  uint32_t count = 0;     ///< elements or members
  std::string_view text;  ///< kString: the content; numbers: as written
  std::string_view name;  ///< of a member
  JsonNode* first = nullptr;
  JsonNode* next = nullptr;
  const char* begin = nullptr;  ///< the value's place in the input

  bool is_number() const { return kind == Kind::kInteger || kind == Kind::kFraction; }
  bool is_string() const { return kind == Kind::kString; }
  /// The member of that name; nullptr if absent or this is no object.
  const JsonNode* member(std::string_view member_name) const;
  /// Jackson's name of the kind: NUMBER, OBJECT, ...
  std::string_view kind_name() const;
};

/// Errors: kBadRecord with what is wrong and at which byte.
Expected<const JsonNode*> parse_json(std::string_view bytes, Arena& arena);

}  // namespace millrace
