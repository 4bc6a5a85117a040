#include "transforms/kafka_transforms.h"
#include "transforms/options.h"
#include "transforms/plan_cache.h"
#include "transforms/struct_plan.h"

namespace millrace::smt {
namespace {

class SetSchemaMetadata final : public Transformation {
 public:
  explicit SetSchemaMetadata(Side side) : side_(side) {}

  Status configure(const ConfigMap& settings) override {
    auto parsed = set_schema_metadata_options().parse(settings);
    if (!parsed) return fail(std::move(parsed.error()));
    if (!parsed->is_null("schema.name")) name_ = parsed->text("schema.name");
    if (!parsed->is_null("schema.version")) version_ = static_cast<int32_t>(parsed->integer("schema.version"));
    if (!name_ && !version_) return bad_config("Neither schema name nor version configured");
    replace_null_ = parsed->boolean(kReplaceNull);
    return {};
  }

  Expected<bool> apply(ConnectRecord& record, Arena& arena) override {
    SchemaAndValue& at = operand(record, side_);
    if (at.schema == nullptr) {
      if (is_null(at.value)) return true;
      return bad_record("Schema required for [updating schema metadata]");
    }
    const auto plan = plans_.get(*at.schema, [this](const Schema& schema) { return make_plan(schema); });
    if (!plan) return fail(plan.error());
    if (at.value.kind == MR_STRUCT) {
      if (auto status = require_struct(*at.schema, at.value, "updating schema metadata"); !status)
        return fail(std::move(status.error()));
      auto* items = arena.allocate_array<Value>(at.value.size);
      if (auto status = copy_fields(**plan, at.value, items); !status) return fail(std::move(status.error()));
      at.value = items_value(MR_STRUCT, {items, at.value.size});
    }
    at.schema = (*plan)->output.get();
    return true;
  }

  void new_batch() override { plans_.new_batch(); }

 private:
  Expected<StructPlan> make_plan(const Schema& schema) const {
    if (auto status = require_fields(schema); !status) return fail(std::move(status.error()));
    StructPlan plan;
    SchemaParts parts = schema.parts();
    if (name_) parts.name = name_;
    if (version_) parts.version = version_;
    plan.output = make_schema(std::move(parts));
    for (size_t i = 0; i < schema.fields().size(); ++i) plan.copies.push_back(field_copy(schema, i, replace_null_));
    return plan;
  }

  const Side side_;
  std::optional<std::string> name_;
  std::optional<int32_t> version_;
  bool replace_null_ = true;
  PlanCache<StructPlan> plans_;
};

}  // namespace

TransformationPtr make_set_schema_metadata(Side side) { return std::make_unique<SetSchemaMetadata>(side); }

const ConfigDef& set_schema_metadata_options() {
  static const ConfigDef def = make_options({{.name = "schema.name",
                                              .default_value = nullptr,
                                              .importance = ConfigImportance::kHigh,
                                              .documentation = "The schema's new name."},
                                             {.name = "schema.version",
                                              .type = ConfigType::kInt,
                                              .default_value = nullptr,
                                              .importance = ConfigImportance::kHigh,
                                              .documentation = "The schema's new version."},
                                             replace_null_key()});
  return def;
}

}  // namespace millrace::smt
