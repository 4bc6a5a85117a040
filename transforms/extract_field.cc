#include "transforms/field_path.h"
#include "transforms/kafka_transforms.h"
#include "transforms/options.h"
#include "transforms/plan_cache.h"
#include "transforms/struct_plan.h"

namespace millrace::smt {
namespace {

constexpr std::string_view kPurpose = "field extraction", kNested = "nested field access";
constexpr std::string_view kIllegalArgument = "java.lang.IllegalArgumentException";

/// Where to go from struct to struct.
struct ExtractPlan {
  struct Step {
    const Schema* parent;
    FieldCopy copy;
  };
  std::vector<Step> steps;
  SchemaPtr found;
};

class ExtractField final : public Transformation {
 public:
  explicit ExtractField(Side side) : side_(side) {}

  Status configure(const ConfigMap& settings) override {
    auto parsed = extract_field_options().parse(settings);
    if (!parsed) return fail(std::move(parsed.error()));
    path_ = parsed->text("field");
    names_ = {path_};
    if (parsed->text("field.syntax.version").ends_with('2')) {
      auto names = parse_field_path(path_);
      if (!names) return fail(std::move(names.error()));
      names_ = std::move(*names);
    }
    replace_null_ = parsed->boolean(kReplaceNull);
    return {};
  }

  Expected<bool> apply(ConnectRecord& record, Arena&) override {
    SchemaAndValue& at = operand(record, side_);
    Status status = at.schema == nullptr ? apply_schemaless(at) : apply_with_schema(at);
    if (!status) return fail(std::move(status.error()));
    return true;
  }

  void new_batch() override { plans_.new_batch(); }

 private:
  Status apply_schemaless(SchemaAndValue& at) const {
    std::string_view purpose = kPurpose;
    if (!is_null(at.value) && names_.empty()) return no_names();
    for (const std::string& name : names_) {
      if (is_null(at.value)) return {};
      if (auto status = require_map(at.value, purpose); !status) return status;
      const Value* value = find(at.value, name);
      at.value = value == nullptr ? null_value() : *value;
      purpose = kNested;
    }
    return {};
  }

  Status apply_with_schema(SchemaAndValue& at) {
    if (!is_null(at.value) && at.value.kind != MR_STRUCT) return require_struct(*at.schema, at.value, kPurpose);
    const auto plan = plans_.get(*at.schema, [this](const Schema& schema) { return make_plan(schema); });
    if (!plan) return fail(plan.error());
    std::string_view purpose = kPurpose;
    Value value = at.value;
    for (const ExtractPlan::Step& step : (*plan)->steps) {
      if (is_null(value)) break;
      if (auto status = require_struct(*step.parent, value, purpose); !status) return status;
      value = copied(step.copy, value);
      purpose = kNested;
    }
    at = {(*plan)->found.get(), value};
    return {};
  }

  Expected<ExtractPlan> make_plan(const Schema& schema) const {
    if (names_.empty()) return no_names();
    ExtractPlan plan;
    const Schema* parent = &schema;
    for (const std::string& name : names_) {
      if (parent->type() != Type::kStruct) return bad_record("Cannot look up fields on non-struct type");
      const auto index = parent->field_index(name);
      if (!index) return bad_record("Unknown field: " + path_, kIllegalArgument);
      const bool last = &name == &names_.back();
      plan.steps.push_back({parent, field_copy(*parent, *index, !last || replace_null_)});
      plan.found = parent->fields()[*index].schema;
      parent = plan.found.get();
    }
    return plan;
  }

  static tl::unexpected<Error> no_names() { return bad_record("The path of the field is empty", kIllegalArgument); }

  const Side side_;
  std::string path_;
  std::vector<std::string> names_;
  bool replace_null_ = true;
  PlanCache<ExtractPlan> plans_;
};

}  // namespace

TransformationPtr make_extract_field(Side side) { return std::make_unique<ExtractField>(side); }

const ConfigDef& extract_field_options() {
  static const ConfigDef def = make_options(
      {{.name = "field", .documentation = "Name of the field that becomes the key or value."},
       replace_null_key(),
       {.name = "field.syntax.version",
        .default_value = "V1",
        .importance = ConfigImportance::kHigh,
        .documentation =
            "V1: a name is that of a top-level field. V2: dots lead to nested fields; names that have dots "
            "themselves stand between back-ticks.",
        .validator = validators::one_of_ignoring_case({"V1", "V2"})}});
  return def;
}

}  // namespace millrace::smt
