#include "core/java_text.h"
#include "transforms/kafka_transforms.h"
#include "transforms/options.h"
#include "transforms/plan_cache.h"
#include "transforms/struct_plan.h"
#include "transforms/timestamp_value.h"

namespace millrace::smt {
namespace {

constexpr std::string_view kPurpose = "converting timestamp formats";

struct TimestampPlan : StructPlan {
  struct Converted {
    size_t index;
    const Schema* schema;
  };
  std::optional<Converted> field;
};

TimestampForm form_named(std::string_view name) {
  if (name == "string") return TimestampForm::kString;
  if (name == "unix") return TimestampForm::kUnix;
  if (name == "Date") return TimestampForm::kDate;
  return name == "Time" ? TimestampForm::kTime : TimestampForm::kTimestamp;
}

int64_t per_second(std::string_view precision) {
  if (precision == "seconds") return 1;
  if (precision == "milliseconds") return 1000;
  return precision == "microseconds" ? 1'000'000 : 1'000'000'000;
}

class TimestampConverter final : public Transformation {
 public:
  explicit TimestampConverter(Side side) : side_(side) {}

  Status configure(const ConfigMap& settings) override {
    auto parsed = timestamp_converter_options().parse(settings);
    if (!parsed) return fail(std::move(parsed.error()));
    field_ = parsed->text("field");
    target_.form = form_named(parsed->text("target.type"));
    target_.unix_per_second = per_second(parsed->text("unix.precision"));
    replace_null_ = parsed->boolean(kReplaceNull);
    return set_format(parsed->text("format"));
  }

  Expected<bool> apply(ConnectRecord& record, Arena& arena) override {
    SchemaAndValue& at = operand(record, side_);
    Status status = at.schema == nullptr ? apply_schemaless(at, arena)
                    : field_.empty()     ? apply_whole(at, arena)
                                         : apply_field(at, arena);
    if (!status) return fail(std::move(status.error()));
    return true;
  }

  void new_batch() override { plans_.new_batch(); }

 private:
  Status set_format(const std::string& pattern) {
    if (java_trim(pattern).empty()) {
      if (target_.form != TimestampForm::kString) return {};
      return bad_config("TimestampConverter requires format option to be specified when using string timestamps");
    }
    auto format = JavaDateFormat::create(pattern);
    if (!format) {
      // Connect hands the parts of this message over in the wrong order; people search for it as it stands.
      return bad_config(
          fmt::format("Invalid value java.lang.IllegalArgumentException: {} for configuration TimestampConverter "
                      "requires a SimpleDateFormat-compatible pattern for string timestamps: {}",
                      format.error().message, pattern));
    }
    target_.format = std::move(*format);
    return {};
  }

  Status apply_schemaless(SchemaAndValue& at, Arena& arena) {
    const bool whole = is_null(at.value) || field_.empty();
    if (!whole) {
      if (auto status = require_map(at.value, kPurpose); !status) return status;
    }
    const Value* from = whole ? &at.value : find(at.value, field_);
    auto value = convert_timestamp(target_, from == nullptr ? null_value() : *from, arena);
    if (!value) return fail(std::move(value.error()));
    if (whole) {
      at.value = *value;
      return {};
    }
    MapEdit edit(at.value, 1, arena);
    edit.put(field_, *value);
    at.value = edit.get();
    return {};
  }

  Status apply_whole(SchemaAndValue& at, Arena& arena) {
    const auto from = timestamp_form(*at.schema);
    if (!from) return fail(from.error());
    auto value = convert_timestamp(target_, *at.schema, *from, at.value, arena);
    if (!value) return fail(std::move(value.error()));
    at = {whole_schema(at.schema->optional()), *value};
    return {};
  }

  const Schema* whole_schema(bool optional) {
    SchemaPtr& schema = whole_schemas_[optional ? 1 : 0];
    if (schema == nullptr) schema = timestamp_form_schema(target_.form, optional);
    return schema.get();
  }

  Status apply_field(SchemaAndValue& at, Arena& arena) {
    if (!is_null(at.value)) {
      if (auto status = require_struct(*at.schema, at.value, kPurpose); !status) return status;
    }
    const auto plan = plans_.get(*at.schema, [this](const Schema& schema) { return make_plan(schema); });
    if (!plan) return fail(plan.error());
    if (!is_null(at.value)) {
      auto value = converted(**plan, at.value, arena);
      if (!value) return fail(std::move(value.error()));
      at.value = *value;
    }
    at.schema = (*plan)->output.get();
    return {};
  }

  Expected<Value> converted(const TimestampPlan& plan, const Value& from, Arena& arena) {
    auto* items = arena.allocate_array<Value>(plan.copies.size());
    if (auto status = copy_fields(plan, from, items); !status) return fail(std::move(status.error()));
    if (plan.field) {
      const auto form = timestamp_form(*plan.field->schema);
      if (!form) return fail(form.error());
      auto value = convert_timestamp(target_, *plan.field->schema, *form, items[plan.field->index], arena);
      if (!value) return value;
      items[plan.field->index] = *value;
    }
    return items_value(MR_STRUCT, {items, plan.copies.size()});
  }

  Expected<TimestampPlan> make_plan(const Schema& schema) {
    if (auto status = require_fields(schema); !status) return fail(std::move(status.error()));
    TimestampPlan plan;
    SchemaParts parts = schema_basics(schema, Type::kStruct);
    parts.optional = schema.optional();
    parts.fields = schema.fields();
    for (size_t i = 0; i < parts.fields.size(); ++i) {
      plan.copies.push_back(field_copy(schema, i, replace_null_));
      if (parts.fields[i].name != field_) continue;
      plan.field = {i, schema.fields()[i].schema.get()};
      parts.fields[i].schema = timestamp_form_schema(target_.form, parts.fields[i].schema->optional());
    }
    plan.output = make_schema(parts);
    const Value* fallback = schema.default_value();
    if (fallback == nullptr || is_null(*fallback)) return plan;
    Arena arena;
    auto value = converted(plan, *fallback, arena);
    if (!value) return fail(std::move(value.error()));
    parts.default_value = OwnedValue(*value);
    plan.output = make_schema(std::move(parts));
    return plan;
  }

  const Side side_;
  std::string field_;
  TimestampTarget target_;
  bool replace_null_ = true;
  SchemaPtr whole_schemas_[2];  // required, optional
  PlanCache<TimestampPlan> plans_;
};

}  // namespace

TransformationPtr make_timestamp_converter(Side side) { return std::make_unique<TimestampConverter>(side); }

const ConfigDef& timestamp_converter_options() {
  static const ConfigDef def = make_options(
      {{.name = "field",
        .default_value = "",
        .importance = ConfigImportance::kHigh,
        .documentation = "The field with the timestamp; empty when the whole key or value is one."},
       {.name = "target.type",
        .importance = ConfigImportance::kHigh,
        .documentation = "The form to convert to: string, unix (a number), Date, Time or Timestamp.",
        .validator = validators::one_of({"string", "unix", "Date", "Time", "Timestamp"})},
       {.name = "format",
        .default_value = "",
        .documentation = "How strings are written and read, in the letters of java.text.SimpleDateFormat; in UTC."},
       {.name = "unix.precision",
        .default_value = "milliseconds",
        .importance = ConfigImportance::kLow,
        .documentation = "Unit of numbers, read or written. Parts of milliseconds are lost.",
        .validator = validators::one_of({"nanoseconds", "microseconds", "milliseconds", "seconds"})},
       replace_null_key()});
  return def;
}

}  // namespace millrace::smt
