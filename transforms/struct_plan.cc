#include "transforms/struct_plan.h"

namespace millrace::smt {

Status FieldList::add(std::string_view name, SchemaPtr schema) {
  if (name.empty()) return bad_schema("fieldName cannot be null.");
  if (!names_.emplace(name).second)
    return bad_schema(fmt::format("Cannot create field because of field name duplication {}", name));
  fields_.push_back({std::string(name), std::move(schema)});
  return {};
}

SchemaParts schema_basics(const Schema& source, Type type) {
  return {.type = type,
          .name = source.name(),
          .version = source.version(),
          .doc = source.doc(),
          .parameters = source.parameters()};
}

}  // namespace millrace::smt
