#include "data/schema.h"

#include <fmt/format.h>

#include <array>
#include <functional>

namespace millrace {
namespace {

void mix(size_t& seed, size_t value) { seed ^= value + 0x9e3779b97f4a7c15ULL + (seed << 6) + (seed >> 2); }
void mix(size_t& seed, std::string_view text) { mix(seed, std::hash<std::string_view>{}(text)); }

size_t hash_of(const SchemaParts& parts) {
  size_t seed = static_cast<size_t>(parts.type) * 2 + (parts.optional ? 1 : 0);
  if (parts.name) mix(seed, *parts.name);
  if (parts.version) mix(seed, static_cast<size_t>(*parts.version));
  if (parts.doc) mix(seed, *parts.doc);
  for (const auto& [key, value] : parts.parameters)
    mix(seed, std::hash<std::string_view>{}(key) ^ std::hash<std::string_view>{}(value));
  for (const Field& field : parts.fields) {
    mix(seed, field.name);
    mix(seed, field.schema->hash());
  }
  if (parts.key_schema) mix(seed, parts.key_schema->hash());
  if (parts.value_schema) mix(seed, parts.value_schema->hash());
  return seed;
}

}  // namespace

Schema::Schema(SchemaParts parts) : parts_(std::move(parts)), hash_(hash_of(parts_)) {
  if (!parts_.name) return;
  if (parts_.type == Type::kBytes && *parts_.name == kDecimalName) logical_ = Logical::kDecimal;
  if (parts_.type == Type::kInt32 && *parts_.name == kDateName) logical_ = Logical::kDate;
  if (parts_.type == Type::kInt32 && *parts_.name == kTimeName) logical_ = Logical::kTime;
  if (parts_.type == Type::kInt64 && *parts_.name == kTimestampName) logical_ = Logical::kTimestamp;
}

const std::string* Schema::parameter(std::string_view key) const {
  for (const auto& [name, value] : parts_.parameters) {
    if (name == key) return &value;
  }
  return nullptr;
}

std::optional<size_t> Schema::field_index(std::string_view name) const {
  for (size_t i = 0; i < parts_.fields.size(); ++i) {
    if (parts_.fields[i].name == name) return i;
  }
  return std::nullopt;
}

bool Schema::operator==(const Schema& other) const {
  if (this == &other) return true;
  if (hash_ != other.hash_) return false;
  const SchemaParts &a = parts_, &b = other.parts_;
  if (a.type != b.type || a.optional != b.optional || a.name != b.name || a.version != b.version || a.doc != b.doc ||
      a.parameters != b.parameters || a.fields.size() != b.fields.size() ||
      a.default_value.has_value() != b.default_value.has_value()) {
    return false;
  }
  if (a.default_value && !equal(a.default_value->get(), b.default_value->get())) return false;
  for (size_t i = 0; i < a.fields.size(); ++i) {
    if (a.fields[i].name != b.fields[i].name || !same_schema(a.fields[i].schema.get(), b.fields[i].schema.get()))
      return false;
  }
  return same_schema(key_schema(), other.key_schema()) && same_schema(value_schema(), other.value_schema());
}

SchemaPtr make_schema(SchemaParts parts) { return std::make_shared<const Schema>(std::move(parts)); }

SchemaPtr plain_schema(Type type, bool optional) {
  // Immutable constants, not state: every module may share them.
  static const auto instances = [] {
    std::array<std::array<SchemaPtr, 2>, MR_STRUCT + 1> made;
    for (size_t kind = MR_BOOLEAN; kind <= MR_BYTES; ++kind) {
      made[kind][0] = make_schema({.type = static_cast<Type>(kind)});
      made[kind][1] = make_schema({.type = static_cast<Type>(kind), .optional = true});
    }
    return made;
  }();
  return instances[static_cast<size_t>(type)][optional ? 1 : 0];
}

namespace {
SchemaPtr logical(Type type, std::string_view name, bool optional) {
  return make_schema({.type = type, .optional = optional, .name = std::string(name), .version = 1});
}
}  // namespace

SchemaPtr decimal_schema(int scale, bool optional) {
  return make_schema({.type = Type::kBytes,
                      .optional = optional,
                      .name = std::string(kDecimalName),
                      .version = 1,
                      .parameters = {{"scale", std::to_string(scale)}}});
}
SchemaPtr date_schema(bool optional) { return logical(Type::kInt32, kDateName, optional); }
SchemaPtr time_schema(bool optional) { return logical(Type::kInt32, kTimeName, optional); }
SchemaPtr timestamp_schema(bool optional) { return logical(Type::kInt64, kTimestampName, optional); }

Status validate_value(const Schema* schema, const Value& value, std::string_view field) {
  if (schema == nullptr) return {};
  const std::string where = field.empty() ? "" : fmt::format(" for field: \"{}\"", field);
  if (is_null(value)) {
    if (schema->optional()) return {};
    return fail(ErrorCode::kBadRecord,
                fmt::format("Invalid value: null used for required field: \"{}\", schema type: {}",
                            field.empty() ? "null" : field, type_name(schema->type())));
  }
  const bool fits =
      schema->is_decimal() ? (value.kind == MR_DECIMAL) : value.kind == static_cast<uint8_t>(schema->type());
  if (!fits) {
    return fail(ErrorCode::kBadRecord, fmt::format("Invalid value kind {} for schema type {}{}", value.kind,
                                                   type_name(schema->type()), where));
  }
  if (value.kind == MR_STRUCT) {
    if (value.size != schema->fields().size()) {
      return fail(ErrorCode::kBadRecord, fmt::format("Struct has {} values, its schema {} fields{}", value.size,
                                                     schema->fields().size(), where));
    }
    for (size_t i = 0; i < value.size; ++i) {
      const Field& member = schema->fields()[i];
      if (auto status = validate_value(member.schema.get(), value.u.items[i], member.name); !status) return status;
    }
  } else if (value.kind == MR_ARRAY || value.kind == MR_MAP) {
    const auto items = items_of(value);
    for (size_t i = 0; i < items.size(); ++i) {
      const Schema* element = value.kind == MR_MAP && i % 2 == 0 ? schema->key_schema() : schema->value_schema();
      if (auto status = validate_value(element, items[i], field); !status) return status;
    }
  }
  return {};
}

}  // namespace millrace
