#include <map>

#include "core/java_text.h"
#include "transforms/cast_value.h"
#include "transforms/kafka_transforms.h"
#include "transforms/options.h"
#include "transforms/plan_cache.h"
#include "transforms/struct_plan.h"

namespace millrace::smt {
namespace {

constexpr std::string_view kPurpose = "cast types";

/// `field:type` each, or one type for the whole value.
struct CastSpec {
  std::map<std::string, Type, std::less<>> fields;
  std::optional<Type> whole;
};

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return result;
}

Expected<Type> parse_type(std::string_view word) {
  const std::string name = upper(word);
  for (int kind = MR_BOOLEAN; kind <= MR_STRUCT; ++kind) {
    const Type type = static_cast<Type>(kind);
    if (name != type_name(type)) continue;
    if (type <= Type::kString) return type;
    return bad_config(
        fmt::format("Cast transformation does not support casting to {}; supported types are [INT8, INT16, INT32, "
                    "INT64, FLOAT32, FLOAT64, BOOLEAN, STRING]",
                    name));
  }
  // Connect hands the parts of this message over in the wrong order; people search for it as it stands.
  return bad_config(fmt::format(
      "Invalid value java.lang.IllegalArgumentException: No enum constant "
      "org.apache.kafka.connect.data.Schema.Type.{} for configuration Invalid type found in casting spec: {}",
      name, word));
}

Expected<CastSpec> parse_spec(const std::vector<std::string>& mappings) {
  CastSpec spec;
  if (mappings.empty()) return bad_config("Must specify at least one field to cast.");
  for (const std::string& mapping : mappings) {
    const auto parts = java_split(mapping, ':');
    if (parts.size() > 2)
      return bad_config(invalid_config_value("renames", mappings, "Invalid rename mapping: " + mapping));
    const auto type = parse_type(parts.empty() ? "" : java_trim(parts.back()));
    if (!type) return fail(type.error());
    if (parts.size() == 1) {
      spec.whole = *type;
    } else {
      spec.fields[std::string(java_trim(parts[0]))] = *type;
    }
  }
  if (spec.whole && mappings.size() > 1) {
    return bad_config(
        "Cast transformations that specify a type to cast the entire value to may only specify a single cast in their "
        "spec");
  }
  return spec;
}

std::optional<std::string> check_spec(std::string_view, const ConfigValue& value) {
  const auto* mappings = std::get_if<std::vector<std::string>>(&value);
  auto spec = parse_spec(mappings == nullptr ? std::vector<std::string>() : *mappings);
  if (spec) return {};
  return std::move(spec.error().message);
}

struct CastPlan : StructPlan {
  struct Cast {
    size_t index;
    const Schema* from;
    Type to;
  };
  std::vector<Cast> casts;
};

class Cast final : public Transformation {
 public:
  explicit Cast(Side side) : side_(side) {}

  Status configure(const ConfigMap& settings) override {
    auto parsed = cast_options().parse(settings);
    if (!parsed) return fail(std::move(parsed.error()));
    auto spec = parse_spec(parsed->list("spec"));
    if (!spec) return fail(std::move(spec.error()));
    spec_ = std::move(*spec);
    replace_null_ = parsed->boolean(kReplaceNull);
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
  Status apply_schemaless(SchemaAndValue& at, Arena& arena) {
    if (spec_.whole) {
      auto value = cast_value(nullptr, at.value, *spec_.whole, arena, scratch_);
      if (!value) return fail(std::move(value.error()));
      at.value = *value;
      return {};
    }
    if (auto status = require_map(at.value, kPurpose); !status) return status;
    MapEdit edit(at.value, spec_.fields.size(), arena);
    for (const auto& [name, type] : spec_.fields) {
      const Value* from = find(at.value, name);
      auto value = cast_value(nullptr, from == nullptr ? null_value() : *from, type, arena, scratch_);
      if (!value) return fail(std::move(value.error()));
      edit.put(name, *value);
    }
    at.value = edit.get();
    return {};
  }

  Status apply_with_schema(SchemaAndValue& at, Arena& arena) {
    const auto plan = plans_.get(*at.schema, [this](const Schema& schema) { return make_plan(schema); });
    if (!plan) return fail(plan.error());
    const Schema& output = *(*plan)->output;
    if (spec_.whole) {
      auto value = cast_value(at.schema, at.value, *spec_.whole, arena, scratch_);
      if (!value) return fail(std::move(value.error()));
      at = {&output, *value};
      return {};
    }
    if (auto status = require_struct(*at.schema, at.value, kPurpose); !status) return status;
    auto* items = arena.allocate_array<Value>(output.fields().size());
    if (auto status = copy_fields(**plan, at.value, items); !status) return status;
    for (const CastPlan::Cast& cast : (*plan)->casts) {
      auto value = cast_value(cast.from, items[cast.index], cast.to, arena, scratch_);
      if (!value) return fail(std::move(value.error()));
      items[cast.index] = *value;
    }
    at = {&output, items_value(MR_STRUCT, {items, output.fields().size()})};
    return {};
  }

  Expected<CastPlan> make_plan(const Schema& schema) const {
    CastPlan plan;
    Arena arena;
    SchemaParts parts = schema_basics(schema, spec_.whole.value_or(Type::kStruct));
    if (!spec_.whole) {
      if (auto status = require_fields(schema); !status) return fail(std::move(status.error()));
      for (size_t i = 0; i < schema.fields().size(); ++i) {
        auto field = cast_field(schema.fields()[i], arena);
        if (!field) return fail(std::move(field.error()));
        if (field->schema != schema.fields()[i].schema)
          plan.casts.push_back({i, schema.fields()[i].schema.get(), field->schema->type()});
        parts.fields.push_back(std::move(*field));
        plan.copies.push_back(field_copy(schema, i, replace_null_));
      }
    }
    if (auto status = set_optional_and_default(parts, schema, arena); !status) return fail(std::move(status.error()));
    plan.output = make_schema(std::move(parts));
    return plan;
  }

  Expected<Field> cast_field(const Field& field, Arena& arena) const {
    const auto cast = spec_.fields.find(field.name);
    if (cast == spec_.fields.end()) return field;
    SchemaParts parts{.type = cast->second};
    if (auto status = set_optional_and_default(parts, *field.schema, arena); !status)
      return fail(std::move(status.error()));
    return Field{field.name, make_schema(std::move(parts))};
  }

  static Status set_optional_and_default(SchemaParts& parts, const Schema& from, Arena& arena) {
    parts.optional = from.optional();
    const Value* fallback = from.default_value();
    if (fallback == nullptr || is_null(*fallback)) return {};
    std::string scratch;
    auto value = cast_value(&from, *fallback, parts.type, arena, scratch);
    if (!value) return fail(std::move(value.error()));
    parts.default_value = OwnedValue(*value);
    return {};
  }

  const Side side_;
  CastSpec spec_;
  bool replace_null_ = true;
  std::string scratch_;
  PlanCache<CastPlan> plans_;
};

}  // namespace

TransformationPtr make_cast(Side side) { return std::make_unique<Cast>(side); }

const ConfigDef& cast_options() {
  static const ConfigDef def = make_options(
      {{.name = "spec",
        .type = ConfigType::kList,
        .importance = ConfigImportance::kHigh,
        .documentation = "What to cast, as field:type pairs, or one type for the whole key or value. Types are int8, "
                         "int16, int32, int64, float32, float64, boolean and string; bytes can only become strings.",
        .validator = check_spec},
       replace_null_key()});
  return def;
}

}  // namespace millrace::smt
