/// A Connect schema as a plain tree, for connectors whose schemas come from data: built once a table, compared in
/// tests, then numbered by the worker. Threads: none of its own.
#pragma once

#include <millrace/connector.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "connectors/common/byte_arena.h"

namespace millrace::connectors {

struct SchemaSpec {
  struct Field;

  mr_kind type = MR_STRING;
  bool optional = false;
  std::string name;  ///< empty = none
  std::optional<int32_t> version;
  std::string doc;  ///< empty = none
  std::vector<std::pair<std::string, std::string>> parameters;
  /// Content of the default; bytes and items are owned by `default_content`.
  std::optional<mr_value> default_value;
  std::shared_ptr<const ByteArena> default_content;
  std::vector<Field> fields;                   ///< STRUCT
  std::shared_ptr<const SchemaSpec> elements;  ///< ARRAY elements, MAP values
  std::shared_ptr<const SchemaSpec> keys;      ///< MAP keys

  /// A default of type STRING or BYTES (type must be set before).
  void set_default_bytes(std::string_view content) {
    auto arena = std::make_shared<ByteArena>();
    const std::string_view kept = arena->copy(content);
    mr_value value{};
    value.kind = static_cast<uint8_t>(type);
    value.size = static_cast<uint32_t>(kept.size());
    value.u.bytes = kept.data() == nullptr ? "" : kept.data();
    default_value = value;
    default_content = std::move(arena);
  }

  /// Numbers this schema and all below it.
  inline sdk::Status register_with(const sdk::TaskContext& context, mr_schema_id& id) const;
};

struct SchemaSpec::Field {
  std::string name;
  SchemaSpec schema;
};

inline sdk::Status SchemaSpec::register_with(const sdk::TaskContext& context, mr_schema_id& id) const {
  std::vector<mr_pair> pairs;
  for (const auto& [key, value] : parameters) pairs.push_back({sdk::to_mr(key), sdk::to_mr(value)});
  std::vector<mr_field> members;
  for (const Field& field : fields) {
    mr_field member{sdk::to_mr(field.name), 0, 0};
    if (sdk::Status s = field.schema.register_with(context, member.schema); !s.ok()) return s;
    members.push_back(member);
  }
  mr_schema raw{};
  raw.struct_size = sizeof(raw);
  raw.type = static_cast<uint8_t>(type);
  raw.optional = optional ? 1 : 0;
  raw.has_version = version.has_value() ? 1 : 0;
  raw.version = version.value_or(0);
  if (!name.empty()) raw.name = sdk::to_mr(name);
  if (!doc.empty()) raw.doc = sdk::to_mr(doc);
  raw.parameters = pairs.data();
  raw.parameter_count = pairs.size();
  if (elements != nullptr) {
    if (sdk::Status s = elements->register_with(context, raw.value_schema); !s.ok()) return s;
  }
  if (keys != nullptr) {
    if (sdk::Status s = keys->register_with(context, raw.key_schema); !s.ok()) return s;
  }
  raw.fields = members.data();
  raw.field_count = members.size();
  raw.has_default = default_value.has_value() ? 1 : 0;
  if (default_value.has_value()) raw.default_value = *default_value;
  return context.register_schema(raw, id);
}

}  // namespace millrace::connectors
