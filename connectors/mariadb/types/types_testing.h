/// What the tests of types/ share: settings, definitions and cells in a line each, schemas and values as JSON.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "connectors/mariadb/types/column_plan.h"

namespace millrace::mariadb::testing {

using Json = nlohmann::ordered_json;
using Settings = std::vector<std::pair<std::string, std::string>>;

inline Result<ValueOptions> parse_options(const Settings& settings) {
  std::vector<mr_pair> pairs;
  for (const auto& [key, value] : settings) pairs.push_back({sdk::to_mr(key), sdk::to_mr(value)});
  mr_config config{};
  config.pairs = pairs.data();
  config.count = pairs.size();
  return ValueOptions::parse(sdk::Config(config, {}));
}

inline ValueOptions options_of(const Settings& settings = {}) {
  Result<ValueOptions> parsed = parse_options(settings);
  EXPECT_TRUE(parsed.ok()) << (parsed.ok() ? "" : parsed.status().message());
  return parsed.ok() ? parsed.value() : ValueOptions();
}

struct Wanted {
  std::string type;
  std::optional<int32_t> length = {}, scale = {};
  bool optional = true;
  std::optional<std::string> charset = {}, default_text = {};
  std::vector<std::string> labels = {};
  std::string name = "c";
};

inline ColumnDefinition definition(const Wanted& wanted) {
  ColumnDefinition column;
  column.name = wanted.name;
  column.type_name = wanted.type;
  column.length = wanted.length;
  column.scale = wanted.scale;
  column.optional = wanted.optional;
  column.charset = wanted.charset;
  column.has_default = wanted.default_text.has_value();
  column.default_expression = wanted.default_text;
  column.enum_values = wanted.labels;
  return column;
}

inline ColumnPlan plan_of(const Wanted& wanted, const ValueOptions& options = {}, const WireColumn* wire = nullptr) {
  Result<ColumnPlan> plan = ColumnPlan::make({"db", "t"}, definition(wanted), wire, options);
  EXPECT_TRUE(plan.ok()) << (plan.ok() ? "" : plan.status().message());
  return std::move(plan.value());
}

// ---- cells

inline Cell cell(Cell::Kind kind) {
  Cell made;
  made.kind = kind;
  return made;
}
inline Cell number(int64_t value, Cell::Kind kind = Cell::Kind::kInteger) {
  Cell made = cell(kind);
  made.i64 = value;
  return made;
}
inline Cell unsigned_number(uint64_t value) {
  Cell made = number(static_cast<int64_t>(value));
  made.is_unsigned = true;
  return made;
}
inline Cell floating(double value, Cell::Kind kind = Cell::Kind::kDouble) {
  Cell made = cell(kind);
  made.f64 = value;
  return made;
}
inline Cell decimal(__int128 unscaled, int16_t scale) {
  Cell made = cell(Cell::Kind::kDecimal);
  made.scale = scale;
  made.i128 = unscaled;
  return made;
}
/// `content` is borrowed.
inline Cell bytes(std::string_view content, Cell::Kind kind = Cell::Kind::kBytes) {
  Cell made = cell(kind);
  made.bytes = content.data() == nullptr ? "" : content.data();
  made.size = static_cast<uint32_t>(content.size());
  return made;
}
inline Cell text(std::string_view content) { return bytes(content, Cell::Kind::kText); }
struct Reading {
  uint16_t year = 0;
  uint8_t month = 0, day = 0, hour = 0, minute = 0, second = 0;
  uint32_t micros = 0;
};
inline Cell reading(Reading time, Cell::Kind kind = Cell::Kind::kDateTime) {
  Cell made = cell(kind);
  made.time = {time.year, time.month, time.day, time.hour, time.minute, time.second, time.micros};
  return made;
}
inline Cell in_snapshot(Cell made) {
  made.snapshot = true;
  return made;
}

// ---- as JSON

inline std::string base64(std::string_view content) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t i = 0; i < content.size(); i += 3) {
    uint32_t word = 0;
    for (size_t b = 0; b < 3; ++b)
      word = word << 8 | (i + b < content.size() ? static_cast<unsigned char>(content[i + b]) : 0U);
    for (size_t d = 0; d < 4; ++d) out += i + d <= content.size() ? kDigits[word >> (18 - 6 * d) & 63] : '=';
  }
  return out;
}

/// As JsonConverter has it: BYTES and DECIMAL in base64.
inline Json value_json(const mr_value& value) {
  switch (value.kind) {
    case MR_NULL:
      return nullptr;
    case MR_BOOLEAN:
      return value.u.i64 != 0;
    case MR_FLOAT32:
      return static_cast<float>(value.u.f64);
    case MR_FLOAT64:
      return value.u.f64;
    case MR_STRING:
      return std::string(value.u.bytes, value.size);
    case MR_BYTES:
    case MR_DECIMAL:
      return base64({value.u.bytes, value.size});
    case MR_STRUCT:
    case MR_ARRAY: {
      Json items = Json::array();
      for (uint32_t i = 0; i < value.size; ++i) items.push_back(value_json(value.u.items[i]));
      return items;
    }
    default:
      return value.u.i64;
  }
}

inline Json schema_json(const connectors::SchemaSpec& schema) {
  constexpr const char* kTypes[] = {"",       "boolean", "int8",  "int16", "int32", "int64", "float",
                                    "double", "string",  "bytes", "array", "map",   "struct"};
  Json json = {{"type", kTypes[schema.type]}, {"optional", schema.optional}};
  for (const auto& field : schema.fields) {
    Json member = schema_json(field.schema);
    member["field"] = field.name;
    json["fields"].push_back(member);
  }
  if (schema.elements != nullptr) json["items"] = schema_json(*schema.elements);
  if (!schema.name.empty()) json["name"] = schema.name;
  if (schema.version) json["version"] = *schema.version;
  if (!schema.doc.empty()) json["doc"] = schema.doc;
  for (const auto& [key, value] : schema.parameters) json["parameters"][key] = value;
  if (schema.default_value) json["default"] = value_json(*schema.default_value);
  return json;
}

/// The value, or the error's message in {"error": …}.
inline Json converted(const ColumnPlan& plan, const Cell& cell) {
  connectors::ByteArena arena;
  mr_value value{};
  const Status status = plan.convert(cell, arena, value);
  if (!status.ok()) return {{"error", status.message()}};
  return value_json(value);
}

}  // namespace millrace::mariadb::testing
