#include <algorithm>

#include "transforms/kafka_transforms.h"
#include "transforms/options.h"
#include "transforms/plan_cache.h"
#include "transforms/struct_plan.h"

namespace millrace::smt {
namespace {

constexpr std::string_view kPurpose = "field replacement";

using Names = std::vector<std::string>;
using Renames = std::vector<std::pair<std::string, std::string>>;

Expected<Renames> parse_renames(const Names& mappings) {
  Renames renames;
  for (const std::string& mapping : mappings) {
    auto parts = java_split(mapping, ':');
    if (parts.size() != 2)
      return bad_config(invalid_config_value("renames", mappings, "Invalid rename mapping: " + mapping));
    std::erase_if(renames, [&](const auto& earlier) { return earlier.first == parts[0]; });
    renames.emplace_back(std::move(parts[0]), std::move(parts[1]));
  }
  return renames;
}

std::optional<std::string> check_renames(std::string_view, const ConfigValue& value) {
  const auto* mappings = std::get_if<Names>(&value);
  auto renames = parse_renames(mappings == nullptr ? Names() : *mappings);
  if (renames) return {};
  return std::move(renames.error().message);
}

/// Apache Kafka 3 still takes the names of old; the new ones win.
ConfigMap with_new_names(ConfigMap settings) {
  for (const auto& [old_name, name] : {std::pair("blacklist", "exclude"), std::pair("whitelist", "include")}) {
    if (const auto old = settings.find(old_name); old != settings.end()) settings.emplace(name, old->second);
  }
  return settings;
}

bool contains(const Names& names, std::string_view name) { return std::ranges::find(names, name) != names.end(); }

class ReplaceField final : public Transformation {
 public:
  explicit ReplaceField(Side side) : side_(side) {}

  Status configure(const ConfigMap& settings) override {
    auto parsed = replace_field_options().parse(with_new_names(settings));
    if (!parsed) return fail(std::move(parsed.error()));
    exclude_ = parsed->list("exclude");
    include_ = parsed->list("include");
    auto renames = parse_renames(parsed->list("renames"));
    if (!renames) return fail(std::move(renames.error()));
    renames_ = std::move(*renames);
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
  bool kept(std::string_view name) const {
    return !contains(exclude_, name) && (include_.empty() || contains(include_, name));
  }
  std::string_view renamed(std::string_view name) const {
    const auto found = std::ranges::find(renames_, name, &Renames::value_type::first);
    return found == renames_.end() ? name : std::string_view(found->second);
  }
  std::string_view original(std::string_view name) const {
    const auto found = std::ranges::find(renames_, name, &Renames::value_type::second);
    return found == renames_.end() ? name : std::string_view(found->first);
  }

  Status apply_schemaless(SchemaAndValue& at, Arena& arena) const {
    if (auto status = require_map(at.value, kPurpose); !status) return status;
    const auto items = items_of(at.value);
    MapEdit edit(items_value(MR_MAP, {}), items.size() / 2, arena);
    for (size_t i = 0; i + 1 < items.size(); i += 2) {
      const auto name = map_key(items[i]);
      if (!name) return fail(name.error());
      if (kept(*name)) edit.put(renamed(*name), items[i + 1]);
    }
    at.value = edit.get();
    return {};
  }

  Status apply_with_schema(SchemaAndValue& at, Arena& arena) {
    if (auto status = require_struct(*at.schema, at.value, kPurpose); !status) return status;
    const auto plan = plans_.get(*at.schema, [this](const Schema& schema) { return make_plan(schema); });
    if (!plan) return fail(plan.error());
    const size_t count = (*plan)->copies.size();
    auto* items = arena.allocate_array<Value>(count);
    if (auto status = copy_fields(**plan, at.value, items); !status) return status;
    at = {(*plan)->output.get(), items_value(MR_STRUCT, {items, count})};
    return {};
  }

  Expected<StructPlan> make_plan(const Schema& schema) const {
    StructPlan plan;
    FieldList fields;
    for (const Field& field : schema.fields()) {
      if (!kept(field.name)) continue;
      const std::string_view name = renamed(field.name);
      if (auto status = fields.add(name, field.schema); !status) return fail(std::move(status.error()));
      // Connect looks for the value by the new name, so that a field called like another one's new name is not found.
      const auto index = schema.field_index(original(name));
      if (!index) return bad_record(fmt::format("{} is not a valid field name", original(name)));
      plan.copies.push_back(field_copy(schema, *index, replace_null_));
    }
    SchemaParts parts = schema_basics(schema, Type::kStruct);
    parts.fields = fields.take();
    plan.output = make_schema(std::move(parts));
    return plan;
  }

  const Side side_;
  Names exclude_, include_;
  Renames renames_;
  bool replace_null_ = true;
  PlanCache<StructPlan> plans_;
};

}  // namespace

TransformationPtr make_replace_field(Side side) { return std::make_unique<ReplaceField>(side); }

const ConfigDef& replace_field_options() {
  static const ConfigDef def = make_options({{.name = "exclude",
                                              .type = ConfigType::kList,
                                              .default_value = "",
                                              .documentation = "Fields to leave out, even if include names them."},
                                             {.name = "include",
                                              .type = ConfigType::kList,
                                              .default_value = "",
                                              .documentation = "Fields to keep; when empty, all of them."},
                                             {.name = "renames",
                                              .type = ConfigType::kList,
                                              .default_value = "",
                                              .documentation = "New names, as old:new pairs.",
                                              .validator = check_renames},
                                             replace_null_key()});
  return def;
}

}  // namespace millrace::smt
