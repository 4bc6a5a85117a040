// io.debezium.transforms.outbox.EventRouter: rows of an outbox table become the events that they hold.

#include <algorithm>

#include "core/java_text.h"
#include "transforms/debezium_java.h"
#include "transforms/debezium_json_expander.h"
#include "transforms/debezium_outbox_options.h"
#include "transforms/debezium_plans.h"
#include "transforms/debezium_records.h"
#include "transforms/debezium_transformations.h"
#include "transforms/java_regex.h"

namespace millrace::debezium {
namespace {

using Placement = OutboxOptions::Placement;

/// The columns of an outbox table's schema.
struct Plan {
  struct Additional {
    Placement placement = Placement::kUnknown;
    std::string_view alias;
    std::optional<uint32_t> field;
  };

  SchemaPtr envelope;
  const Schema* row = nullptr;
  uint32_t op = 0, after = 0;
  std::optional<uint32_t> read_at;  ///< the envelope's ts_ms
  uint32_t payload = 0, id = 0, key = 0, route = 0;
  std::optional<uint32_t> timestamp, version;
  std::vector<Additional> additional;
  std::optional<Error> broken;  ///< why inserts cannot be routed; other events are dropped all the same

  const Value& get(const Value& from, uint32_t field) const {
    return value_or_default(row->fields()[field], from.u.items[field]);
  }
};

/// The schema of values that keep more than the payload.
struct ValuePlan {
  SchemaPtr row, payload, value;
};

class EventRouter final : public Transformation {
 public:
  Status configure(const ConfigMap& settings) override;
  Expected<bool> apply(ConnectRecord& record, Arena& arena) override;
  void new_batch() override {
    plans_.new_batch();
    values_.new_batch();
    topics_.new_batch();
    pool_.new_batch();
  }

 private:
  Expected<Plan> make_plan(const Schema& envelope) const;
  Status plan_columns(Plan& plan) const;
  Expected<std::optional<int64_t>> timestamp_of(const Plan& plan, const Value& envelope, const Value& row) const;
  Expected<std::string_view> topic_of(const Value& route);
  Status add_fields(ConnectRecord& record, const Plan& plan, const Value& row, Value* items);
  Expected<SchemaPtr> value_schema(const Plan& plan, const Value& row, const Schema* payload);
  Expected<SchemaPtr> make_value_schema(const Plan& plan, const Value& row, const Schema* payload);

  OutboxOptions options_;
  bool payload_alone_ = true;
  std::optional<smt::JavaRegex> topic_regex_;
  SchemaPool pool_;
  std::optional<JsonExpander> expander_;
  SchemaPlans<Plan> plans_;
  PlanCache<ValuePlan> values_;
  PlanCache<std::string> topics_;  // by the value of the routing column
  std::string key_;
};

Status EventRouter::configure(const ConfigMap& settings) {
  auto options = OutboxOptions::create(settings);
  if (!options) return fail(std::move(options.error()));
  options_ = std::move(*options);
  auto regex = smt::JavaRegex::compile(options_.topic_regex);
  if (!regex) return fail(std::move(regex.error()));
  topic_regex_ = std::move(*regex);
  payload_alone_ = std::ranges::none_of(options_.additional, [](const OutboxOptions::Additional& additional) {
    return additional.placement == Placement::kEnvelope;
  });
  if (options_.expand_json) expander_.emplace(options_.null_as_bytes, options_.names, pool_);
  return {};
}

Expected<Plan> EventRouter::make_plan(const Schema& envelope) const {
  Plan plan;
  plan.envelope = envelope.shared_from_this();
  const auto op = field_of(envelope, kOp, Type::kString);
  if (!op) return fail(op.error());
  const auto after = extracted_field(envelope, kAfter);
  if (!after) return fail(after.error());
  plan.op = static_cast<uint32_t>(*op);
  plan.after = static_cast<uint32_t>(*after);
  if (const auto at = field_of(envelope, "ts_ms", Type::kInt64)) plan.read_at = static_cast<uint32_t>(*at);
  plan.row = envelope.fields()[*after].schema.get();
  if (plan.row->type() == Type::kStruct) {
    if (auto status = plan_columns(plan); !status) plan.broken = std::move(status.error());
  }
  return plan;
}

Status EventRouter::plan_columns(Plan& plan) const {
  const Schema& row = *plan.row;
  if (!row.field_index(options_.payload))
    return bad_record("Unable to find payload field " + options_.payload + " in event", kConnect);
  if (!options_.timestamp.empty() && !row.field_index(options_.timestamp))
    return bad_record("Unable to find timestamp field " + options_.timestamp + " in event", kConnect);
  std::optional<Error> error;
  const auto find = [&](const std::string& name, std::optional<Type> type) {
    const auto index = type ? field_of(row, name, *type) : field_of(row, name);
    if (!index && !error) error = index.error();
    return static_cast<uint32_t>(index.value_or(0));
  };
  if (!options_.timestamp.empty()) plan.timestamp = find(options_.timestamp, Type::kInt64);
  plan.id = find(options_.id, {});
  plan.payload = find(options_.payload, {});
  if (!options_.version.empty()) plan.version = find(options_.version, Type::kInt32);
  plan.route = find(options_.route_by, Type::kString);
  plan.key = find(options_.key, {});
  for (const OutboxOptions::Additional& wanted : options_.additional) {
    if (!row.field_index(wanted.field)) {
      if (wanted.placement == Placement::kEnvelope)
        return bad_record("The outbox table has no column " + wanted.field, kNullPointer);
      if (!options_.missing_is_error) continue;
    }
    if (wanted.placement == Placement::kUnknown)
      return bad_record("A column is placed in header, envelope or partition, which " + wanted.field + " is not",
                        kNullPointer);
    const bool number = wanted.placement == Placement::kPartition;
    plan.additional.push_back(
        {wanted.placement, wanted.alias, find(wanted.field, number ? std::optional(Type::kInt32) : std::nullopt)});
  }
  if (error) return fail(std::move(*error));
  return {};
}

Expected<bool> EventRouter::apply(ConnectRecord& record, Arena& arena) {
  if (is_null(record.value.value)) return false;
  if (!is_envelope(record.value.schema)) return true;
  if (auto status = require_struct(record.value, "Detect Debezium Operation"); !status)
    return fail(std::move(status.error()));
  const auto planned = plans_.get(record.value.schema, [this](const Schema& schema) { return make_plan(schema); });
  if (!planned) return fail(planned.error());
  const Plan& plan = **planned;
  const Value envelope = record.value.value;
  const Value& op = envelope.u.items[plan.op];
  if (is_null(op)) return bad_record("The change event has no operation", kNullPointer);
  if (bytes_of(op) == "d") return false;
  if (bytes_of(op) == "u") {
    if (options_.unexpected != OutboxOptions::Unexpected::kFatal) return false;
    std::string message = "Unexpected update message received ";
    append_java_text(message, record.key.schema, record.key.value);
    return bad_record(message + ", fail.", "java.lang.IllegalStateException");
  }
  const Value& row = envelope.u.items[plan.after];
  if (auto status = require_struct({plan.row, row}, "Read Outbox Event"); !status)
    return fail(std::move(status.error()));
  if (plan.broken) return fail(*plan.broken);

  const auto timestamp = timestamp_of(plan, envelope, row);
  if (!timestamp) return fail(timestamp.error());
  const auto schema_of = [&](uint32_t field) { return plan.row->fields()[field].schema.get(); };
  record.headers.push_back({"id", schema_of(plan.id), plan.get(row, plan.id)});
  SchemaAndValue payload{schema_of(plan.payload), plan.get(row, plan.payload)};
  if (expander_ && payload.value.kind == MR_STRING) expander_->expand(payload, options_.payload, arena);

  SchemaPtr schema;
  Value* items = nullptr;
  if (!payload_alone_) {
    auto made = value_schema(plan, row, payload.schema);
    if (!made) return fail(std::move(made.error()));
    schema = std::move(*made);
    if (auto status = check_value(payload.schema, payload.value, "payload"); !status)
      return fail(std::move(status.error()));
    items = arena.allocate_array<Value>(schema->fields().size());
    items[0] = payload.value;
  }
  record.partition = -1;
  if (auto status = add_fields(record, plan, row, items); !status) return fail(std::move(status.error()));

  const bool empty = is_null(payload.value) || (payload.value.kind == MR_STRING && is_blank(bytes_of(payload.value)));
  const auto topic = topic_of(row.u.items[plan.route]);
  if (!topic) return fail(topic.error());
  record.topic = *topic;
  record.key = {schema_of(plan.key), plan.get(row, plan.key)};
  record.timestamp_ms = *timestamp;
  if (empty && options_.tombstone_on_empty) {
    record.value = {};
  } else if (payload_alone_) {
    record.value = payload;
  } else {
    record.value = {schema.get(), items_value(MR_STRUCT, {items, schema->fields().size()})};
  }
  return true;
}

Expected<std::optional<int64_t>> EventRouter::timestamp_of(const Plan& plan, const Value& envelope,
                                                           const Value& row) const {
  if (plan.timestamp && !is_null(row.u.items[*plan.timestamp])) {
    const int64_t time = row.u.items[*plan.timestamp].u.i64;
    const Schema& schema = *plan.row->fields()[*plan.timestamp].schema;
    if (!schema.name())
      return bad_record("Unsupported field type " + std::string(type_name(schema.type())) +
                            " (without logical schema name) for event timestamp",
                        kConnect);
    if (*schema.name() == "io.debezium.time.Timestamp") return time;
    if (*schema.name() == "io.debezium.time.MicroTimestamp") return time / 1'000;
    if (*schema.name() == "io.debezium.time.NanoTimestamp") return time / 1'000'000;
    return bad_record("Unsupported field type " + *schema.name() + " for event timestamp", kConnect);
  }
  if (!plan.read_at) return fail(field_of(*plan.envelope, "ts_ms", Type::kInt64).error());
  const Value& read_at = envelope.u.items[*plan.read_at];
  return is_null(read_at) ? std::nullopt : std::optional(read_at.u.i64);
}

Expected<std::string_view> EventRouter::topic_of(const Value& route) {
  if (is_null(route)) return bad_record("The column " + options_.route_by + " is null", kNullPointer);
  if (const std::string* known = topics_.find(bytes_of(route))) return *known;
  std::string topic(bytes_of(route));
  if (topic_regex_->matches(topic)) {
    auto replaced = topic_regex_->replace_first(topic, options_.topic_replacement);
    if (!replaced) return fail(std::move(replaced.error()));
    topic = std::move(*replaced);
  }
  return *topics_.add(bytes_of(route), std::move(topic));
}

/// Columns for headers, the partition, and the value's fields behind the payload.
Status EventRouter::add_fields(ConnectRecord& record, const Plan& plan, const Value& row, Value* items) {
  for (const Plan::Additional& additional : plan.additional) {
    const Field& field = plan.row->fields()[*additional.field];
    const Value& value = plan.get(row, *additional.field);
    switch (additional.placement) {
      case Placement::kEnvelope:
        if (auto status = check_value(field.schema.get(), value, additional.alias); !status) return status;
        *++items = value;
        break;
      case Placement::kHeader:
        record.headers.push_back({additional.alias, field.schema.get(), value});
        break;
      default:  // the partition, without a default
        record.partition =
            is_null(row.u.items[*additional.field]) ? -1 : static_cast<int32_t>(row.u.items[*additional.field].u.i64);
    }
  }
  return {};
}

Expected<SchemaPtr> EventRouter::value_schema(const Plan& plan, const Value& row, const Schema* payload) {
  const Value route = row.u.items[plan.route];
  const int64_t version = plan.version && !is_null(row.u.items[*plan.version]) ? row.u.items[*plan.version].u.i64 : -1;
  key_.assign(reinterpret_cast<const char*>(&plan.row), sizeof plan.row);
  key_.append(reinterpret_cast<const char*>(&payload), sizeof payload);
  key_.append(reinterpret_cast<const char*>(&version), sizeof version);
  if (!is_null(route)) key_.append(bytes_of(route));
  if (const ValuePlan* known = values_.find(key_)) return known->value;
  auto made = make_value_schema(plan, row, payload);
  if (!made) return made;
  values_.add(
      key_, ValuePlan{plan.row->shared_from_this(), payload == nullptr ? nullptr : payload->shared_from_this(), *made});
  return made;
}

Expected<SchemaPtr> EventRouter::make_value_schema(const Plan& plan, const Value& row, const Schema* payload) {
  const Value& route = row.u.items[plan.route];
  std::string name = is_null(route) ? "null" : std::string(bytes_of(route));
  if (plan.row->name()) {  // the routing value goes before the last part
    const size_t dot = plan.row->name()->rfind('.');
    const size_t cut = dot == std::string::npos ? 0 : dot + 1;
    name = plan.row->name()->substr(0, cut) + name + "." + plan.row->name()->substr(cut);
  }
  StructBuilder builder(SchemaParts{.type = Type::kStruct, .name = std::move(name)});
  if (plan.version) {
    const Value& version = row.u.items[*plan.version];
    if (!is_null(version)) builder.parts().version = static_cast<int32_t>(version.u.i64);
  }
  if (auto status = builder.add("payload", payload == nullptr ? nullptr : payload->shared_from_this()); !status)
    return fail(std::move(status.error()));
  for (const Plan::Additional& additional : plan.additional) {
    if (additional.placement != Placement::kEnvelope) continue;
    if (auto status = builder.add(additional.alias, plan.row->fields()[*additional.field].schema); !status)
      return fail(std::move(status.error()));
  }
  return builder.build(pool_);
}

}  // namespace

TransformationClass event_router_class() {
  return {"io.debezium.transforms.outbox.EventRouter",
          []() -> std::unique_ptr<Transformation> { return std::make_unique<EventRouter>(); },
          []() -> const ConfigDef& { return OutboxOptions::table().table(); }};
}

}  // namespace millrace::debezium
