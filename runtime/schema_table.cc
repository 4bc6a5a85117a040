#include "runtime/schema_table.h"

#include <fmt/format.h>

namespace millrace {
namespace {
constexpr size_t kAliasesMax = 4096;
}  // namespace

Expected<mr_schema_id> SchemaTable::register_schema(const mr_schema& description) {
  if (description.struct_size < sizeof(mr_schema))
    return fail(ErrorCode::kInternal, "register_schema: struct_size is too small; set it to sizeof(mr_schema)");
  if (description.type < MR_BOOLEAN || description.type > MR_STRUCT) {
    return fail(ErrorCode::kInternal, fmt::format("register_schema: {} is not a schema type", description.type));
  }
  const auto known_or_error = [&](mr_schema_id id, std::string_view what) -> Status {
    if (known(id)) return {};
    return fail(ErrorCode::kInternal,
                fmt::format("register_schema: {} refers to schema {}, which was never registered", what, id));
  };
  SchemaParts parts;
  parts.type = static_cast<Type>(description.type);
  parts.optional = description.optional != 0;
  if (description.name.data != nullptr) parts.name = view(description.name);
  if (description.has_version != 0) parts.version = description.version;
  if (description.doc.data != nullptr) parts.doc = view(description.doc);
  for (size_t i = 0; i < description.parameter_count; ++i) {
    parts.parameters.emplace_back(view(description.parameters[i].key), view(description.parameters[i].value));
  }
  if (description.has_default != 0) parts.default_value = OwnedValue(description.default_value);
  for (size_t i = 0; i < description.field_count; ++i) {
    const mr_field& field = description.fields[i];
    if (field.schema == 0)
      return fail(ErrorCode::kInternal, fmt::format("register_schema: field {} has no schema", view(field.name)));
    if (auto ok = known_or_error(field.schema, view(field.name)); !ok) return fail(std::move(ok.error()));
    parts.fields.push_back({std::string(view(field.name)), entries_[field.schema - 1].schema});
  }
  if (auto ok = known_or_error(description.key_schema, "key_schema"); !ok) return fail(std::move(ok.error()));
  if (auto ok = known_or_error(description.value_schema, "value_schema"); !ok) return fail(std::move(ok.error()));
  if (description.key_schema != 0) parts.key_schema = entries_[description.key_schema - 1].schema;
  if (description.value_schema != 0) parts.value_schema = entries_[description.value_schema - 1].schema;
  return find_or_add(make_schema(std::move(parts)));
}

mr_schema_id SchemaTable::id_of(const Schema* schema) {
  if (schema == nullptr) return 0;
  if (schema == last_) return last_id_;
  mr_schema_id id = 0;
  if (const auto at = by_address_.find(schema); at != by_address_.end()) {
    id = at->second;
  } else {
    // Owning it keeps the address from being reused by another schema.
    id = find_or_add(schema->shared_from_this());
    if (aliases_.size() == kAliasesMax) forget_aliases();
    by_address_.emplace(schema, id);
    if (entries_[id - 1].schema.get() != schema) aliases_.push_back(schema->shared_from_this());
  }
  last_ = schema;
  last_id_ = id;
  return id;
}

void SchemaTable::forget_aliases() {
  for (const SchemaPtr& alias : aliases_) by_address_.erase(alias.get());
  aliases_.clear();
  last_ = nullptr;
}

mr_schema_id SchemaTable::find_or_add(const SchemaPtr& schema) {
  const auto [begin, end] = by_hash_.equal_range(schema->hash());
  for (auto at = begin; at != end; ++at) {
    if (*entries_[at->second - 1].schema == *schema) return at->second;
  }
  entries_.push_back({schema, false, {}, {}, {}});
  const auto id = static_cast<mr_schema_id>(entries_.size());
  by_hash_.emplace(schema->hash(), id);
  return id;
}

const mr_schema* SchemaTable::describe(mr_schema_id id) {
  if (id == 0 || id > entries_.size()) return nullptr;
  if (entries_[id - 1].described) return &entries_[id - 1].description;
  const Schema& schema = *entries_[id - 1].schema;
  // Children first: numbering them may add entries, which leaves references into the deque valid.
  const mr_schema_id key = id_of(schema.key_schema());
  const mr_schema_id value = id_of(schema.value_schema());
  Entry& entry = entries_[id - 1];
  for (const Field& field : schema.fields()) entry.fields.push_back({to_mr(field.name), id_of(field.schema.get()), 0});
  for (const auto& [name, text] : schema.parameters()) entry.parameters.push_back({to_mr(name), to_mr(text)});
  mr_schema& out = entry.description;
  out.struct_size = sizeof(mr_schema);
  out.type = static_cast<uint8_t>(schema.type());
  out.optional = schema.optional() ? 1 : 0;
  out.has_version = schema.version() ? 1 : 0;
  out.version = schema.version().value_or(0);
  out.has_default = schema.default_value() != nullptr ? 1 : 0;
  if (schema.default_value() != nullptr) out.default_value = *schema.default_value();
  if (schema.name()) out.name = to_mr(*schema.name());
  if (schema.doc()) out.doc = to_mr(*schema.doc());
  out.parameters = entry.parameters.data();
  out.parameter_count = entry.parameters.size();
  out.key_schema = key;
  out.value_schema = value;
  out.fields = entry.fields.data();
  out.field_count = entry.fields.size();
  entry.described = true;
  return &out;
}

}  // namespace millrace
