#include <algorithm>
#include <array>

#include "converters/json_text.h"
#include "core/java_text.h"
#include "transforms/big_decimal.h"
#include "transforms/kafka_transforms.h"
#include "transforms/options.h"
#include "transforms/plan_cache.h"
#include "transforms/struct_plan.h"

namespace millrace::smt {
namespace {

constexpr std::string_view kPurpose = "mask fields";

struct MaskPlan : StructPlan {
  std::vector<uint32_t> masked;
};

class MaskField final : public Transformation {
 public:
  explicit MaskField(Side side) : side_(side) {}

  Status configure(const ConfigMap& settings) override {
    auto parsed = mask_field_options().parse(settings);
    if (!parsed) return fail(std::move(parsed.error()));
    for (const std::string& name : parsed->list("fields")) {
      if (std::ranges::find(fields_, name) == fields_.end()) fields_.push_back(name);
    }
    replace_null_ = parsed->boolean(kReplaceNull);
    custom_ = !parsed->is_null("replacement");
    replacement_ = parsed->text("replacement");
    if (custom_) {
      set_replacements();
    } else {
      set_zeros();
    }
    return {};
  }

  Expected<bool> apply(ConnectRecord& record, Arena& arena) override {
    SchemaAndValue& at = operand(record, side_);
    Status status = at.schema == nullptr ? apply_schemaless(at, arena) : apply_with_schema(at, arena);
    if (!status) return fail(std::move(status.error()));
    return true;
  }

  void new_batch() override { plans_.new_batch(); }

 private:
  void set_zeros() {
    for (const mr_kind kind : {MR_BOOLEAN, MR_INT8, MR_INT16, MR_INT32, MR_INT64, MR_TIMESTAMP})
      masks_[kind] = scalar(kind, 0);
    for (const mr_kind kind : {MR_FLOAT32, MR_FLOAT64}) masks_[kind] = floating(kind, 0);
    masks_[MR_STRING] = string_value("");
    masks_[MR_DECIMAL] = bytes_value(MR_DECIMAL, std::string_view("\0", 1));
    for (const mr_kind kind : {MR_ARRAY, MR_MAP}) masks_[kind] = items_value(kind, {});
  }

  /// What is no number has no mask for numbers; a record that needs one fails.
  void set_replacements() {
    masks_[MR_STRING] = string_value(replacement_);
    const auto number = parse_big_decimal(replacement_);
    if (!number) return;
    const int64_t whole = long_value(*number);
    masks_[MR_INT8] = scalar(MR_INT8, static_cast<int8_t>(whole));
    masks_[MR_INT16] = scalar(MR_INT16, static_cast<int16_t>(whole));
    masks_[MR_INT32] = scalar(MR_INT32, static_cast<int32_t>(whole));
    masks_[MR_INT64] = int64_value(whole);
    const double floated = parse_java_double(replacement_).value_or(0);
    masks_[MR_FLOAT32] = floating(MR_FLOAT32, static_cast<double>(static_cast<float>(floated)));
    masks_[MR_FLOAT64] = floating(MR_FLOAT64, floated);
    if (number->scale == static_cast<int16_t>(number->scale)) {
      masks_[MR_DECIMAL] = bytes_value(MR_DECIMAL, unscaled_of(number->digits, number->negative, arena_),
                                       static_cast<int16_t>(number->scale));
    }
  }

  Expected<Value> masked(const Schema* schema, const Value& value) const {
    if (is_null(value)) return value;
    const std::string_view java = java_class_of(schema, value);
    const bool moment = java == "java.util.Date";
    if (!is_null(masks_[value.kind]) && !(custom_ && moment)) return masks_[value.kind];
    if (!custom_) return bad_record(fmt::format("Cannot mask value of type: class {}", java));
    const bool number = value.kind >= MR_INT8 && value.kind <= MR_FLOAT64;
    if (moment || (!number && value.kind != MR_DECIMAL))
      return bad_record(fmt::format("Cannot mask value of type class {} with custom replacement.", java));
    Error error{
        ErrorCode::kBadRecord,
        fmt::format("Unable to convert {} (class java.lang.String) to {}number", replacement_, number ? "a " : ""),
        {},
        {},
        {}};
    error.cause.push_back({ErrorCode::kBadRecord, "not a number", "java.lang.NumberFormatException", {}, {}});
    return fail(std::move(error));
  }

  Status apply_schemaless(SchemaAndValue& at, Arena& arena) const {
    if (auto status = require_map(at.value, kPurpose); !status) return status;
    MapEdit edit(at.value, fields_.size(), arena);
    for (const std::string& name : fields_) {
      const Value* from = find(at.value, name);
      auto value = masked(nullptr, from == nullptr ? null_value() : *from);
      if (!value) return fail(std::move(value.error()));
      edit.put(name, *value);
    }
    at.value = edit.get();
    return {};
  }

  Status apply_with_schema(SchemaAndValue& at, Arena& arena) {
    if (auto status = require_struct(*at.schema, at.value, kPurpose); !status) return status;
    const auto plan = plans_.get(*at.schema, [this](const Schema& schema) { return make_plan(schema); });
    if (!plan) return fail(plan.error());
    auto* items = arena.allocate_array<Value>(at.value.size);
    if (auto status = copy_fields(**plan, at.value, items); !status) return status;
    for (const uint32_t index : (*plan)->masked) {
      auto value = masked(at.schema->fields()[index].schema.get(), items[index]);
      if (!value) return fail(std::move(value.error()));
      items[index] = *value;
    }
    at.value = items_value(MR_STRUCT, {items, at.value.size});
    return {};
  }

  Expected<MaskPlan> make_plan(const Schema& schema) const {
    MaskPlan plan;
    plan.output = schema.shared_from_this();
    for (size_t i = 0; i < schema.fields().size(); ++i) {
      plan.copies.push_back(field_copy(schema, i, replace_null_));
      if (std::ranges::find(fields_, schema.fields()[i].name) != fields_.end())
        plan.masked.push_back(static_cast<uint32_t>(i));
    }
    return plan;
  }

  const Side side_;
  std::vector<std::string> fields_;
  bool custom_ = false, replace_null_ = true;
  std::string replacement_;
  Arena arena_;
  std::array<Value, MR_TIMESTAMP + 1> masks_{};  // by kind; null = cannot be masked
  PlanCache<MaskPlan> plans_;
};

}  // namespace

TransformationPtr make_mask_field(Side side) { return std::make_unique<MaskField>(side); }

const ConfigDef& mask_field_options() {
  static const ConfigDef def = make_options(
      {{.name = "fields",
        .type = ConfigType::kList,
        .importance = ConfigImportance::kHigh,
        .documentation = "Names of the fields to mask.",
        .validator = non_empty_list()},
       {.name = "replacement",
        .default_value = nullptr,
        .importance = ConfigImportance::kLow,
        .documentation = "What stands in the fields instead of their type's zero; for numbers and strings only.",
        .validator = validators::non_empty_string()},
       replace_null_key()});
  return def;
}

}  // namespace millrace::smt
