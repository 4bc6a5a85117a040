/// What Debezium's transformations share: its envelopes, Connect's Struct and SchemaBuilder with their error texts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "converters/values_parser.h"
#include "data/record.h"

namespace millrace::debezium {

inline constexpr std::string_view kBefore = "before", kAfter = "after", kSource = "source", kOp = "op",
                                  kTransaction = "transaction";

/// The schema of a change event: its name ends in .Envelope.
bool is_envelope(const Schema* schema);
/// The schema of a DDL event: its name ends in .SchemaChangeValue or .SchemaChangeKey.
bool is_schema_change(const Schema* schema);

/// A kBadRecord error that shows as `exception` (a whole class name); empty = DataException.
tl::unexpected<Error> bad_record(std::string message, std::string_view exception = {});
inline constexpr std::string_view kNullPointer = "java.lang.NullPointerException",
                                  kIllegalArgument = "java.lang.IllegalArgumentException",
                                  kSchemaBuilder = "org.apache.kafka.connect.errors.SchemaBuilderException",
                                  kConnect = "org.apache.kafka.connect.errors.ConnectException",
                                  kDebezium = "io.debezium.DebeziumException";

/// Errors: kBadRecord "Only Struct objects supported for [purpose], found: class".
Status require_struct(const SchemaAndValue& value, std::string_view purpose);
/// Struct.get: the index of a field. Errors: kBadRecord "x is not a valid field name".
Expected<size_t> field_of(const Schema& schema, std::string_view name);
/// Struct.getString and its kin. Errors: as field_of(), and "Field 'x' is not of type STRING".
Expected<size_t> field_of(const Schema& schema, std::string_view name, Type type);
/// ExtractField: the index of a field. Errors: kBadRecord "Unknown field: x".
Expected<size_t> extracted_field(const Schema& schema, std::string_view name);

/// The value, or the field's default when it is null.
inline const Value& value_or_default(const Field& field, const Value& value) {
  const Value* fallback = is_null(value) ? field.schema->default_value() : nullptr;
  return fallback == nullptr ? value : *fallback;
}

/// The fields that must not be null.
std::vector<uint32_t> required_fields(const Schema& schema);
/// Struct.put of nulls. Errors: kBadRecord "Invalid value: null used for required field: ...".
Status check_required(const Schema& schema, const std::vector<uint32_t>& required, const Value* items);

/// Struct.put: validate_value(), without its cost for what plainly fits. `schema` null: anything fits.
inline Status check_value(const Schema* schema, const Value& value, std::string_view field) {
  const bool plain = value.kind >= MR_BOOLEAN && value.kind <= MR_BYTES;
  if (schema == nullptr || (is_null(value) && schema->optional())) return {};
  if (plain && value.kind == static_cast<uint8_t>(schema->type()) && !schema->is_decimal()) return {};
  return validate_value(schema, value, field);
}

/// SchemaBuilder for structs.
class StructBuilder {
 public:
  /// Takes name, version, doc and parameters of `basics`, nothing else.
  explicit StructBuilder(const Schema& basics);
  explicit StructBuilder(SchemaParts parts) : parts_(std::move(parts)) { parts_.type = Type::kStruct; }
  /// Errors: kBadRecord for a name that is empty or taken, or no schema.
  Status add(std::string_view name, SchemaPtr schema);
  Status add_all(const Schema& schema);
  SchemaParts& parts() { return parts_; }
  /// One object for equal schemas.
  SchemaPtr build(SchemaPool& pool) { return pool.keep(std::move(parts_))->shared_from_this(); }

 private:
  SchemaParts parts_;
};

}  // namespace millrace::debezium
