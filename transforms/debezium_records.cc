#include "transforms/debezium_records.h"

#include <algorithm>

#include "converters/converter.h"

namespace millrace::debezium {

bool is_envelope(const Schema* schema) {
  return schema != nullptr && schema->name() && schema->name()->ends_with(".Envelope");
}

bool is_schema_change(const Schema* schema) {
  return schema != nullptr && schema->name() &&
         (schema->name()->ends_with(".SchemaChangeValue") || schema->name()->ends_with(".SchemaChangeKey"));
}

tl::unexpected<Error> bad_record(std::string message, std::string_view exception) {
  return fail(Error{ErrorCode::kBadRecord, std::move(message), std::string(exception), {}, {}});
}

Status require_struct(const SchemaAndValue& value, std::string_view purpose) {
  if (value.value.kind == MR_STRUCT && value.schema != nullptr) return {};
  std::string message = "Only Struct objects supported for [";
  message.append(purpose).append("], found: ");
  message.append(is_null(value.value) ? "null" : java_class(value.value));
  return bad_record(std::move(message));
}

Expected<size_t> field_of(const Schema& schema, std::string_view name) {
  const auto index = schema.field_index(name);
  if (!index) return bad_record(std::string(name) + " is not a valid field name");
  return *index;
}

Expected<size_t> field_of(const Schema& schema, std::string_view name, Type type) {
  const auto index = field_of(schema, name);
  if (index && schema.fields()[*index].schema->type() != type)
    return bad_record("Field '" + std::string(name) + "' is not of type " + std::string(type_name(type)));
  return index;
}

Expected<size_t> extracted_field(const Schema& schema, std::string_view name) {
  const auto index = schema.field_index(name);
  if (!index) return bad_record("Unknown field: " + std::string(name), kIllegalArgument);
  return *index;
}

std::vector<uint32_t> required_fields(const Schema& schema) {
  std::vector<uint32_t> required;
  for (size_t i = 0; i < schema.fields().size(); ++i) {
    if (!schema.fields()[i].schema->optional()) required.push_back(static_cast<uint32_t>(i));
  }
  return required;
}

Status check_required(const Schema& schema, const std::vector<uint32_t>& required, const Value* items) {
  for (const uint32_t index : required) {
    if (!is_null(items[index])) continue;
    const Field& field = schema.fields()[index];
    return validate_value(field.schema.get(), items[index], field.name);
  }
  return {};
}

StructBuilder::StructBuilder(const Schema& basics) {
  parts_.type = Type::kStruct;
  parts_.name = basics.name();
  parts_.version = basics.version();
  parts_.doc = basics.doc();
  parts_.parameters = basics.parameters();
}

Status StructBuilder::add(std::string_view name, SchemaPtr schema) {
  if (name.empty()) return bad_record("fieldName cannot be null.", kSchemaBuilder);
  if (schema == nullptr)
    return bad_record("fieldSchema for field " + std::string(name) + " cannot be null.", kSchemaBuilder);
  if (std::ranges::find(parts_.fields, name, &Field::name) != parts_.fields.end())
    return bad_record("Cannot create field because of field name duplication " + std::string(name), kSchemaBuilder);
  parts_.fields.push_back({std::string(name), std::move(schema)});
  return {};
}

Status StructBuilder::add_all(const Schema& schema) {
  for (const Field& field : schema.fields()) {
    if (auto status = add(field.name, field.schema); !status) return status;
  }
  return {};
}

}  // namespace millrace::debezium
