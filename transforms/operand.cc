#include "transforms/operand.h"

#include <algorithm>

#include "converters/converter.h"

namespace millrace::smt {

tl::unexpected<Error> bad_record(std::string message, std::string_view exception) {
  return fail(Error{ErrorCode::kBadRecord, std::move(message), std::string(exception), {}, {}});
}
tl::unexpected<Error> bad_schema(std::string message) {
  return bad_record(std::move(message), "org.apache.kafka.connect.errors.SchemaBuilderException");
}
tl::unexpected<Error> bad_config(std::string message) { return fail(ErrorCode::kInvalidConfig, std::move(message)); }

std::string_view java_class_of(const Schema* schema, const Value& value) {
  const bool moment = schema != nullptr && (schema->is_date() || schema->is_time() || schema->is_timestamp());
  if (moment && value.kind == static_cast<uint8_t>(schema->type())) return "java.util.Date";
  return java_class(value);
}

Status require_map(const Value& value, std::string_view purpose) {
  if (value.kind == MR_MAP) return {};
  return bad_record(
      fmt::format("Only Map objects supported in absence of schema for [{}], found: {}", purpose, java_class(value)));
}

Status require_struct(const Schema& schema, const Value& value, std::string_view purpose) {
  if (value.kind != MR_STRUCT) {
    return bad_record(
        fmt::format("Only Struct objects supported for [{}], found: {}", purpose, java_class_of(&schema, value)));
  }
  if (value.size == schema.fields().size()) return {};
  return bad_record(fmt::format("Struct has {} values, its schema {} fields", value.size, schema.fields().size()));
}

Status require_fields(const Schema& schema) {
  if (schema.type() == Type::kStruct) return {};
  return bad_record("Cannot list fields on non-struct type");
}

tl::unexpected<Error> null_in_required(const Field& field) {
  return bad_record(fmt::format("Invalid value: null used for required field: \"{}\", schema type: {}", field.name,
                                type_name(field.schema->type())));
}

Expected<std::string_view> map_key(const Value& key) {
  if (key.kind == MR_STRING) return bytes_of(key);
  return bad_record(fmt::format("class {} cannot be cast to class java.lang.String", java_class(key)),
                    "java.lang.ClassCastException");
}

MapEdit::MapEdit(const Value& from, size_t more, Arena& arena) {
  const auto items = items_of(from);
  items_ = arena.allocate_array<Value>(items.size() + 2 * more);
  std::copy(items.begin(), items.end(), items_);
  used_ = items.size();
}

void MapEdit::put(std::string_view key, const Value& value) {
  for (size_t i = 0; i < used_; i += 2) {
    if (items_[i].kind != MR_STRING || bytes_of(items_[i]) != key) continue;
    items_[i + 1] = value;
    return;
  }
  items_[used_++] = string_value(key);
  items_[used_++] = value;
}

void MapEdit::remove(std::string_view key) {
  for (size_t i = 0; i < used_; i += 2) {
    if (items_[i].kind != MR_STRING || bytes_of(items_[i]) != key) continue;
    std::copy(items_ + i + 2, items_ + used_, items_ + i);
    used_ -= 2;
    return;
  }
}

}  // namespace millrace::smt
