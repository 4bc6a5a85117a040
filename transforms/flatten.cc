#include "transforms/kafka_transforms.h"
#include "transforms/options.h"
#include "transforms/plan_cache.h"
#include "transforms/struct_plan.h"

namespace millrace::smt {
namespace {

constexpr std::string_view kPurpose = "flattening";

/// The fields in order, each struct followed by its own.
struct FlattenPlan {
  struct Step {
    FieldCopy copy;
    const Schema* nested = nullptr;  ///< of a struct; null for a field of the output
    uint32_t steps = 0, leaves = 0;  ///< of a struct: how many follow that belong to it
  };
  std::vector<Step> steps;
  SchemaPtr output;
};

/// Works out a FlattenPlan.
class Planner {
 public:
  explicit Planner(std::string_view delimiter) : delimiter_(delimiter) {}

  Expected<FlattenPlan> make(const Schema& schema) {
    if (auto status = require_fields(schema); !status) return fail(std::move(status.error()));
    auto status = add_struct(schema, "", schema.optional(), schema.default_value());
    if (!status) return fail(std::move(status.error()));
    SchemaParts parts = schema_basics(schema, Type::kStruct);
    parts.fields = fields_.take();
    plan_.output = make_schema(std::move(parts));
    return std::move(plan_);
  }

 private:
  Status add_struct(const Schema& schema, const std::string& prefix, bool optional, const Value* parent_default) {
    const bool inherits = parent_default != nullptr && parent_default->kind == MR_STRUCT &&
                          parent_default->size == schema.fields().size();
    for (size_t i = 0; i < schema.fields().size(); ++i) {
      const Field& field = schema.fields()[i];
      const Value* fallback = field.schema->default_value();
      if ((fallback == nullptr || is_null(*fallback)) && inherits) fallback = &parent_default->u.items[i];
      const std::string name = prefix.empty() ? field.name : prefix + std::string(delimiter_) + field.name;
      if (auto status = add_field(schema, i, name, optional || field.schema->optional(), fallback); !status)
        return status;
    }
    return {};
  }

  Status add_field(const Schema& parent, size_t index, const std::string& name, bool optional, const Value* fallback) {
    const Schema& schema = *parent.fields()[index].schema;
    if (schema.type() == Type::kMap) {
      return bad_record(
          fmt::format("Flatten transformation does not support MAP for record with schemas (for field {}).", name));
    }
    const size_t at = plan_.steps.size();
    // A struct's own default does not stand in for its null: Connect reads only the leaves with defaults.
    if (schema.type() == Type::kStruct) {
      plan_.steps.push_back({.copy = field_copy(parent, index, false), .nested = &schema});
      const uint32_t leaves = leaves_;
      if (auto status = add_struct(schema, name, optional, fallback); !status) return status;
      plan_.steps[at].steps = static_cast<uint32_t>(plan_.steps.size() - at - 1);
      plan_.steps[at].leaves = leaves_ - leaves;
      return {};
    }
    plan_.steps.push_back({.copy = field_copy(parent, index, true)});
    ++leaves_;
    SchemaParts parts = schema.parts();
    parts.optional = optional;
    parts.default_value.reset();
    if (fallback != nullptr && !is_null(*fallback)) parts.default_value = OwnedValue(*fallback);
    return fields_.add(name, make_schema(std::move(parts)));
  }

  std::string_view delimiter_;
  FlattenPlan plan_;
  FieldList fields_;
  uint32_t leaves_ = 0;
};

class Flatten final : public Transformation {
 public:
  explicit Flatten(Side side) : side_(side) {}

  Status configure(const ConfigMap& settings) override {
    auto parsed = flatten_options().parse(settings);
    if (!parsed) return fail(std::move(parsed.error()));
    delimiter_ = parsed->text("delimiter");
    return {};
  }

  Expected<bool> apply(ConnectRecord& record, Arena& arena) override {
    SchemaAndValue& at = operand(record, side_);
    if (is_null(at.value)) return true;
    Status status = at.schema == nullptr ? apply_schemaless(at, arena) : apply_with_schema(at, arena);
    if (!status) return fail(std::move(status.error()));
    return true;
  }

  void new_batch() override { plans_.new_batch(); }

 private:
  // ---- structs

  Status apply_with_schema(SchemaAndValue& at, Arena& arena) {
    if (auto status = require_struct(*at.schema, at.value, kPurpose); !status) return status;
    const auto plan = plans_.get(*at.schema, [this](const Schema& schema) { return Planner(delimiter_).make(schema); });
    if (!plan) return fail(plan.error());
    const Schema& output = *(*plan)->output;
    auto* items = arena.allocate_array<Value>(output.fields().size());
    Value* next = items;
    const auto* steps = (*plan)->steps.data();
    if (auto status = copy(steps, steps + (*plan)->steps.size(), at.value, output.fields().data(), next); !status)
      return status;
    at = {&output, items_value(MR_STRUCT, {items, output.fields().size()})};
    return {};
  }

  static Status copy(const FlattenPlan::Step* step, const FlattenPlan::Step* end, const Value& from,
                     const Field* fields, Value*& next) {
    Value* const first = next;
    for (; step != end; ++step) {
      const Value& value = copied(step->copy, from);
      if (step->nested == nullptr) {
        const Field& field = fields[next - first];
        if (is_null(value) && !field.schema->optional()) return null_in_required(field);
        *next++ = value;
        continue;
      }
      if (is_null(value)) {
        next = std::fill_n(next, step->leaves, null_value());
      } else {
        if (auto status = require_struct(*step->nested, value, kPurpose); !status) return status;
        const Field* nested_fields = fields + (next - first);
        if (auto status = copy(step + 1, step + 1 + step->steps, value, nested_fields, next); !status) return status;
      }
      step += step->steps;
    }
    return {};
  }

  // ---- maps

  Status apply_schemaless(SchemaAndValue& at, Arena& arena) {
    if (auto status = require_map(at.value, kPurpose); !status) return status;
    scratch_.clear();
    collisions_ = delimiter_.empty();
    if (auto status = append_map(at.value, "", arena); !status) return status;
    auto* items = arena.allocate_array<Value>(scratch_.size());
    std::copy(scratch_.begin(), scratch_.end(), items);
    at.value = items_value(MR_MAP, {items, scratch_.size()});
    return {};
  }

  Status append_map(const Value& map, std::string_view prefix, Arena& arena) {
    const auto items = items_of(map);
    for (size_t i = 0; i + 1 < items.size(); i += 2) {
      const auto name = map_key(items[i]);
      if (!name) return fail(name.error());
      // Only such names can meet: `a.b` and the b of a.
      collisions_ = collisions_ || name->empty() || name->find(delimiter_) != std::string_view::npos;
      const std::string_view full = prefix.empty() ? *name : joined(prefix, *name, arena);
      if (auto status = append_value(full, items[i + 1], arena); !status) return status;
    }
    return {};
  }

  Status append_value(std::string_view name, const Value& value, Arena& arena) {
    switch (value.kind) {
      case MR_MAP:
        return append_map(value, name, arena);
      case MR_DECIMAL:
      case MR_TIMESTAMP:
        return bad_record(fmt::format(
            "Flatten transformation was passed a value of type class {} which is not supported by Connect's data API",
            java_class_of(nullptr, value)));
      case MR_STRUCT:
        return bad_record(
            fmt::format("Flatten transformation does not support class {} for record without schemas (for field {}).",
                        java_class_of(nullptr, value), name));
      default:
        break;
    }
    for (size_t i = 0; collisions_ && i < scratch_.size(); i += 2) {
      if (bytes_of(scratch_[i]) != name) continue;
      scratch_[i + 1] = value;
      return {};
    }
    scratch_.push_back(string_value(name));
    scratch_.push_back(value);
    return {};
  }

  std::string_view joined(std::string_view prefix, std::string_view name, Arena& arena) const {
    const size_t size = prefix.size() + delimiter_.size() + name.size();
    auto* to = static_cast<char*>(arena.allocate(size, 1));
    char* at = std::copy(prefix.begin(), prefix.end(), to);
    at = std::copy(delimiter_.begin(), delimiter_.end(), at);
    std::copy(name.begin(), name.end(), at);
    return {to, size};
  }

  const Side side_;
  std::string delimiter_;
  PlanCache<FlattenPlan> plans_;
  std::vector<Value> scratch_;  // the entries of the map at hand; its room is kept from record to record
  bool collisions_ = false;
};

}  // namespace

TransformationPtr make_flatten(Side side) { return std::make_unique<Flatten>(side); }

const ConfigDef& flatten_options() {
  static const ConfigDef def = make_options(
      {{.name = "delimiter",
        .default_value = ".",
        .documentation = "What stands between the names of the levels in the name of a flattened field."}});
  return def;
}

}  // namespace millrace::smt
