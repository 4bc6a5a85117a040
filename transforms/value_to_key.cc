#include "transforms/kafka_transforms.h"
#include "transforms/options.h"
#include "transforms/plan_cache.h"
#include "transforms/struct_plan.h"

namespace millrace::smt {
namespace {

constexpr std::string_view kPurpose = "copying fields from value to key";

class ValueToKey final : public Transformation {
 public:
  Status configure(const ConfigMap& settings) override {
    auto parsed = value_to_key_options().parse(settings);
    if (!parsed) return fail(std::move(parsed.error()));
    fields_ = parsed->list("fields");
    replace_null_ = parsed->boolean(kReplaceNull);
    return {};
  }

  Expected<bool> apply(ConnectRecord& record, Arena& arena) override {
    Status status = record.value.schema == nullptr ? apply_schemaless(record, arena) : apply_with_schema(record, arena);
    if (!status) return fail(std::move(status.error()));
    return true;
  }

  void new_batch() override { plans_.new_batch(); }

 private:
  Status apply_schemaless(ConnectRecord& record, Arena& arena) const {
    if (auto status = require_map(record.value.value, kPurpose); !status) return status;
    MapEdit edit(items_value(MR_MAP, {}), fields_.size(), arena);
    for (const std::string& field : fields_) {
      const Value* value = find(record.value.value, field);
      edit.put(field, value == nullptr ? null_value() : *value);
    }
    record.key = {nullptr, edit.get()};
    return {};
  }

  Status apply_with_schema(ConnectRecord& record, Arena& arena) {
    const SchemaAndValue& from = record.value;
    if (auto status = require_struct(*from.schema, from.value, kPurpose); !status) return status;
    const auto plan = plans_.get(*from.schema, [this](const Schema& schema) { return make_plan(schema); });
    if (!plan) return fail(plan.error());
    auto* items = arena.allocate_array<Value>(fields_.size());
    if (auto status = copy_fields(**plan, from.value, items); !status) return status;
    record.key = {(*plan)->output.get(), items_value(MR_STRUCT, {items, fields_.size()})};
    return {};
  }

  Expected<StructPlan> make_plan(const Schema& schema) const {
    StructPlan plan;
    FieldList fields;
    for (const std::string& name : fields_) {
      const auto index = schema.field_index(name);
      if (!index) return bad_record("Field does not exist: " + name);
      if (auto status = fields.add(name, schema.fields()[*index].schema); !status)
        return fail(std::move(status.error()));
      plan.copies.push_back(field_copy(schema, *index, replace_null_));
    }
    plan.output = make_schema({.type = Type::kStruct, .fields = fields.take()});
    return plan;
  }

  std::vector<std::string> fields_;
  bool replace_null_ = true;
  PlanCache<StructPlan> plans_;
};

}  // namespace

TransformationPtr make_value_to_key() { return std::make_unique<ValueToKey>(); }

const ConfigDef& value_to_key_options() {
  static const ConfigDef def = make_options({{.name = "fields",
                                              .type = ConfigType::kList,
                                              .importance = ConfigImportance::kHigh,
                                              .documentation = "Names of the value's fields that make the key.",
                                              .validator = non_empty_list()},
                                             replace_null_key()});
  return def;
}

}  // namespace millrace::smt
