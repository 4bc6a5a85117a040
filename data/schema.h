/// Kafka Connect's schemas: immutable, shared, compared by pointer first and by content when pointers differ.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "data/value.h"

namespace millrace {

class Schema;
/// Co-owned by every record batch, cache and schema that refers to it. The data path passes `const Schema*`.
using SchemaPtr = std::shared_ptr<const Schema>;

struct Field {
  std::string name;
  SchemaPtr schema;
};

/// All that a schema consists of; make_schema() turns it into a Schema.
struct SchemaParts {
  Type type = Type::kString;
  bool optional = false;
  std::optional<std::string> name = {};
  std::optional<int32_t> version = {};
  std::optional<std::string> doc = {};
  std::vector<std::pair<std::string, std::string>> parameters = {};  ///< in the order they were set
  std::optional<OwnedValue> default_value = {};                      ///< may hold a null
  std::vector<Field> fields = {};                                    ///< kStruct
  SchemaPtr key_schema = {};                                         ///< kMap; null = elements of any type
  SchemaPtr value_schema = {};                                       ///< kMap, kArray; null = elements of any type
};

/// Threads: any (immutable). Made by make_schema() only, so that shared_from_this() works.
class Schema : public std::enable_shared_from_this<Schema> {
 public:
  explicit Schema(SchemaParts parts);

  Type type() const { return parts_.type; }
  bool optional() const { return parts_.optional; }
  const std::optional<std::string>& name() const { return parts_.name; }
  const std::optional<int32_t>& version() const { return parts_.version; }
  const std::optional<std::string>& doc() const { return parts_.doc; }
  const std::vector<std::pair<std::string, std::string>>& parameters() const { return parts_.parameters; }
  /// nullptr when absent.
  const std::string* parameter(std::string_view key) const;
  /// nullptr when the schema has no default.
  const Value* default_value() const { return parts_.default_value ? &parts_.default_value->get() : nullptr; }
  const std::vector<Field>& fields() const { return parts_.fields; }
  /// Index of a field by name; nothing when absent.
  std::optional<size_t> field_index(std::string_view name) const;
  const Schema* key_schema() const { return parts_.key_schema.get(); }
  const Schema* value_schema() const { return parts_.value_schema.get(); }
  const SchemaParts& parts() const { return parts_; }

  bool is_decimal() const { return logical_ == Logical::kDecimal; }
  bool is_date() const { return logical_ == Logical::kDate; }
  bool is_time() const { return logical_ == Logical::kTime; }
  bool is_timestamp() const { return logical_ == Logical::kTimestamp; }

  /// Of the whole content: equal schemas have equal hashes.
  size_t hash() const { return hash_; }
  bool operator==(const Schema& other) const;

 private:
  enum class Logical : uint8_t { kNone, kDecimal, kDate, kTime, kTimestamp };

  SchemaParts parts_;
  Logical logical_ = Logical::kNone;
  size_t hash_ = 0;
};

inline constexpr std::string_view kDecimalName = "org.apache.kafka.connect.data.Decimal";
inline constexpr std::string_view kDateName = "org.apache.kafka.connect.data.Date";
inline constexpr std::string_view kTimeName = "org.apache.kafka.connect.data.Time";
inline constexpr std::string_view kTimestampName = "org.apache.kafka.connect.data.Timestamp";

SchemaPtr make_schema(SchemaParts parts);
/// One shared instance of each plain type.
SchemaPtr plain_schema(Type type, bool optional = false);
SchemaPtr decimal_schema(int scale, bool optional = false);
SchemaPtr date_schema(bool optional = false);
SchemaPtr time_schema(bool optional = false);
SchemaPtr timestamp_schema(bool optional = false);

/// Pointers equal, or contents equal. Either may be null (= no schema).
inline bool same_schema(const Schema* left, const Schema* right) {
  return left == right || (left != nullptr && right != nullptr && *left == *right);
}

/// Whether `value` fits `schema`, with Connect's own message when not. `schema` null: anything fits.
Status validate_value(const Schema* schema, const Value& value, std::string_view field = {});

}  // namespace millrace
