/// A struct made of another struct's fields: the output's schema and where each of its values comes from.
#pragma once

#include <string_view>
#include <unordered_set>
#include <vector>

#include "transforms/operand.h"

namespace millrace::smt {

/// The fields of a schema under construction, with the checks of Connect's SchemaBuilder.
class FieldList {
 public:
  Status add(std::string_view name, SchemaPtr schema);
  std::vector<Field> take() { return std::move(fields_); }

 private:
  std::vector<Field> fields_;
  std::unordered_set<std::string> names_;
};

/// Name, version, doc and parameters; neither optional nor default, which Connect's copySchemaBasics leaves out too.
SchemaParts schema_basics(const Schema& source, Type type);

/// One value of the output: a field of the input, its default where that is null and defaults are wanted.
struct FieldCopy {
  uint32_t from = 0;
  const Value* fallback = nullptr;
};

inline FieldCopy field_copy(const Schema& source, size_t index, bool replace_null_with_default) {
  const Value* fallback = replace_null_with_default ? source.fields()[index].schema->default_value() : nullptr;
  return {static_cast<uint32_t>(index), fallback != nullptr && is_null(*fallback) ? nullptr : fallback};
}

inline const Value& copied(const FieldCopy& copy, const Value& from) {
  const Value& value = from.u.items[copy.from];
  return is_null(value) && copy.fallback != nullptr ? *copy.fallback : value;
}

struct StructPlan {
  SchemaPtr output;
  std::vector<FieldCopy> copies;  ///< of the output's first fields, in order
};

/// Writes plan.copies.size() values. Errors: a null for a required field.
inline Status copy_fields(const StructPlan& plan, const Value& from, Value* to) {
  const Field* field = plan.output->fields().data();
  for (const FieldCopy& copy : plan.copies) {
    const Value& value = copied(copy, from);
    if (is_null(value) && !field->schema->optional()) return null_in_required(*field);
    *to++ = value;
    ++field;
  }
  return {};
}

}  // namespace millrace::smt
