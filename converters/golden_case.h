/// Test only: the value encoding of golden/connect-data/README.md, to and from Connect data.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "data/record.h"

namespace millrace::golden {

using Json = nlohmann::ordered_json;

struct GoldenValue {
  SchemaPtr schema;
  Value value{};
  /// What the data model here has no form for (a Java class of another kind, ...): the case cannot be run.
  std::string unrepresentable;
};

/// {"schema": S, "payload": P}; values lie in `arena`.
GoldenValue decode(const Json& encoded, Arena& arena);
SchemaPtr decode_schema(const Json& schema, Arena& arena);
Json encode(const Schema* schema, const Value& value);
Json encode_schema(const Schema* schema);

std::string from_base64(const std::string& text);
std::string to_base64(std::string_view bytes);

/// Path of a file of golden/connect-data: under MILLRACE_GOLDEN, beside the source, or the selection in tests/golden.
std::string file(const std::string& name);

}  // namespace millrace::golden
