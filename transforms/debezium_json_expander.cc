#include "transforms/debezium_json_expander.h"

#include <algorithm>
#include <limits>

#include "core/java_text.h"
#include "transforms/debezium_java.h"
#include "transforms/debezium_records.h"

namespace millrace::debezium {
namespace {

using Kind = JsonNode::Kind;

Type number_type(const JsonNode& node) {
  if (node.kind == Kind::kFraction) return Type::kFloat64;
  using Int = std::numeric_limits<int32_t>;
  if (parse_java_integer(node.text, Int::min(), Int::max())) return Type::kInt32;
  using Long = std::numeric_limits<int64_t>;
  return parse_java_integer(node.text, Long::min(), Long::max()) ? Type::kInt64 : Type::kFloat64;
}

bool same_kind(const JsonNode& left, const JsonNode& right) {
  return left.is_number() ? right.is_number() : left.kind == right.kind;
}

}  // namespace

void JsonExpander::expand(SchemaAndValue& payload, std::string_view name, Arena& arena) {
  const std::string_view text = bytes_of(payload.value);
  if (!text.starts_with('{') && !text.starts_with('[')) return;
  const auto node = parse_json(text, arena);
  if (!node) return;
  const std::string field(name);
  const auto schema = schema_of(&field, **node);
  if (!schema) return;
  payload.schema = schema->get();
  Value value{};
  if (*schema != nullptr && (*schema)->type() == Type::kStruct && convert(*node, **schema, arena, value))
    payload.value = value;
}

Expected<SchemaPtr> JsonExpander::schema_of(const std::string* name, const JsonNode& node) {
  switch (node.kind) {
    case Kind::kString:
      return plain_schema(Type::kString, true);
    case Kind::kBoolean:
      return plain_schema(Type::kBoolean, true);
    case Kind::kInteger:
    case Kind::kFraction:
      return plain_schema(number_type(node), true);
    case Kind::kNull:
      return null_as_bytes_ ? plain_schema(Type::kBytes, true) : SchemaPtr();
    case Kind::kObject:
      return schema_of_object(name, node);
    case Kind::kArray: {
      if (node.count == 0) return SchemaPtr();
      auto elements = schema_of_elements(name, node);
      if (!elements) return elements;
      SchemaParts parts{.type = Type::kArray, .optional = true};
      parts.value_schema = std::move(*elements);
      return pool_.keep(std::move(parts))->shared_from_this();
    }
    case Kind::kMissing:
      break;
  }
  return SchemaPtr();
}

Expected<SchemaPtr> JsonExpander::schema_of_object(const std::string* name, const JsonNode& node) {
  SchemaParts parts{.type = Type::kStruct, .optional = true};
  if (name != nullptr) parts.name = *name;
  for (const JsonNode* child = node.first; child != nullptr; child = child->next) {
    const std::string field = adjust_name(child->name, names_, true);
    const std::string path = name == nullptr || is_blank(*name) ? field : *name + "." + field;
    auto schema = schema_of(&path, *child);
    if (!schema) return schema;
    const bool taken = std::ranges::find(parts.fields, field, &Field::name) != parts.fields.end();
    if (*schema != nullptr && !taken) parts.fields.push_back({field, std::move(*schema)});
  }
  return pool_.keep(std::move(parts))->shared_from_this();
}

Expected<SchemaPtr> JsonExpander::schema_of_elements(const std::string* name, const JsonNode& array) {
  const JsonNode* sample = nullptr;
  for (const JsonNode* child = array.first; child != nullptr; child = child->next) {
    if (child->kind == Kind::kNull) continue;
    if (sample == nullptr) sample = child;
    if (!same_kind(*sample, *child) || (child->is_number() && number_type(*sample) != number_type(*child)))
      return bad_record("Field is not a homogenous array", kConnect);
  }
  if (sample == nullptr) sample = array.first;
  if (sample->kind != Kind::kObject) {
    auto schema = schema_of(nullptr, *sample);
    if (schema && *schema == nullptr) return bad_record("Array has unrecognized member schema.", kConnect);
    return schema;
  }
  SchemaPtr all;
  for (const JsonNode* child = array.first; child != nullptr; child = child->next) {
    if (child->kind != Kind::kObject) continue;
    auto schema = schema_of(name, *child);
    if (!schema) return schema;
    if (all == nullptr || same_schema(all.get(), schema->get())) {
      all = std::move(*schema);
    } else {
      all = merged(*all, **schema);
    }
  }
  return all;
}

/// The fields of both; a field that was null in one takes its type from the other. Not optional, as in Debezium.
SchemaPtr JsonExpander::merged(const Schema& left, const Schema& right) {
  StructBuilder builder(left);
  std::vector<Field>& fields = builder.parts().fields;
  fields = left.fields();
  for (const Field& field : right.fields()) {
    const auto known = std::ranges::find(fields, field.name, &Field::name);
    if (known == fields.end()) {
      fields.push_back(field);
    } else if (known->schema->type() == Type::kBytes) {
      known->schema = field.schema;
    }
  }
  return builder.build(pool_);
}

const JsonNode* JsonExpander::member(const JsonNode& object, std::string_view field) const {
  if (names_ == NameAdjustment::kNone) return object.member(field);
  for (const JsonNode* child = object.first; child != nullptr; child = child->next) {
    if (adjust_name(child->name, names_, true) == field) return child;
  }
  return nullptr;
}

bool JsonExpander::convert(const JsonNode* node, const Schema& schema, Arena& arena, Value& to) const {
  to = null_value();
  if (node == nullptr || node->kind == Kind::kNull) return schema.optional();
  const Type type = schema.type();
  switch (node->kind) {
    case Kind::kString:
      to = string_value(node->text);
      return type == Type::kString;
    case Kind::kBoolean:
      to = boolean_value(node->flag);
      return type == Type::kBoolean;
    case Kind::kInteger: {
      using Long = std::numeric_limits<int64_t>;
      const auto number = parse_java_integer(node->text, Long::min(), Long::max());
      if (!number || number_type(*node) != type) return false;
      to = scalar(static_cast<mr_kind>(type), *number);
      return true;
    }
    case Kind::kFraction:
      to = floating(MR_FLOAT64, parse_java_double(node->text).value_or(0));
      return type == Type::kFloat64;
    case Kind::kArray: {
      if (type != Type::kArray) return false;
      Value* items = arena.allocate_array<Value>(node->count);
      size_t i = 0;
      for (const JsonNode* child = node->first; child != nullptr; child = child->next, ++i) {
        if (!convert(child, *schema.value_schema(), arena, items[i])) return false;
      }
      to = items_value(MR_ARRAY, {items, i});
      return true;
    }
    case Kind::kObject: {
      if (type != Type::kStruct) return false;
      Value* items = arena.allocate_array<Value>(schema.fields().size());
      for (size_t i = 0; i < schema.fields().size(); ++i) {
        const Field& field = schema.fields()[i];
        if (!convert(member(*node, field.name), *field.schema, arena, items[i])) return false;
      }
      to = items_value(MR_STRUCT, {items, schema.fields().size()});
      return true;
    }
    default:
      return false;
  }
}

}  // namespace millrace::debezium
