/// The fast way from a payload to values: one pass, led by the schema, straight into the arena. It takes only what
/// reads the same under every rule of the complete reader (json_reader.h) and gives up on the rest, which is then read
/// again.
#pragma once

#include <string_view>
#include <vector>

#include "converters/json_plan.h"
#include "data/arena.h"

namespace millrace {

/// Threads: one. Kept from record to record for its scratch memory.
class JsonPayloadReader {
 public:
  explicit JsonPayloadReader(bool replace_null_with_default) : replace_null_with_default_(replace_null_with_default) {}

  /// Reads one value at the start of `text`; `used` gets its length. False when it gives up.
  bool read(const JsonPlan& plan, std::string_view text, Arena& arena, Value& out, size_t& used);

 private:
  bool value(const JsonPlan& plan, Value& out);
  bool any(Value& out);
  bool null_for(const JsonPlan& plan, Value& out) const;
  bool integer(int64_t& out);
  bool floating_point(mr_kind kind, Value& out);
  bool decimal(const JsonPlan& plan, Value& out);
  bool record(const JsonPlan& plan, Value& out);
  bool member_index(const JsonPlan& plan, size_t expected, size_t& index);
  bool array(const JsonPlan* elements, Value& out);
  bool object(const JsonPlan* values, Value& out);
  bool pairs(const JsonPlan& plan, Value& out);
  bool string(std::string_view& out);
  bool literal(std::string_view word);
  std::string_view number_token(bool& whole);
  void skip_space();
  bool take(char c);
  bool next_or_close(char close, bool& closed);

  bool replace_null_with_default_;
  const char* at_ = nullptr;
  const char* end_ = nullptr;
  int depth_ = 0;
  Arena* arena_ = nullptr;
  std::vector<Value> items_;  // of the collections being read, a stack
};

}  // namespace millrace
