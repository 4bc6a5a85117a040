/// Reads text whose type nobody wrote down, by the rules of Connect's headers: 12, true, [1,2], {"k":1}, 2020-01-02.
#pragma once

#include <string_view>
#include <unordered_set>

#include "data/arena.h"
#include "data/schema.h"
#include "data/value.h"

namespace millrace {

/// Collections within collections; deeper text is given up.
inline constexpr int kValuesDepthMax = 500;
/// Digits of a number; a longer one stays text, since turning it into a decimal costs the square of its length.
inline constexpr size_t kValuesDigitsMax = 4096;

/// One object for each different schema, so that others may keep plans by the schema's address.
/// Threads: one. A schema lives at least until the second new_batch() after it was handed out.
class SchemaPool {
 public:
  const Schema* keep(SchemaParts parts);
  const Schema* date() const { return date_.get(); }
  const Schema* time() const { return time_.get(); }
  const Schema* timestamp() const { return timestamp_.get(); }
  void new_batch();

 private:
  struct Hash {
    size_t operator()(const SchemaPtr& schema) const { return schema->hash(); }
  };
  struct Same {
    bool operator()(const SchemaPtr& left, const SchemaPtr& right) const { return *left == *right; }
  };
  std::unordered_set<SchemaPtr, Hash, Same> schemas_, retired_;
  const SchemaPtr date_ = date_schema(), time_ = time_schema(), timestamp_ = timestamp_schema();
};

struct ParsedText {
  const Schema* schema = nullptr;  ///< null for null
  Value value = null_value();
  bool too_deep = false;  ///< beyond kValuesDepthMax; schema and value are null
};

/// Never fails: what is no literal is a string with the whole text. The value borrows from `text` and the arena.
/// Rules, observed of Connect: whole numbers take the smallest integer type (1.0 too), others FLOAT32, FLOAT64 or
/// Decimal; dates are lenient (2019-13-01); a collection with a broken or missing part is a string, text behind a
/// closed one or behind a number's delimiter is ignored; elements take the wider of their number types, and mixed ones
/// have no schema; quoted texts in collections keep their backslashes and may be dates.
ParsedText parse_values_text(std::string_view text, SchemaPool& schemas, Arena& arena);

}  // namespace millrace
