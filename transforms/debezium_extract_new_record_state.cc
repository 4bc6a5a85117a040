// io.debezium.transforms.ExtractNewRecordState: a change event becomes the row as it is now.

#include "transforms/debezium_config.h"
#include "transforms/debezium_drop_fields.h"
#include "transforms/debezium_java.h"
#include "transforms/debezium_plans.h"
#include "transforms/debezium_transformations.h"
#include "transforms/debezium_unwrap_plan.h"

namespace millrace::debezium {
namespace {

using Deletes = UnwrapOptions::Deletes;
using T = ConfigType;
using I = ConfigImportance;
using W = ConfigWidth;

const std::vector<std::string>& delete_modes() {  // in the order of Deletes
  static const std::vector<std::string> modes = {"drop", "tombstone", "rewrite", "rewrite-with-tombstone",
                                                 "delete-to-tombstone"};
  return modes;
}

const Options& options() {
  static const Options all({
      {.key = config_key("delete.tombstone.handling.mode", T::kString, "tombstone", I::kMedium, W::kMedium,
                         "Handle delete and tombstone records",
                         "What becomes of deletes and tombstones: drop both; tombstone leaves one null value a delete; "
                         "rewrite keeps the old row with __deleted=true; rewrite-with-tombstone does that and keeps "
                         "tombstones; delete-to-tombstone turns deletes into tombstones and drops those that follow."),
       .choices = delete_modes()},
      {.key = config_key("route.by.field", T::kString, "", I::kLow, W::kLong, "Route by field name",
                         "The field of the row whose value replaces the topic's name.")},
      {.key = config_key("add.fields.prefix", T::kString, "__", I::kLow, W::kShort,
                         "Field prefix to be added to each field.", "What the names of added fields begin with.")},
      {.key = config_key("add.fields", T::kList, "", I::kLow, W::kLong,
                         "Adds the specified field(s) to the message if they exist.",
                         "Fields of the change event to add to the row: op, table, source.ts_ms, table:alias.")},
      {.key = config_key("add.headers.prefix", T::kString, "__", I::kLow, W::kShort,
                         "Header prefix to be added to each header.", "What the names of added headers begin with.")},
      {.key = config_key("add.headers", T::kList, "", I::kLow, W::kLong,
                         "Adds the specified fields to the header if they exist.",
                         "Fields of the change event to add as headers, written as in add.fields.")},
      {.key = config_key("drop.fields.header.name", T::kString, nullptr, I::kLow, W::kShort,
                         "Specifies a header that contains a list of field names to be removed",
                         "The header that lists fields to leave out of the row.")},
      {.key = config_key("drop.fields.from.key", T::kBoolean, "false", I::kLow, W::kShort,
                         "Specifies whether the fields to be dropped should also be omitted from the key",
                         "Whether they are left out of the key too.")},
      {.key = config_key("drop.fields.keep.schema.compatible", T::kBoolean, "true", I::kLow, W::kShort,
                         "Specifies if fields are dropped, will the event's schemas be compatible",
                         "Whether only optional fields are left out.")},
      {.key = config_key("replace.null.with.default", T::kBoolean, "true", I::kLow, W::kShort,
                         "replace null field value with default",
                         "Whether nulls become the default of their field, in the rewrite modes."),
       .checked = false},
  });
  return all;
}

class ExtractNewRecordState final : public Transformation {
 public:
  Status configure(const ConfigMap& settings) override;
  Expected<bool> apply(ConnectRecord& record, Arena& arena) override;
  void new_batch() override {
    plans_.new_batch();
    value_dropper_.new_batch();
    key_dropper_.new_batch();
    pool_.new_batch();
  }

 private:
  Expected<bool> apply_delete(ConnectRecord& record, UnwrapPlan& plan, Arena& arena);
  Expected<bool> apply_row(ConnectRecord& record, UnwrapPlan& plan, Arena& arena);
  Status route(ConnectRecord& record, UnwrapPlan& plan, const Schema& schema, const Value& row) const;
  Status drop_fields(ConnectRecord& record, size_t candidates, Arena& arena);
  Status ensure(std::optional<RowPlan>& planned, UnwrapPlan& plan, uint32_t row);

  UnwrapOptions options_;
  std::string drop_header_;
  bool drop_from_key_ = false;
  FieldDropper value_dropper_, key_dropper_;
  SchemaPool pool_;
  SchemaPlans<UnwrapPlan> plans_;
  const SchemaPtr op_header_schema_ = plain_schema(Type::kString);
};

Status ExtractNewRecordState::configure(const ConfigMap& given) {
  const Settings settings(options(), given);
  if (auto status = settings.check_quietly(); !status) return status;
  for (auto [list, name, prefix] : {std::tuple{&options_.fields, "add.fields", "add.fields.prefix"},
                                    std::tuple{&options_.headers, "add.headers", "add.headers.prefix"}}) {
    auto references = parse_field_references(settings.text_or_empty(name), settings.text_or_empty(prefix));
    if (!references) return fail(std::move(references.error()));
    *list = std::move(*references);
  }
  options_.deletes = static_cast<Deletes>(settings.choice("delete.tombstone.handling.mode"));
  options_.route_by_field = settings.text_or_empty("route.by.field");
  options_.replace_null_with_default = settings.boolean("replace.null.with.default");
  drop_header_ = settings.text_or_empty("drop.fields.header.name");
  if (is_blank(drop_header_)) drop_header_.clear();
  drop_from_key_ = settings.boolean("drop.fields.from.key");
  value_dropper_ = FieldDropper(settings.boolean("drop.fields.keep.schema.compatible"));
  key_dropper_ = FieldDropper(settings.boolean("drop.fields.keep.schema.compatible"));
  return {};
}

Expected<bool> ExtractNewRecordState::apply(ConnectRecord& record, Arena& arena) {
  if (is_null(record.value.value)) {
    for (const FieldReference& header : options_.headers) {
      if (header.field == kOp) record.headers.push_back({header.new_name, op_header_schema_.get(), string_value("d")});
    }
    return options_.deletes == Deletes::kRewriteWithTombstone;
  }
  if (!is_envelope(record.value.schema)) return true;
  if (auto status = require_struct(record.value, "field extraction"); !status) return fail(std::move(status.error()));
  const auto planned =
      plans_.get(record.value.schema, [&](const Schema& schema) { return plan_unwrap(options_, schema); });
  if (!planned) return fail(planned.error());
  UnwrapPlan& plan = **planned;

  const Value envelope = record.value.value;
  for (const AddedField& header : plan.headers)
    record.headers.push_back({header.new_name, header.schema.get(), header.value_in(envelope)});
  if (!is_null(envelope.u.items[plan.after])) return apply_row(record, plan, arena);
  if (!plan.before) return fail(extracted_field(*plan.envelope, kBefore).error());
  if (is_null(envelope.u.items[*plan.before])) return false;  // TRUNCATE
  return apply_delete(record, plan, arena);
}

Status ExtractNewRecordState::ensure(std::optional<RowPlan>& planned, UnwrapPlan& plan, uint32_t row) {
  if (planned) return {};
  auto made = plan_row(options_, plan, row, pool_);
  if (!made) return fail(std::move(made.error()));
  planned = std::move(*made);
  return {};
}

/// The topic from a field of the row; one that is null or blank leaves it.
Status ExtractNewRecordState::route(ConnectRecord& record, UnwrapPlan& plan, const Schema& schema,
                                    const Value& row) const {
  if (options_.route_by_field.empty()) return {};
  uint32_t index = plan.route.value_or(0);
  if (!plan.route) {
    const auto found = field_of(schema, options_.route_by_field, Type::kString);
    if (!found) return fail(found.error());
    index = static_cast<uint32_t>(*found);
    // Rows of before and after have the same schema in all events of Debezium's; only then one index holds for both.
    const std::vector<Field>& fields = plan.envelope->fields();
    if (!plan.before || same_schema(fields[plan.after].schema.get(), fields[*plan.before].schema.get()))
      plan.route = index;
  }
  const Value& topic = row.u.items[index];
  if (!is_null(topic) && !is_blank(bytes_of(topic))) record.topic = bytes_of(topic);
  return {};
}

Status ExtractNewRecordState::drop_fields(ConnectRecord& record, size_t candidates, Arena& arena) {
  if (drop_header_.empty()) return {};
  for (const ConnectHeader& header : record.headers) {
    if (header.key != drop_header_) continue;
    if (is_null(header.value)) return {};
    if (header.value.kind != MR_ARRAY)
      return bad_record("The header " + drop_header_ + " is no list of field names", "java.lang.ClassCastException");
    const auto names = items_of(header.value);
    if (names.empty()) return {};
    if (drop_from_key_) {
      if (auto status = key_dropper_.drop(record.key, names, SIZE_MAX, pool_, arena); !status) return status;
    }
    return value_dropper_.drop(record.value, names, candidates, pool_, arena);
  }
  return {};
}

Expected<bool> ExtractNewRecordState::apply_row(ConnectRecord& record, UnwrapPlan& plan, Arena& arena) {
  const Value envelope = record.value.value;
  const Schema& row_schema = *plan.envelope->fields()[plan.after].schema;
  const Value& row = envelope.u.items[plan.after];
  if (auto status = require_struct({&row_schema, row}, "source field insertion"); !status)
    return fail(std::move(status.error()));
  if (!options_.rewrites()) {
    if (auto status = route(record, plan, row_schema, row); !status) return fail(std::move(status.error()));
  }
  if (auto status = ensure(plan.new_row, plan, plan.after); !status) return fail(std::move(status.error()));
  auto result = run_row(options_, plan, *plan.new_row, envelope, row, arena);
  if (!result) return fail(std::move(result.error()));
  record.value = *result;
  if (options_.rewrites()) {  // by the row with its defaults
    if (auto status = route(record, plan, row_schema, record.value.value); !status)
      return fail(std::move(status.error()));
  }
  if (auto status = drop_fields(record, SIZE_MAX, arena); !status) return fail(std::move(status.error()));
  return true;
}

Expected<bool> ExtractNewRecordState::apply_delete(ConnectRecord& record, UnwrapPlan& plan, Arena& arena) {
  const Value envelope = record.value.value;
  const Schema& row_schema = *plan.envelope->fields()[*plan.before].schema;
  const Value& row = envelope.u.items[*plan.before];
  if (options_.deletes == Deletes::kDrop) return false;
  if (options_.rewrites()) {
    if (auto status = require_struct({&row_schema, row}, "source field insertion"); !status)
      return fail(std::move(status.error()));
    if (auto status = ensure(plan.old_row, plan, *plan.before); !status) return fail(std::move(status.error()));
    auto result = run_row(options_, plan, *plan.old_row, envelope, row, arena);
    if (!result) return fail(std::move(result.error()));
    record.value = *result;
  } else if (options_.deletes == Deletes::kTombstone) {
    record.value = {plan.envelope->fields()[plan.after].schema.get(), null_value()};
  } else {
    record.value = {};
  }
  if (auto status = route(record, plan, row_schema, row); !status) return fail(std::move(status.error()));
  // What was added comes after the fields of the row and __deleted, and stays.
  if (auto status = drop_fields(record, row_schema.fields().size() + 1, arena); !status)
    return fail(std::move(status.error()));
  return true;
}

}  // namespace

TransformationClass extract_new_record_state_class() {
  return {"io.debezium.transforms.ExtractNewRecordState",
          []() -> std::unique_ptr<Transformation> { return std::make_unique<ExtractNewRecordState>(); },
          []() -> const ConfigDef& { return options().table(); }};
}

}  // namespace millrace::debezium
