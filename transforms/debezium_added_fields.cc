#include "transforms/debezium_added_fields.h"

#include "transforms/debezium_config.h"
#include "transforms/debezium_java.h"
#include "transforms/debezium_records.h"

namespace millrace::debezium {
namespace {

/// Where a field without a parent is looked for.
std::string_view usual_parent(std::string_view field) {
  if (field == "id" || field == "data_collection_order" || field == "total_order") return kTransaction;
  if (field == kOp || field == "ts_ms" || field == "ts_us" || field == "ts_ns") return "";
  if (field == "updateDescription") return field;  // MongoDB's
  return kSource;
}

Expected<FieldReference> parse(std::string_view text, std::string_view prefix) {
  const std::vector<std::string> parts = java_split(text, ':');
  if (parts.size() > 2)
    return config_error("Unexpected field name: " + std::string(text), std::string(kIllegalArgument));
  const std::vector<std::string> path = java_split(parts.empty() ? "" : parts[0], '.');
  FieldReference reference;
  reference.field = path.empty() ? "" : path.size() == 1 ? path[0] : path[1];
  reference.parent = path.size() < 2 ? std::string(usual_parent(reference.field)) : path[0];
  reference.new_name = prefix;
  if (parts.size() == 2) {
    reference.new_name += parts[1];
  } else if (path.size() < 2) {
    reference.new_name += reference.field;
  } else {
    reference.new_name += reference.parent + "_" + reference.field;
  }
  return reference;
}

/// The basics of a field's schema, optional.
SchemaPtr optional_copy(const Schema& schema) {
  SchemaParts parts = schema.parts();
  parts.optional = true;
  parts.default_value.reset();
  return make_schema(std::move(parts));
}

}  // namespace

Expected<std::vector<FieldReference>> parse_field_references(std::string_view list, std::string_view prefix) {
  std::vector<FieldReference> references;
  if (list.empty()) return references;
  for (const std::string& text : java_split_trimmed(list, ',')) {
    auto reference = parse(text, prefix);
    if (!reference) return fail(std::move(reference.error()));
    references.push_back(std::move(*reference));
  }
  return references;
}

Expected<std::vector<AddedField>> plan_added_fields(const std::vector<FieldReference>& references,
                                                    const Schema& envelope) {
  std::vector<AddedField> planned;
  for (const FieldReference& reference : references) {
    AddedField added;
    added.new_name = reference.new_name;
    const Schema* in = &envelope;
    if (!reference.parent.empty()) {
      const auto parent = envelope.field_index(reference.parent);
      if (!parent)
        return bad_record("The event has no field " + reference.parent + " to add fields from", kNullPointer);
      added.parent = static_cast<uint32_t>(*parent);
      in = envelope.fields()[*parent].schema.get();
      if (in->type() != Type::kStruct) return bad_record("Cannot look up fields on non-struct type");
    }
    auto field = in->field_index(reference.field);
    added.of_envelope = !field || reference.parent.empty();
    if (!field) {
      in = &envelope;
      field = envelope.field_index(reference.field);
    }
    if (!field) continue;
    added.field = static_cast<uint32_t>(*field);
    added.schema = optional_copy(*in->fields()[*field].schema);
    planned.push_back(std::move(added));
  }
  return planned;
}

}  // namespace millrace::debezium
