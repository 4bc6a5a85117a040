#include "converters/golden_case.h"

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include "converters/json_text.h"
#include "core/java_text.h"

namespace millrace::golden {
namespace {

Type type_of(const std::string& name) {
  static const std::map<std::string, Type> kTypes = {
      {"boolean", Type::kBoolean}, {"int8", Type::kInt8},     {"int16", Type::kInt16},    {"int32", Type::kInt32},
      {"int64", Type::kInt64},     {"float", Type::kFloat32}, {"double", Type::kFloat64}, {"string", Type::kString},
      {"bytes", Type::kBytes},     {"array", Type::kArray},   {"map", Type::kMap},        {"struct", Type::kStruct}};
  return kTypes.at(name);
}

const char* name_of(Type type) {
  static const char* const kNames[] = {"",       "boolean", "int8",  "int16", "int32", "int64", "float",
                                       "double", "string",  "bytes", "array", "map",   "struct"};
  return kNames[static_cast<size_t>(type)];
}

double number_of(const Json& json) {
  if (!json.is_string()) return json.get<double>();
  const std::string text = json;
  return text == "NaN" ? std::nan("") : text == "Infinity" ? HUGE_VAL : -HUGE_VAL;
}

Json json_of(double number) { return std::isfinite(number) ? Json(number) : Json(java_double_text(number)); }

/// Three bytes a unit for lone surrogates, as the JSON reader makes them.
std::string utf8_of_utf16(std::string_view bytes) {
  std::string text;
  for (size_t i = 0; i + 1 < bytes.size(); i += 2) {
    append_utf8(text, static_cast<uint32_t>(static_cast<uint8_t>(bytes[i])) << 8 | static_cast<uint8_t>(bytes[i + 1]));
  }
  return text;
}

struct Decoder {
  Arena& arena;
  std::string unrepresentable = {};

  Value text(const std::string& from, mr_kind kind = MR_STRING) { return bytes_value(kind, arena.copy(from)); }

  Value items(mr_kind kind, const std::vector<Value>& from) {
    Value* to = arena.allocate_array<Value>(from.size());
    std::copy(from.begin(), from.end(), to);
    return items_value(kind, {to, from.size()});
  }

  Value decimal(const std::string& from) {
    const size_t exponent_at = from.find_first_of("eE");
    int scale = exponent_at == std::string::npos ? 0 : -std::stoi(from.substr(exponent_at + 1));
    std::string digits;
    bool fraction = false;
    for (const char c : from.substr(0, exponent_at)) {
      if (c == '.') fraction = true;
      if (c < '0' || c > '9') continue;
      digits += c;
      scale += fraction ? 1 : 0;
    }
    return bytes_value(MR_DECIMAL, unscaled_of(digits, from[0] == '-', arena), static_cast<int16_t>(scale));
  }

  Value tagged(const std::string& tag, const Json& json) {
    if (tag == "@int8") return scalar(MR_INT8, json.get<int64_t>());
    if (tag == "@int16") return scalar(MR_INT16, json.get<int64_t>());
    if (tag == "@int32") return scalar(MR_INT32, json.get<int64_t>());
    if (tag == "@float32") return floating(MR_FLOAT32, static_cast<double>(static_cast<float>(number_of(json))));
    if (tag == "@float64") return floating(MR_FLOAT64, number_of(json));
    if (tag == "@bytes" || tag == "@bytebuffer") return text(from_base64(json), MR_BYTES);
    if (tag == "@decimal" || tag == "@bigint") return decimal(json);
    if (tag == "@timestamp") return scalar(MR_TIMESTAMP, json.get<int64_t>());
    if (tag == "@utf16") return text(utf8_of_utf16(from_base64(json)));
    if (tag == "@struct") return with_schema(*decode_schema(json.at("schema"), arena), json.at("payload"));
    if (tag == "@map") {
      std::vector<Value> members;
      for (const auto& pair : json) {
        members.push_back(schemaless(pair.at(0)));
        members.push_back(schemaless(pair.at(1)));
      }
      return items(MR_MAP, members);
    }
    unrepresentable = tag;
    return null_value();
  }

  Value schemaless(const Json& json) {
    if (json.is_null()) return null_value();
    if (json.is_boolean()) return boolean_value(json);
    if (json.is_number_float()) return floating(MR_FLOAT64, json);
    if (json.is_number()) return int64_value(json);
    if (json.is_string()) return text(json);
    std::vector<Value> members;
    if (json.is_array()) {
      for (const auto& one : json) members.push_back(schemaless(one));
      return items(MR_ARRAY, members);
    }
    if (json.size() == 1 && json.begin().key().starts_with("@"))
      return tagged(json.begin().key(), json.begin().value());
    for (const auto& [key, one] : json.items()) {
      members.push_back(text(key));
      members.push_back(schemaless(one));
    }
    return items(MR_MAP, members);
  }

  Value element(const Schema* schema, const Json& json) {
    return schema == nullptr ? schemaless(json) : with_schema(*schema, json);
  }

  Value with_schema(const Schema& schema, const Json& json) {
    if (json.is_null()) return null_value();
    if (json.is_object() && json.contains("@raw")) {
      const Value raw = schemaless(json["@raw"]);
      // Logical values are their base numbers here, so a number that is "not a Date" cannot be told from one.
      const bool date = schema.is_date() || schema.is_time() || schema.is_timestamp();
      if ((date && raw.kind == static_cast<uint8_t>(schema.type())) ||
          (schema.type() == Type::kStruct && raw.kind == MR_STRUCT)) {
        unrepresentable = "@raw";
      }
      return raw;
    }
    if (json.is_object() && json.contains("@utf16")) return text(utf8_of_utf16(from_base64(json["@utf16"])));
    if (schema.is_decimal()) {
      return bytes_value(MR_DECIMAL, arena.copy(from_base64(json)),
                         static_cast<int16_t>(std::stoi(*schema.parameter("scale"))));
    }
    std::vector<Value> members;
    switch (schema.type()) {
      case Type::kBoolean:
        return boolean_value(json);
      case Type::kInt8:
      case Type::kInt16:
      case Type::kInt32:
      case Type::kInt64:
        return scalar(static_cast<mr_kind>(schema.type()), json.get<int64_t>());
      case Type::kFloat32:
        return floating(MR_FLOAT32, static_cast<double>(static_cast<float>(number_of(json))));
      case Type::kFloat64:
        return floating(MR_FLOAT64, number_of(json));
      case Type::kString:
        return text(json);
      case Type::kBytes:
        return text(from_base64(json), MR_BYTES);
      case Type::kArray:
        for (const auto& one : json) members.push_back(element(schema.value_schema(), one));
        return items(MR_ARRAY, members);
      case Type::kStruct:
        for (const Field& field : schema.fields()) members.push_back(with_schema(*field.schema, json.at(field.name)));
        return items(MR_STRUCT, members);
      case Type::kMap:
        break;
    }
    for (const auto& [key, one] : json.items()) {
      members.push_back(json.is_object() ? text(key) : element(schema.key_schema(), one.at(0)));
      members.push_back(element(schema.value_schema(), json.is_object() ? one : one.at(1)));
    }
    return items(MR_MAP, members);
  }
};

SchemaPtr decode_optional_schema(const Json& json, Arena& arena) {
  return json.is_null() ? SchemaPtr() : decode_schema(json, arena);
}

Json encode_schemaless(const Value& value) {
  switch (value.kind) {
    case MR_NULL:
      return nullptr;
    case MR_BOOLEAN:
      return value.u.i64 != 0;
    case MR_INT8:
      return {{"@int8", value.u.i64}};
    case MR_INT16:
      return {{"@int16", value.u.i64}};
    case MR_INT32:
      return {{"@int32", value.u.i64}};
    case MR_INT64:
      return value.u.i64;
    case MR_FLOAT32:
      return {{"@float32", std::isfinite(value.u.f64) ? Json::parse(java_float_text(static_cast<float>(value.u.f64)))
                                                      : json_of(value.u.f64)}};
    case MR_FLOAT64:
      return std::isfinite(value.u.f64) ? Json(value.u.f64) : Json{{"@float64", java_double_text(value.u.f64)}};
    case MR_STRING:
      return std::string(bytes_of(value));
    case MR_BYTES:
      return {{"@bytes", to_base64(bytes_of(value))}};
    case MR_TIMESTAMP:
      return {{"@timestamp", value.u.i64}};
    case MR_DECIMAL: {
      std::string text;
      append_java_decimal(text, bytes_of(value), value.scale);
      return {{"@decimal", text}};
    }
    default:
      break;
  }
  const auto members = items_of(value);
  Json result = value.kind == MR_MAP ? Json::object() : Json::array();
  if (value.kind == MR_ARRAY) {
    for (const Value& one : members) result.push_back(encode_schemaless(one));
    return result;
  }
  bool plain = true;
  for (size_t i = 0; i < members.size(); i += 2)
    plain = plain && members[i].kind == MR_STRING && !bytes_of(members[i]).starts_with("@");
  Json pairs = Json::array();
  for (size_t i = 0; i + 1 < members.size(); i += 2) {
    if (plain) {
      result[std::string(bytes_of(members[i]))] = encode_schemaless(members[i + 1]);
    } else {
      pairs.push_back({encode_schemaless(members[i]), encode_schemaless(members[i + 1])});
    }
  }
  return plain ? result : Json{{"@map", pairs}};
}

Json encode_element(const Schema* schema, const Value& value);

Json encode_payload(const Schema& schema, const Value& value) {
  if (is_null(value)) return nullptr;
  const bool decimal_fits = value.kind == MR_DECIMAL && schema.is_decimal() && schema.parameter("scale") != nullptr &&
                            *schema.parameter("scale") == std::to_string(value.scale);
  if (!decimal_fits && value.kind != static_cast<uint8_t>(schema.type())) return {{"@raw", encode_schemaless(value)}};
  switch (value.kind) {
    case MR_DECIMAL:
    case MR_BYTES:
      return to_base64(bytes_of(value));
    case MR_FLOAT32:
      return std::isfinite(value.u.f64) ? Json::parse(java_float_text(static_cast<float>(value.u.f64)))
                                        : json_of(value.u.f64);
    case MR_FLOAT64:
      return json_of(value.u.f64);
    case MR_STRUCT: {
      Json result = Json::object();
      for (size_t i = 0; i < schema.fields().size(); ++i) {
        result[schema.fields()[i].name] = encode_payload(*schema.fields()[i].schema, value.u.items[i]);
      }
      return result;
    }
    case MR_ARRAY: {
      Json result = Json::array();
      for (const Value& one : items_of(value)) result.push_back(encode_element(schema.value_schema(), one));
      return result;
    }
    case MR_MAP: {
      const auto members = items_of(value);
      const bool object = schema.key_schema() != nullptr && schema.key_schema()->type() == Type::kString;
      Json result = object ? Json::object() : Json::array();
      for (size_t i = 0; i + 1 < members.size(); i += 2) {
        Json item = encode_element(schema.value_schema(), members[i + 1]);
        if (object) {
          result[std::string(bytes_of(members[i]))] = item;
        } else {
          result.push_back({encode_element(schema.key_schema(), members[i]), item});
        }
      }
      return result;
    }
    default:
      return encode_schemaless(value).is_object() ? Json(value.u.i64) : encode_schemaless(value);
  }
}

Json encode_element(const Schema* schema, const Value& value) {
  return schema == nullptr ? encode_schemaless(value) : encode_payload(*schema, value);
}

}  // namespace

SchemaPtr decode_schema(const Json& json, Arena& arena) {
  SchemaParts parts{.type = type_of(json.at("type")), .optional = json.value("optional", false)};
  if (json.contains("name")) parts.name = json["name"];
  if (json.contains("version")) parts.version = json["version"];
  if (json.contains("doc")) parts.doc = json["doc"];
  if (json.contains("parameters")) {
    for (const auto& [key, value] : json["parameters"].items()) parts.parameters.emplace_back(key, value);
  }
  if (json.contains("items")) parts.value_schema = decode_optional_schema(json["items"], arena);
  if (json.contains("keys")) parts.key_schema = decode_optional_schema(json["keys"], arena);
  if (json.contains("values")) parts.value_schema = decode_optional_schema(json["values"], arena);
  if (json.contains("fields")) {
    for (const auto& field : json["fields"]) parts.fields.push_back({field.at("field"), decode_schema(field, arena)});
  }
  if (json.contains("default")) {
    const SchemaPtr so_far = make_schema(parts);
    parts.default_value = OwnedValue(Decoder{arena}.with_schema(*so_far, json["default"]));
  }
  return make_schema(std::move(parts));
}

GoldenValue decode(const Json& encoded, Arena& arena) {
  GoldenValue result;
  Decoder decoder{arena};
  result.schema = decode_optional_schema(encoded.at("schema"), arena);
  result.value = decoder.element(result.schema.get(), encoded.at("payload"));
  result.unrepresentable = decoder.unrepresentable;
  return result;
}

Json encode_schema(const Schema* schema) {
  if (schema == nullptr) return nullptr;
  Json json = {{"type", name_of(schema->type())}};
  if (schema->type() == Type::kArray) json["items"] = encode_schema(schema->value_schema());
  if (schema->type() == Type::kMap) {
    json["keys"] = encode_schema(schema->key_schema());
    json["values"] = encode_schema(schema->value_schema());
  }
  if (schema->type() == Type::kStruct) {
    json["fields"] = Json::array();
    for (const Field& field : schema->fields()) {
      json["fields"].push_back(encode_schema(field.schema.get()));
      json["fields"].back()["field"] = field.name;
    }
  }
  json["optional"] = schema->optional();
  if (schema->name()) json["name"] = *schema->name();
  if (schema->version()) json["version"] = *schema->version();
  if (schema->doc()) json["doc"] = *schema->doc();
  for (const auto& [key, value] : schema->parameters()) json["parameters"][key] = value;
  if (schema->default_value() != nullptr && !is_null(*schema->default_value()))
    json["default"] = encode_payload(*schema, *schema->default_value());
  return json;
}

Json encode(const Schema* schema, const Value& value) {
  return {{"schema", encode_schema(schema)}, {"payload", encode_element(schema, value)}};
}

std::string from_base64(const std::string& text) {
  Arena arena;
  const auto bytes = decode_base64(text, arena);
  if (!bytes) throw std::invalid_argument("no base64: " + text);
  return std::string(*bytes);
}

std::string to_base64(std::string_view bytes) {
  JsonBuffer buffer;
  buffer.put_base64(bytes);
  return std::string(buffer.text().substr(1, buffer.text().size() - 2));
}

std::string file(const std::string& name) {
  const char* root = std::getenv("MILLRACE_GOLDEN");
  const std::filesystem::path own = root != nullptr ? root : MILLRACE_SOURCE_DIR "/../shared/golden";
  const auto path = own / "connect-data" / name;
  if (std::filesystem::exists(path)) return path.string();
  return MILLRACE_SOURCE_DIR "/tests/golden/connect-data/" + name;
}

}  // namespace millrace::golden
