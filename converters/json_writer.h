/// Writes values and schemas as Kafka Connect's JsonConverter does, byte for byte.
#pragma once

#include "converters/json_plan.h"
#include "converters/json_text.h"
#include "core/error.h"

namespace millrace {

struct JsonOptions {
  bool schemas_enable = true;
  bool decimal_numeric = false;
  bool replace_null_with_default = true;
  size_t schemas_cache_size = 1000;
};

/// Threads: one. Errors: kBadRecord with Connect's texts.
class JsonWriter {
 public:
  explicit JsonWriter(const JsonOptions& options) : options_(options) {}

  /// The payload of `value`; the view lives until the next call.
  Expected<std::string_view> payload(const JsonPlan& plan, const Value& value);
  /// `{"schema":S,"payload":`
  Expected<std::string> envelope(const Schema* schema);

 private:
  bool write(const JsonPlan& plan, const Value& value);
  bool write_null(const JsonPlan& plan);
  bool write_any(const Value& value);
  bool write_struct(const JsonPlan& plan, const Value& value);
  bool write_members(const JsonPlan& plan, const Value& value, size_t first, JsonMemo* memo);
  static size_t same_members(const JsonPlan& plan, const Value& value);
  bool write_array(const JsonPlan& plan, const Value& value);
  bool write_map(const JsonPlan* plan, const Value& value);
  bool write_map_key(const JsonPlan* plan, const Value& key);
  bool write_decimal(const JsonPlan& plan, const Value& value);
  bool write_date(const JsonPlan& plan, const Value& value);
  bool write_schema(const Schema* schema, const std::string* field);
  void write_floating(const Value& value);
  bool fail_with(std::string message);
  bool wrong_type(const JsonPlan& plan, const Value& value);

  const JsonOptions& options_;
  JsonBuffer out_;
  std::string scratch_;
  std::string error_;
};

}  // namespace millrace
