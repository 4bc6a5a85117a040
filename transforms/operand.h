/// What Apache Kafka's transformations share: the key or value they work on, and Connect's complaints about it.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "transforms/transformation.h"

namespace millrace::smt {

/// $Key or $Value: the half of a record that a transformation changes.
enum class Side : uint8_t { kKey, kValue };

inline SchemaAndValue& operand(ConnectRecord& record, Side side) {
  return side == Side::kKey ? record.key : record.value;
}

/// An error of this record; `exception` is the full name of Java's class, empty = DataException.
tl::unexpected<Error> bad_record(std::string message, std::string_view exception = {});
/// A schema that cannot be built (Connect's SchemaBuilderException).
tl::unexpected<Error> bad_schema(std::string message);
tl::unexpected<Error> bad_config(std::string message);

/// The Java class of a value under its schema (null = none): a Date is a java.util.Date, not an Integer.
std::string_view java_class_of(const Schema* schema, const Value& value);

/// Errors name the purpose, as Connect's do: `Only Map objects supported in absence of schema for [cast types], ...`.
Status require_map(const Value& value, std::string_view purpose);
/// Also that the struct has as many values as `schema` has fields.
Status require_struct(const Schema& schema, const Value& value, std::string_view purpose);
/// `schema.fields()` is only for structs.
Status require_fields(const Schema& schema);
/// A null in a required field, as Connect's Struct.put refuses it.
tl::unexpected<Error> null_in_required(const Field& field);

/// The key of a schemaless map's entry. Errors: it is no string, which Connect notices by a failing cast.
Expected<std::string_view> map_key(const Value& key);

/// A map under construction in an arena: a copy of another one with room for more entries.
class MapEdit {
 public:
  /// `from` is a MAP; at most `more` calls of put() with new keys may follow.
  MapEdit(const Value& from, size_t more, Arena& arena);
  void put(std::string_view key, const Value& value);
  void remove(std::string_view key);
  Value get() const { return items_value(MR_MAP, {items_, used_}); }

 private:
  Value* items_;
  size_t used_;
};

}  // namespace millrace::smt
