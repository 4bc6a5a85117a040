/// Connect's JSON form of records, for tests: enough of JsonConverter to replay recorded cases without the worker.
#pragma once

#include <cmath>
#include <deque>
#include <millrace/testing.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace millrace::jdbc::golden {

using Json = nlohmann::ordered_json;
using sdk::FakeHost;

inline std::string base64(std::string_view bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t word = 0;
    for (size_t b = 0; b < 3; ++b)
      word = word << 8 | (i + b < bytes.size() ? static_cast<unsigned char>(bytes[i + b]) : 0U);
    for (size_t d = 0; d < 4; ++d) out += i + d <= bytes.size() ? kDigits[word >> (18 - 6 * d) & 63] : '=';
  }
  return out;
}

inline std::string from_base64(std::string_view text) {
  std::string out;
  uint32_t word = 0, bits = 0;
  for (const char c : text) {
    const uint32_t digit = c >= 'A' && c <= 'Z'   ? c - 'A'
                           : c >= 'a' && c <= 'z' ? c - 'a' + 26
                           : c >= '0' && c <= '9' ? c - '0' + 52
                           : c == '+'             ? 62
                           : c == '/'             ? 63
                                                  : 64;
    if (digit == 64) break;
    word = word << 6 | digit;
    bits += 6;
    if (bits >= 8) out += static_cast<char>(word >> (bits -= 8) & 255);
  }
  return out;
}

inline Json schema_json(const FakeHost& host, mr_schema_id id) {
  constexpr const char* kTypes[] = {"",       "boolean", "int8",  "int16", "int32", "int64", "float",
                                    "double", "string",  "bytes", "array", "map",   "struct"};
  const mr_schema* schema = host.describe(id);
  Json json = {{"type", kTypes[schema->type]}};
  for (size_t i = 0; i < schema->field_count; ++i) {
    Json field = schema_json(host, schema->fields[i].schema);
    field["field"] = sdk::view(schema->fields[i].name);
    json["fields"].push_back(field);
  }
  json["optional"] = schema->optional != 0;
  if (schema->name.data != nullptr) json["name"] = sdk::view(schema->name);
  if (schema->has_version != 0) json["version"] = schema->version;
  for (size_t i = 0; i < schema->parameter_count; ++i) {
    json["parameters"][std::string(sdk::view(schema->parameters[i].key))] = sdk::view(schema->parameters[i].value);
  }
  return json;
}

inline Json value_json(const FakeHost& host, const mr_value& value, mr_schema_id id) {
  switch (value.kind) {
    case MR_NULL:
      return nullptr;
    case MR_BOOLEAN:
      return value.u.i64 != 0;
    case MR_FLOAT32:
    case MR_FLOAT64:
      if (std::isnan(value.u.f64)) return "NaN";
      if (std::isinf(value.u.f64)) return value.u.f64 > 0 ? "Infinity" : "-Infinity";
      return value.u.f64;
    case MR_STRING:
      return std::string(value.u.bytes, value.size);
    case MR_BYTES:
    case MR_DECIMAL:
      return base64({value.u.bytes, value.size});
    case MR_STRUCT: {
      Json json = Json::object();
      const mr_schema* schema = host.describe(id);
      for (uint32_t i = 0; i < value.size; ++i) {
        json[std::string(sdk::view(schema->fields[i].name))] =
            value_json(host, value.u.items[i], schema->fields[i].schema);
      }
      return json;
    }
    case MR_MAP: {
      Json json = Json::object();
      for (uint32_t i = 0; i < value.size; ++i) {
        const mr_value& key = value.u.items[2 * i];
        json[std::string(key.u.bytes, key.size)] = value_json(host, value.u.items[2 * i + 1], 0);
      }
      return json;
    }
    default:
      return value.u.i64;
  }
}

/// Builds sink input from the JSON envelope. Content lives as long as the decoder.
class Decoder {
 public:
  Decoder(FakeHost& host, bool replace_null) : host_(host), replace_null_(replace_null) {}

  mr_schema_id schema(const Json& json) {
    constexpr std::pair<const char*, mr_kind> kTypes[] = {
        {"boolean", MR_BOOLEAN}, {"int8", MR_INT8},     {"int16", MR_INT16},    {"int32", MR_INT32},
        {"int64", MR_INT64},     {"float", MR_FLOAT32}, {"double", MR_FLOAT64}, {"string", MR_STRING},
        {"bytes", MR_BYTES},     {"array", MR_ARRAY},   {"map", MR_MAP},        {"struct", MR_STRUCT}};
    mr_schema raw{};
    raw.struct_size = sizeof(raw);
    for (const auto& [name, kind] : kTypes) {
      if (json.at("type") == name) raw.type = static_cast<uint8_t>(kind);
    }
    raw.optional = json.value("optional", false) ? 1 : 0;
    if (json.contains("name") && !json["name"].is_null()) raw.name = keep(json["name"]);
    if (json.contains("version") && !json["version"].is_null()) {
      raw.has_version = 1;
      raw.version = json["version"];
    }
    std::vector<mr_pair> parameters;
    if (json.contains("parameters")) {
      for (const auto& [key, value] : json["parameters"].items()) parameters.push_back({keep(key), keep(value)});
    }
    raw.parameters = parameters.data();
    raw.parameter_count = parameters.size();
    std::vector<mr_field> fields;
    if (json.contains("fields")) {
      for (const Json& field : json["fields"]) fields.push_back({keep(field.at("field")), schema(field), 0});
    }
    raw.fields = fields.data();
    raw.field_count = fields.size();
    if (raw.type == MR_ARRAY) raw.value_schema = schema(json.at("items"));
    if (raw.type == MR_MAP) {
      raw.key_schema = schema(json.at("keys"));
      raw.value_schema = schema(json.at("values"));
    }
    if (json.contains("default")) {
      raw.has_default = 1;
      raw.default_value = value(json["default"], raw);
    }
    return host_.add_schema(raw);
  }

  mr_value value(const Json& json, mr_schema_id id) {
    const mr_schema* schema = host_.describe(id);
    if (json.is_null() && replace_null_ && schema->has_default != 0) return schema->default_value;
    return value(json, *schema);
  }

 private:
  mr_value value(const Json& json, const mr_schema& schema) {
    mr_value out{};
    if (json.is_null()) return out;
    out.kind = schema.type;
    switch (schema.type) {
      case MR_BOOLEAN:
        out.u.i64 = json.get<bool>() ? 1 : 0;
        break;
      case MR_FLOAT32:
      case MR_FLOAT64:
        out.u.f64 = json.get<double>();
        break;
      case MR_STRING:
      case MR_BYTES: {
        const std::string& text = texts_.emplace_back(schema.type == MR_STRING ? json.get<std::string>()
                                                                               : from_base64(json.get<std::string>()));
        out.u.bytes = text.data();
        out.size = static_cast<uint32_t>(text.size());
        if (sdk::view(schema.name).ends_with("data.Decimal")) {
          out.kind = MR_DECIMAL;
          for (size_t i = 0; i < schema.parameter_count; ++i) {
            if (sdk::view(schema.parameters[i].key) == "scale")
              out.scale = static_cast<int16_t>(std::stoi(std::string(sdk::view(schema.parameters[i].value))));
          }
        }
        break;
      }
      case MR_STRUCT: {
        auto& items = lists_.emplace_back();
        for (size_t i = 0; i < schema.field_count; ++i) {
          const std::string name(sdk::view(schema.fields[i].name));
          items.push_back(value(json.contains(name) ? json[name] : Json(nullptr), schema.fields[i].schema));
        }
        out.size = static_cast<uint32_t>(items.size());
        out.u.items = items.data();
        break;
      }
      case MR_ARRAY: {
        auto& items = lists_.emplace_back();
        for (const Json& item : json) items.push_back(value(item, schema.value_schema));
        out.size = static_cast<uint32_t>(items.size());
        out.u.items = items.data();
        break;
      }
      case MR_MAP: {
        auto& items = lists_.emplace_back();
        for (const auto& [key, item] : json.items()) {
          items.push_back(sdk::string_value(texts_.emplace_back(key)));
          items.push_back(value(item, schema.value_schema));
        }
        out.size = static_cast<uint32_t>(items.size() / 2);
        out.u.items = items.data();
        break;
      }
      default:
        out.u.i64 = json.get<int64_t>();
        break;
    }
    return out;
  }
  mr_str keep(const std::string& text) { return sdk::to_mr(texts_.emplace_back(text)); }

  FakeHost& host_;
  bool replace_null_;
  std::deque<std::string> texts_;
  std::deque<std::vector<mr_value>> lists_;
};

}  // namespace millrace::jdbc::golden
