#include <gtest/gtest.h>

#include <algorithm>

#include "transforms/counted_new.h"
#include "transforms/debezium_plans.h"
#include "transforms/debezium_transformations.h"
#include "transforms/transformation.h"

namespace millrace::debezium {
namespace {

SchemaPtr struct_schema(const std::string& name, std::vector<Field> fields, bool optional = false) {
  SchemaParts parts{.type = Type::kStruct, .optional = optional, .name = name};
  parts.doc = name;  // stays when the router renames
  parts.fields = std::move(fields);
  return make_schema(std::move(parts));
}

/// The key or a row of the table `name`.
SchemaPtr row_schema(const std::string& name) {
  return struct_schema(name, {{"id", plain_schema(Type::kInt32)}, {"name", plain_schema(Type::kString, true)}}, true);
}

SchemaPtr envelope_schema(const std::string& table) {
  const SchemaPtr row = row_schema(table + ".Value");
  const SchemaPtr source = struct_schema("source", {{"table", plain_schema(Type::kString, true)}});
  return struct_schema(table + ".Envelope", {{"before", row},
                                             {"after", row},
                                             {"source", source},
                                             {"op", plain_schema(Type::kString)},
                                             {"ts_ms", plain_schema(Type::kInt64, true)}});
}

Value struct_of(std::vector<Value> values, Arena& arena) {
  Value* items = arena.allocate_array<Value>(values.size());
  std::ranges::copy(values, items);
  return items_value(MR_STRUCT, {items, values.size()});
}

/// An event whose topic follows from its schema.
ConnectRecord update(const Schema& schema, Arena& arena) {
  ConnectRecord record;
  record.topic = arena.copy(schema.name()->substr(0, schema.name()->rfind('.')));
  const Value before = struct_of({int32_value(7), string_value("old")}, arena);
  const Value after = struct_of({int32_value(7), string_value("new")}, arena);
  const Value source = struct_of({string_value("t")}, arena);
  record.value = {&schema, struct_of({before, after, source, string_value("u"), int64_value(5)}, arena)};
  record.headers.reserve(8);
  return record;
}

std::unique_ptr<Transformation> make(TransformationClass one, const ConfigMap& settings) {
  auto transformation = one.make();
  const Status status = transformation->configure(settings);
  EXPECT_TRUE(status) << status.error().message;
  return transformation;
}

const Schema* output_schema(Transformation& transformation, const Schema& schema, Arena& arena) {
  ConnectRecord record = update(schema, arena);
  const auto kept = transformation.apply(record, arena);
  EXPECT_TRUE(kept && *kept);
  return record.value.schema;
}

struct Configured {
  TransformationClass one;
  ConfigMap settings;
};

/// Those that give values a new schema.
std::vector<Configured> remakers() {
  return {{extract_new_record_state_class(), {{"add.fields", "op,table"}, {"add.headers", "op"}}},
          {by_logical_table_router_class(), {{"topic.regex", "srv.(.*)"}, {"topic.replacement", "all.$1"}}},
          {by_logical_table_router_class(), {{"topic.regex", ".*"}, {"topic.replacement", "all"}}}};
}

TEST(DebeziumPlans, EqualSchemasAtOtherAddressesGiveOneOutputSchema) {
  for (const Configured& configured : remakers()) {
    const auto transformation = make(configured.one, configured.settings);
    Arena arena;
    const SchemaPtr schema = envelope_schema("srv.t");
    const Schema* first = output_schema(*transformation, *schema, arena);
    EXPECT_NE(first, schema.get());
    EXPECT_EQ(output_schema(*transformation, *schema, arena), first);
    EXPECT_EQ(output_schema(*transformation, *envelope_schema("srv.t"), arena), first);
    transformation->new_batch();
    EXPECT_EQ(output_schema(*transformation, *schema, arena), first);
    EXPECT_NE(output_schema(*transformation, *envelope_schema("srv.u"), arena), first);
  }
}

TEST(DebeziumPlans, OutputSchemasOutliveTheNextBatchAndThenGo) {
  for (const Configured& configured : remakers()) {
    const auto transformation = make(configured.one, configured.settings);
    Arena arena;
    std::vector<std::weak_ptr<const Schema>> seen;
    for (int i = 0; i < 500; ++i)
      seen.push_back(
          output_schema(*transformation, *envelope_schema("srv." + std::to_string(i)), arena)->weak_from_this());
    const auto alive = [&] {
      return std::ranges::count_if(seen, [](const auto& schema) { return !schema.expired(); });
    };
    EXPECT_EQ(alive(), 500);
    transformation->new_batch();
    EXPECT_EQ(alive(), 500) << "records of the last batch are still in use";
    // Equal schemas are one object, and the pool of those forgets only when it has grown too big itself.
    for (int round = 0; round < 10; ++round) {
      for (int i = 0; i < 500; ++i)
        output_schema(*transformation, *envelope_schema("srv." + std::to_string(round) + "x" + std::to_string(i)),
                      arena);
      transformation->new_batch();
      transformation->new_batch();
    }
    EXPECT_EQ(alive(), 0);
  }
}

TEST(DebeziumPlans, CachesAreBounded) {
  SchemaPlans<int> plans(8);
  PlanCache<int> keyed(8);
  for (int batch = 0; batch < 50; ++batch) {
    for (int i = 0; i < 5; ++i) {
      const std::string name = std::to_string(batch * 5 + i);
      const SchemaPtr schema = row_schema(name);
      ASSERT_TRUE(plans.get(schema.get(), [&](const Schema&) { return Expected<int>(batch); }));
      keyed.add(name, batch);
    }
    plans.new_batch();
    keyed.new_batch();
    EXPECT_LE(plans.size(), 8U + 5U);
    EXPECT_LE(keyed.size(), 8U + 5U);
  }
}

TEST(DebeziumPlans, FoundAgainWhenOldOnesGo) {
  SchemaPlans<int> plans(2);
  const SchemaPtr kept = row_schema("kept");
  int made = 0;
  for (int batch = 0; batch < 20; ++batch) {
    const auto make_plan = [&](const Schema&) { return Expected<int>(++made); };
    const auto plan = plans.get(kept.get(), [&](const Schema&) { return Expected<int>(-1 - made); });
    ASSERT_TRUE(plan);
    EXPECT_EQ(**plan, -1) << "a plan in use is never made twice";
    for (int i = 0; i < 3; ++i) {
      const SchemaPtr other = row_schema(std::to_string(batch) + "/" + std::to_string(i));
      ASSERT_TRUE(plans.get(other.get(), make_plan));
    }
    plans.new_batch();
  }
}

TEST(DebeziumPlans, FailuresAreNotKept) {
  SchemaPlans<int> plans;
  const SchemaPtr schema = row_schema("t");
  const auto refuse = [](const Schema&) -> Expected<int> { return fail(ErrorCode::kBadRecord, "no"); };
  EXPECT_FALSE(plans.get(schema.get(), refuse));
  EXPECT_EQ(plans.size(), 0U);
  EXPECT_TRUE(plans.get(schema.get(), [](const Schema&) { return Expected<int>(1); }));
}

TEST(DebeziumTransforms, NothingIsAllocatedPerRecord) {
  const std::vector<Configured> all = {
      {extract_new_record_state_class(), {}},
      {extract_new_record_state_class(),
       {{"add.fields", "op,table,ts_ms"}, {"add.headers", "op"}, {"delete.tombstone.handling.mode", "rewrite"}}},
      {extract_new_record_state_class(), {{"drop.fields.header.name", "dropped"}}},
      {extract_changed_record_state_class(), {{"header.changed.name", "c"}, {"header.unchanged.name", "u"}}},
      {by_logical_table_router_class(), {{"topic.regex", "srv.(.*)"}, {"topic.replacement", "all.$1"}}},
      {header_to_value_class(), {{"headers", "h"}, {"fields", "after.h"}, {"operation", "move"}}},
      {timezone_converter_class(), {{"converted.timezone", "Europe/Berlin"}, {"include.list", "source:t"}}},
      {schema_change_event_filter_class(), {{"schema.change.event.exclude.list", "DROP"}}},
      {partition_routing_class(), {{"partition.payload.fields", "change.id"}, {"partition.topic.num", "9"}}},
      {event_router_class(),
       {{"table.field.event.id", "id"},
        {"table.field.event.key", "id"},
        {"table.field.event.payload", "name"},
        {"route.by.field", "name"},
        {"table.fields.additional.placement", "id:envelope,name:header"}}},
  };
  const SchemaPtr schema = envelope_schema("srv.t"), names = make_schema([] {
                                                       SchemaParts parts{.type = Type::kArray};
                                                       parts.value_schema = plain_schema(Type::kString);
                                                       return parts;
                                                     }());
  const SchemaPtr text = plain_schema(Type::kString);
  const Value dropped[] = {string_value("name")};
  for (const Configured& configured : all) {
    const auto transformation = make(configured.one, configured.settings);
    Arena arena;
    for (int round = 0; round < 3; ++round) {
      ConnectRecord record = update(*schema, arena);
      const bool outbox = configured.one.name.ends_with("EventRouter");
      const_cast<Value*>(record.value.value.u.items)[3] = string_value(outbox ? "c" : "u");
      record.key = {schema->fields()[0].schema.get(), record.value.value.u.items[0]};
      record.headers.push_back({"dropped", names.get(), items_value(MR_ARRAY, dropped)});
      record.headers.push_back({"h", text.get(), string_value("x")});
      const size_t before = allocations();
      const auto kept = transformation->apply(record, arena);
      const size_t made = allocations() - before;
      ASSERT_TRUE(kept) << configured.one.name << ": " << kept.error().message;
      EXPECT_TRUE(*kept);
      if (round > 0) {
        EXPECT_EQ(made, 0U) << configured.one.name;
      }
    }
  }
}

TEST(DebeziumTransforms, OutboxDropsDeletesWhateverItsColumns) {
  const auto transformation = make(event_router_class(), {});  // the table has none of the columns
  Arena arena;
  const SchemaPtr schema = envelope_schema("srv.t");
  for (const auto& [op, dropped] : {std::pair{"d", true}, {"u", true}, {"c", false}}) {
    ConnectRecord record = update(*schema, arena);
    const_cast<Value*>(record.value.value.u.items)[3] = string_value(op);
    const auto kept = transformation->apply(record, arena);
    EXPECT_EQ(kept && !*kept, dropped) << op;
    if (!dropped) {
      EXPECT_EQ(kept.error().message, "Unable to find payload field payload in event");
    }
  }
}

TEST(DebeziumTransforms, TableHoldsEveryClassWithUsableOptions) {
  const auto classes = debezium_transformation_classes();
  EXPECT_EQ(classes.size(), 8U);
  for (const TransformationClass& one : classes) {
    EXPECT_TRUE(one.name.starts_with("io.debezium.transforms.")) << one.name;
    EXPECT_FALSE(one.options().keys().empty()) << one.name;
    for (const ConfigKey& key : one.options().keys()) EXPECT_FALSE(key.documentation.empty()) << key.name;
  }
}

}  // namespace
}  // namespace millrace::debezium
