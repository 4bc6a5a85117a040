#include "transforms/debezium_unwrap_plan.h"

#include <algorithm>

namespace millrace::debezium {

Expected<UnwrapPlan> plan_unwrap(const UnwrapOptions& options, const Schema& envelope) {
  UnwrapPlan plan;
  plan.envelope = envelope.shared_from_this();
  auto headers = plan_added_fields(options.headers, envelope);
  if (!headers) return fail(std::move(headers.error()));
  plan.headers = std::move(*headers);
  const auto after = extracted_field(envelope, kAfter);
  if (!after) return fail(after.error());
  plan.after = static_cast<uint32_t>(*after);
  if (const auto before = envelope.field_index(kBefore)) plan.before = static_cast<uint32_t>(*before);
  return plan;
}

Expected<RowPlan> plan_row(const UnwrapOptions& options, UnwrapPlan& plan, uint32_t row, SchemaPool& pool) {
  if (const auto op = field_of(*plan.envelope, kOp, Type::kString); !op) return fail(op.error());
  auto fields = plan_added_fields(options.fields, *plan.envelope);
  if (!fields) return fail(std::move(fields.error()));
  plan.fields = std::move(*fields);

  const Schema& schema = *plan.envelope->fields()[row].schema;
  RowPlan planned;
  planned.copied = static_cast<uint32_t>(schema.fields().size());
  planned.required = required_fields(schema);
  StructBuilder builder(schema);
  if (auto status = builder.add_all(schema); !status) return fail(std::move(status.error()));
  if (options.rewrites()) {
    if (auto status = builder.add("__deleted", plain_schema(Type::kString, true)); !status)
      return fail(std::move(status.error()));
    for (uint32_t i = 0; options.replace_null_with_default && i < planned.copied; ++i) {
      const Value* value = schema.fields()[i].schema->default_value();
      if (value != nullptr && !is_null(*value)) planned.defaults.push_back({i, *value});
    }
  }
  for (const AddedField& added : plan.fields) {
    if (auto status = builder.add(added.new_name, added.schema); !status) return fail(std::move(status.error()));
  }
  planned.schema = builder.build(pool);
  return planned;
}

Expected<SchemaAndValue> run_row(const UnwrapOptions& options, const UnwrapPlan& plan, const RowPlan& row_plan,
                                 const Value& envelope, const Value& row, Arena& arena) {
  SchemaAndValue result{row_plan.schema.get(), row};
  const size_t size = row_plan.schema->fields().size();
  if (size != row_plan.copied || !row_plan.defaults.empty()) {
    Value* items = arena.allocate_array<Value>(size);
    std::copy_n(row.u.items, row_plan.copied, items);
    for (const RowPlan::Default& fallback : row_plan.defaults) {
      if (is_null(items[fallback.field])) items[fallback.field] = fallback.value;
    }
    size_t next = row_plan.copied;
    if (options.rewrites()) items[next++] = string_value(&row == &envelope.u.items[plan.after] ? "false" : "true");
    for (const AddedField& added : plan.fields) items[next++] = added.value_in(envelope);
    result.value = items_value(MR_STRUCT, {items, size});
  }
  if (auto status = check_required(*row_plan.schema, row_plan.required, result.value.u.items); !status)
    return fail(std::move(status.error()));
  return result;
}

}  // namespace millrace::debezium
