/// JSON text as a struct whose schema follows from the text.
#pragma once

#include <string_view>

#include "converters/json_tree.h"
#include "converters/values_parser.h"
#include "data/record.h"
#include "transforms/debezium_name_adjuster.h"

namespace millrace::debezium {

/// Threads: one. Schemas live as those of the pool do; equal ones are one object. Working out a schema allocates: this
/// is the one part of the outbox whose cost cannot be planned ahead.
class JsonExpander {
 public:
  /// `null_as_bytes`: a null is an optional field of bytes, otherwise no field.
  JsonExpander(bool null_as_bytes, NameAdjustment names, SchemaPool& pool)
      : null_as_bytes_(null_as_bytes), names_(names), pool_(pool) {}

  /// Replaces JSON text in `payload`, whose field is called `name`. Text that is no JSON, or no homogeneous one, stays;
  /// an array at the top, as well as a number beyond 64 bits, changes the schema alone, as in Debezium.
  void expand(SchemaAndValue& payload, std::string_view name, Arena& arena);

 private:
  /// Null inside = no schema can be told; an error = the text cannot be expanded.
  Expected<SchemaPtr> schema_of(const std::string* name, const JsonNode& node);
  Expected<SchemaPtr> schema_of_object(const std::string* name, const JsonNode& node);
  Expected<SchemaPtr> schema_of_elements(const std::string* name, const JsonNode& array);
  SchemaPtr merged(const Schema& left, const Schema& right);
  /// False: the value does not fit.
  bool convert(const JsonNode* node, const Schema& schema, Arena& arena, Value& to) const;
  const JsonNode* member(const JsonNode& object, std::string_view field) const;

  bool null_as_bytes_;
  NameAdjustment names_;
  SchemaPool& pool_;
};

}  // namespace millrace::debezium
