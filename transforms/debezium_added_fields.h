/// add.fields and add.headers of ExtractNewRecordState: op, source.ts_ms, table:alias.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "data/arena.h"
#include "data/record.h"

namespace millrace::debezium {

/// One element of the list, as configured.
struct FieldReference {
  std::string parent;  ///< source, transaction, ...; empty = the envelope itself
  std::string field;
  std::string new_name;  ///< with the prefix
};

/// Errors: kInvalidConfig "Unexpected field name: a:b:c".
Expected<std::vector<FieldReference>> parse_field_references(std::string_view list, std::string_view prefix);

/// Where a reference finds its value in envelopes of one schema.
struct AddedField {
  static constexpr uint32_t kEnvelope = UINT32_MAX;

  uint32_t parent = kEnvelope;  ///< this must not be null, or the value is
  bool of_envelope = true;      ///< the field is the envelope's own, although a parent was named
  uint32_t field = 0;
  SchemaPtr schema;           ///< of the field in the result: optional, without default
  std::string_view new_name;  ///< borrows the reference

  Value value_in(const Value& envelope) const {
    const Value* items = envelope.u.items;
    if (parent != kEnvelope) {
      if (is_null(items[parent])) return null_value();
      if (!of_envelope) items = items[parent].u.items;
    }
    return items[field];
  }
};

/// The references that envelopes of this schema have; those they have not are left out. Borrows `references`.
/// Errors: kBadRecord when a parent is no field, or no struct.
Expected<std::vector<AddedField>> plan_added_fields(const std::vector<FieldReference>& references,
                                                    const Schema& envelope);

}  // namespace millrace::debezium
