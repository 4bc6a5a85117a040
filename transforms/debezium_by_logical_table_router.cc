// io.debezium.transforms.ByLogicalTableRouter: many physical tables into one topic.

#include <algorithm>

#include "transforms/debezium_config.h"
#include "transforms/debezium_java.h"
#include "transforms/debezium_name_adjuster.h"
#include "transforms/debezium_plans.h"
#include "transforms/debezium_records.h"
#include "transforms/debezium_transformations.h"
#include "transforms/java_regex.h"

namespace millrace::debezium {
namespace {

using T = ConfigType;
using I = ConfigImportance;
using W = ConfigWidth;

std::optional<std::string> check_replacement(const Settings& settings) {
  if (is_blank(settings.text_or_empty("key.field.regex")) || !is_blank(settings.text_or_empty("key.field.replacement")))
    return {};
  return "key.field.replacement must be non-empty if key.field.regex is set.";
}

const Options& options() {
  static const Options all({
      {.key = config_key("topic.regex", T::kString, nullptr, I::kLow, W::kLong, "Topic regex",
                         "Matches the topics to reroute, with groups for the replacement."),
       .required = true,
       .check = checks::regex("topic.regex")},
      {.key = config_key("topic.replacement", T::kString, nullptr, I::kLow, W::kLong, "Topic replacement",
                         "The new topic; $1 stands for a group of topic.regex."),
       .required = true},
      {.key = config_key("key.enforce.uniqueness", T::kBoolean, "true", I::kLow, W::kShort,
                         "Add source topic name into key",
                         "Whether keys get a field that tells the tables apart; off when their keys differ anyway.")},
      {.key = config_key("key.field.regex", T::kString, nullptr, I::kLow, W::kLong, "Key field regex",
                         "Takes the content of that field from the old topic; without it the whole name is used."),
       .check = checks::regex("key.field.regex")},
      {.key = config_key("key.field.name", T::kString, "__dbz__physicalTableIdentifier", I::kLow, W::kLong,
                         "Key field name", "The name of that field."),
       .checked = false},
      {.key = config_key("key.field.replacement", T::kString, nullptr, I::kLow, W::kLong, "Key field replacement",
                         "The content of that field; $1 stands for a group of key.field.regex."),
       .check = check_replacement},
      {.key = config_key("schema.name.adjustment.mode", T::kString, "none", I::kLow, W::kMedium,
                         "Schema Name Adjustment", "How schemas named after the topic are made fit for Avro."),
       .choices = name_adjustments()},
      {.key = config_key("logical.table.cache.size", T::kInt, "16", I::kLow, W::kLong, "Logical table cache size",
                         "How many topics' plans are kept.")},
  });
  return all;
}

/// A struct under another schema; its fields' nulls become their defaults.
struct StructPlan {
  SchemaPtr from, to;
  std::vector<uint32_t> required;  ///< of `from`'s fields
};
struct EnvelopePlan {
  StructPlan envelope, row;
  std::vector<uint32_t> rows;  ///< before and after
};

/// One new topic, shared by the old ones that lead to it.
struct Target {
  std::string topic;
  uint64_t batch = 0;  ///< for which its plans were last told of a new batch
  SchemaPlans<StructPlan> keys;
  SchemaPlans<EnvelopePlan> envelopes;
};
struct Route {
  std::shared_ptr<Target> target;  ///< null = the topic stays
  std::string table;               ///< what the key's new field holds
};

class ByLogicalTableRouter final : public Transformation {
 public:
  Status configure(const ConfigMap& given) override;
  Expected<bool> apply(ConnectRecord& record, Arena& arena) override;
  void new_batch() override;

 private:
  Expected<Route*> route_of(std::string_view topic);
  Status apply_key(ConnectRecord& record, Route& route, Arena& arena);
  Status apply_envelope(ConnectRecord& record, Target& target, Arena& arena);
  Expected<StructPlan> plan_key(const Schema& schema, const Target& target);
  Expected<EnvelopePlan> plan_envelope(const Schema& schema, const Target& target);
  /// Everything but name, default and fields.
  StructBuilder renamed(const Schema& schema, std::string_view name) const;

  std::optional<smt::JavaRegex> topic_regex_, key_regex_;
  std::string topic_replacement_, key_replacement_, key_field_;
  bool unique_keys_ = true;
  NameAdjustment adjustment_ = NameAdjustment::kNone;
  uint64_t batch_ = 0;
  SchemaPool pool_;
  PlanCache<Route> routes_;  // by old topic
  PlanCache<std::shared_ptr<Target>> targets_;
};

Status ByLogicalTableRouter::configure(const ConfigMap& given) {
  const Settings settings(options(), given);
  if (auto status = settings.check_quietly(); !status) return status;
  auto topic_regex = smt::JavaRegex::compile(settings.text_or_empty("topic.regex"));
  if (!topic_regex) return fail(std::move(topic_regex.error()));
  topic_regex_ = std::move(*topic_regex);
  topic_replacement_ = settings.text_or_empty("topic.replacement");
  const std::string key_regex = settings.text_or_empty("key.field.regex");
  if (!is_blank(key_regex)) {
    auto compiled = smt::JavaRegex::compile(key_regex);
    if (!compiled) return fail(std::move(compiled.error()));
    key_regex_ = std::move(*compiled);
    key_replacement_ = settings.text_or_empty("key.field.replacement");
  }
  key_field_ = settings.text_or_empty("key.field.name");
  unique_keys_ = settings.boolean("key.enforce.uniqueness");
  adjustment_ = static_cast<NameAdjustment>(settings.choice("schema.name.adjustment.mode"));
  const auto routes = static_cast<size_t>(std::max<int64_t>(settings.integer("logical.table.cache.size"), 1));
  routes_ = PlanCache<Route>(routes);
  targets_ = PlanCache<std::shared_ptr<Target>>(routes);
  return {};
}

void ByLogicalTableRouter::new_batch() {
  ++batch_;
  routes_.for_each([this](Route& route) {
    if (route.target == nullptr || route.target->batch == batch_) return;  // several routes share a target
    route.target->batch = batch_;
    route.target->keys.new_batch();
    route.target->envelopes.new_batch();
  });
  routes_.new_batch();
  targets_.new_batch();
  pool_.new_batch();
}

Expected<Route*> ByLogicalTableRouter::route_of(std::string_view topic) {
  if (Route* known = routes_.find(topic)) return known;
  if (!topic_regex_->matches(topic)) return routes_.add(topic, {});
  auto new_topic = topic_regex_->replace_first(topic, topic_replacement_);
  if (!new_topic) return fail(std::move(new_topic.error()));
  if (new_topic->empty()) return routes_.add(topic, {});
  Route route{nullptr, std::string(topic)};
  if (key_regex_ && key_regex_->matches(topic)) {
    auto table = key_regex_->replace_first(topic, key_replacement_);
    if (!table) return fail(std::move(table.error()));
    route.table = std::move(*table);
  }
  const auto* target = targets_.find(*new_topic);
  if (target == nullptr) {
    auto made = std::make_shared<Target>();
    made->topic = *new_topic;
    target = targets_.add(*new_topic, std::move(made));
  }
  route.target = *target;
  return routes_.add(topic, std::move(route));
}

Expected<bool> ByLogicalTableRouter::apply(ConnectRecord& record, Arena& arena) {
  const auto found = route_of(record.topic);
  if (!found) return fail(found.error());
  Route& route = **found;
  if (route.target == nullptr) return true;
  if (auto status = apply_key(record, route, arena); !status) return fail(std::move(status.error()));
  record.topic = route.target->topic;
  if (is_null(record.value.value) || !is_envelope(record.value.schema)) return true;
  if (auto status = apply_envelope(record, *route.target, arena); !status) return fail(std::move(status.error()));
  return true;
}

StructBuilder ByLogicalTableRouter::renamed(const Schema& schema, std::string_view name) const {
  StructBuilder builder(schema);
  builder.parts().optional = schema.optional();
  builder.parts().name = adjust_name(name, adjustment_, false);
  return builder;
}

Expected<StructPlan> ByLogicalTableRouter::plan_key(const Schema& schema, const Target& target) {
  StructBuilder builder = renamed(schema, target.topic + ".Key");
  if (auto status = builder.add_all(schema); !status) return fail(std::move(status.error()));
  if (unique_keys_) {
    if (auto status = builder.add(key_field_, plain_schema(Type::kString)); !status)
      return fail(std::move(status.error()));
  }
  return StructPlan{schema.shared_from_this(), builder.build(pool_), required_fields(schema)};
}

Expected<EnvelopePlan> ByLogicalTableRouter::plan_envelope(const Schema& schema, const Target& target) {
  const auto before = schema.field_index(kBefore);
  if (!before) return bad_record("The change event has no field before", kNullPointer);
  const Schema& row = *schema.fields()[*before].schema;
  if (row.type() != Type::kStruct) return bad_record("Cannot list fields on non-struct type");
  StructBuilder row_builder = renamed(row, target.topic + ".Value");
  if (auto status = row_builder.add_all(row); !status) return fail(std::move(status.error()));
  EnvelopePlan plan;
  plan.row = {row.shared_from_this(), row_builder.build(pool_), required_fields(row)};
  StructBuilder builder = renamed(schema, target.topic + ".Envelope");
  for (size_t i = 0; i < schema.fields().size(); ++i) {
    const Field& field = schema.fields()[i];
    const bool is_row = field.name == kBefore || field.name == kAfter;
    if (is_row) plan.rows.push_back(static_cast<uint32_t>(i));
    if (auto status = builder.add(field.name, is_row ? plan.row.to : field.schema); !status)
      return fail(std::move(status.error()));
  }
  plan.envelope = {schema.shared_from_this(), builder.build(pool_), required_fields(schema)};
  return plan;
}

/// Room for `extra` more items behind the struct's own.
Expected<Value*> copy_struct(const StructPlan& plan, const Value& from, size_t extra, Arena& arena) {
  const std::vector<Field>& fields = plan.from->fields();
  if (from.kind != MR_STRUCT || from.size != fields.size()) return bad_record("Struct schemas do not match.");
  Value* items = arena.allocate_array<Value>(fields.size() + extra);
  for (size_t i = 0; i < fields.size(); ++i) items[i] = value_or_default(fields[i], from.u.items[i]);
  if (auto status = check_required(*plan.from, plan.required, items); !status) return fail(std::move(status.error()));
  return items;
}

Status ByLogicalTableRouter::apply_key(ConnectRecord& record, Route& route, Arena& arena) {
  if (is_null(record.key.value)) {
    record.key.schema = nullptr;
    return {};
  }
  if (auto status = require_struct(record.key, "Updating schema"); !status) return status;
  const auto plan =
      route.target->keys.get(record.key.schema, [&](const Schema& schema) { return plan_key(schema, *route.target); });
  if (!plan) return fail(plan.error());
  auto items = copy_struct(**plan, record.key.value, 1, arena);
  if (!items) return fail(std::move(items.error()));
  const size_t size = (*plan)->from->fields().size();
  (*items)[size] = string_value(route.table);
  record.key = {(*plan)->to.get(), items_value(MR_STRUCT, {*items, size + (unique_keys_ ? 1 : 0)})};
  return {};
}

Status ByLogicalTableRouter::apply_envelope(ConnectRecord& record, Target& target, Arena& arena) {
  if (auto status = require_struct(record.value, "Updating schema"); !status) return status;
  const auto plan =
      target.envelopes.get(record.value.schema, [&](const Schema& schema) { return plan_envelope(schema, target); });
  if (!plan) return fail(plan.error());
  auto items = copy_struct((*plan)->envelope, record.value.value, 0, arena);
  if (!items) return fail(std::move(items.error()));
  for (const uint32_t index : (*plan)->rows) {
    Value& row = (*items)[index];
    if (is_null(row)) continue;
    auto fields = copy_struct((*plan)->row, row, 0, arena);
    if (!fields) return fail(std::move(fields.error()));
    row.u.items = *fields;
  }
  const size_t size = (*plan)->envelope.from->fields().size();
  record.value = {(*plan)->envelope.to.get(), items_value(MR_STRUCT, {*items, size})};
  return {};
}

}  // namespace

TransformationClass by_logical_table_router_class() {
  return {"io.debezium.transforms.ByLogicalTableRouter",
          []() -> std::unique_ptr<Transformation> { return std::make_unique<ByLogicalTableRouter>(); },
          []() -> const ConfigDef& { return options().table(); }};
}

}  // namespace millrace::debezium
