#include "transforms/kafka_transforms.h"
#include "transforms/options.h"
#include "transforms/plan_cache.h"
#include "transforms/struct_plan.h"

namespace millrace::smt {
namespace {

class HoistField final : public Transformation {
 public:
  explicit HoistField(Side side) : side_(side) {}

  Status configure(const ConfigMap& settings) override {
    auto parsed = hoist_field_options().parse(settings);
    if (!parsed) return fail(std::move(parsed.error()));
    field_ = parsed->text("field");
    return {};
  }

  Expected<bool> apply(ConnectRecord& record, Arena& arena) override {
    SchemaAndValue& at = operand(record, side_);
    if (at.schema == nullptr) {
      auto* items = arena.allocate_array<Value>(2);
      items[0] = string_value(field_);
      items[1] = at.value;
      at.value = items_value(MR_MAP, {items, 2});
      return true;
    }
    const auto plan = plans_.get(*at.schema, [this](const Schema& schema) { return make_plan(schema); });
    if (!plan) return fail(plan.error());
    if (auto status = check(*at.schema, at.value); !status) return fail(std::move(status.error()));
    auto* items = arena.allocate_array<Value>(1);
    items[0] = at.value;
    at = {(*plan)->get(), items_value(MR_STRUCT, {items, 1})};
    return true;
  }

  void new_batch() override { plans_.new_batch(); }

 private:
  Expected<SchemaPtr> make_plan(const Schema& schema) const {
    FieldList fields;
    if (auto status = fields.add(field_, schema.shared_from_this()); !status) return fail(std::move(status.error()));
    return make_schema({.type = Type::kStruct, .fields = fields.take()});
  }

  /// Nobody looked at the value since it was made: Connect's first check of it is here.
  Status check(const Schema& schema, const Value& value) const {
    if (is_null(value) && !schema.optional()) {
      return bad_record(fmt::format("Invalid value: null used for required field: \"{}\", schema type: {}", field_,
                                    type_name(schema.type())));
    }
    const auto wanted = schema.is_decimal() ? MR_DECIMAL : static_cast<int>(schema.type());
    if (is_null(value) || value.kind == wanted) return {};
    return bad_record(fmt::format("Invalid Java object for schema with type {}: class {} for field: \"{}\"",
                                  type_name(schema.type()), java_class_of(&schema, value), field_));
  }

  const Side side_;
  std::string field_;
  PlanCache<SchemaPtr> plans_;
};

}  // namespace

TransformationPtr make_hoist_field(Side side) { return std::make_unique<HoistField>(side); }

const ConfigDef& hoist_field_options() {
  static const ConfigDef def =
      make_options({{.name = "field", .documentation = "Name of the one field of the struct or map to wrap with."}});
  return def;
}

}  // namespace millrace::smt
