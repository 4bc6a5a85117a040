#include "transforms/debezium_drop_fields.h"

namespace millrace::debezium {

Expected<FieldDropper::Plan> FieldDropper::make(const Schema& from, SchemaPool& pool) const {
  Plan plan;
  plan.from = from.shared_from_this();
  StructBuilder builder(from);
  for (size_t i = 0; i < from.fields().size(); ++i) {
    if (key_[sizeof(const Schema*) + i] != 0) continue;
    plan.kept.push_back(static_cast<uint32_t>(i));
    if (auto status = builder.add(from.fields()[i].name, from.fields()[i].schema); !status)
      return fail(std::move(status.error()));
  }
  plan.to = builder.build(pool);
  plan.required = required_fields(*plan.to);
  return plan;
}

Status FieldDropper::drop(SchemaAndValue& from, std::span<const Value> names, size_t candidates, SchemaPool& pool,
                          Arena& arena) {
  if (is_null(from.value) || from.schema == nullptr) return {};
  if (keep_compatible_ && from.schema->type() != Type::kStruct)
    return bad_record("Cannot list fields on non-struct type");
  if (auto status = require_struct(from, "field replacement"); !status) return status;

  const std::vector<Field>& fields = from.schema->fields();
  key_.assign(reinterpret_cast<const char*>(&from.schema), sizeof from.schema);
  key_.append(fields.size(), '\0');
  bool any = false;
  for (const Value& name : names) {
    const auto index = name.kind == MR_STRING ? from.schema->field_index(bytes_of(name)) : std::nullopt;
    if (!index || *index >= candidates || (keep_compatible_ && !fields[*index].schema->optional())) continue;
    key_[sizeof from.schema + *index] = 1;
    any = true;
  }
  // Without regard to compatibility the struct is rebuilt even if nothing goes.
  if (!any && keep_compatible_) return {};

  const Plan* plan = plans_.find(key_);
  if (plan == nullptr) {
    auto made = make(*from.schema, pool);
    if (!made) return fail(std::move(made.error()));
    plan = plans_.add(key_, std::move(*made));
  }
  Value* items = arena.allocate_array<Value>(plan->kept.size());
  for (size_t i = 0; i < plan->kept.size(); ++i)
    items[i] = value_or_default(fields[plan->kept[i]], from.value.u.items[plan->kept[i]]);
  if (auto status = check_required(*plan->to, plan->required, items); !status) return status;
  from.schema = plan->to.get();
  from.value = items_value(MR_STRUCT, {items, plan->kept.size()});
  return {};
}

}  // namespace millrace::debezium
