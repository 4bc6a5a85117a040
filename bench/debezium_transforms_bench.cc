// Time per record of Debezium's transformations, on updates with rows of ten columns.

#include <benchmark/benchmark.h>

#include <algorithm>

#include "transforms/transformation.h"

namespace millrace {
namespace {

constexpr size_t kColumns = 10, kBatch = 1000;

SchemaPtr struct_schema(std::string name, std::vector<Field> fields, bool optional) {
  SchemaParts parts{.type = Type::kStruct, .optional = optional, .name = std::move(name)};
  parts.fields = std::move(fields);
  return make_schema(std::move(parts));
}

SchemaPtr envelope_schema() {
  std::vector<Field> columns;
  for (size_t i = 0; i < kColumns; ++i)
    columns.push_back({"column" + std::to_string(i), plain_schema(i % 2 == 0 ? Type::kInt64 : Type::kString, i > 0)});
  const SchemaPtr row = struct_schema("srv.shop.orders.Value", std::move(columns), true);
  std::vector<Field> source;
  for (const char* name : {"version", "connector", "name", "db", "table", "file"})
    source.push_back({name, plain_schema(Type::kString)});
  for (const char* name : {"ts_ms", "server_id", "pos"}) source.push_back({name, plain_schema(Type::kInt64)});
  return struct_schema("srv.shop.orders.Envelope",
                       {{"before", row},
                        {"after", row},
                        {"source", struct_schema("source", std::move(source), false)},
                        {"op", plain_schema(Type::kString)},
                        {"ts_ms", plain_schema(Type::kInt64, true)}},
                       false);
}

Value struct_of(const std::vector<Value>& values, Arena& arena) {
  Value* items = arena.allocate_array<Value>(values.size());
  std::ranges::copy(values, items);
  return items_value(MR_STRUCT, {items, values.size()});
}

Value update_event(Arena& arena) {
  std::vector<Value> rows[2];
  for (size_t i = 0; i < kColumns; ++i) {
    for (size_t k = 0; k < 2; ++k)
      rows[k].push_back(i % 2 == 0 ? int64_value(static_cast<int64_t>(i * 100 + k)) : string_value("some text"));
  }
  std::vector<Value> source(6, string_value("orders"));
  source.resize(9, int64_value(1'589'362'330'904));
  return struct_of({struct_of(rows[0], arena), struct_of(rows[1], arena), struct_of(source, arena), string_value("u"),
                    int64_value(1'589'362'330'904)},
                   arena);
}

void run(benchmark::State& state, const char* class_name, const ConfigMap& settings) {
  const auto& classes = transformation_classes();
  const auto found = std::ranges::find(classes, class_name, &TransformationClass::name);
  const auto transformation = found->make();
  if (const Status status = transformation->configure(settings); !status) {
    state.SkipWithError(status.error().message.c_str());
    return;
  }
  Arena input_arena, arena;
  const SchemaPtr schema = envelope_schema();
  const Value event = update_event(input_arena);
  ConnectRecord record;
  for (auto _ : state) {
    transformation->new_batch();
    arena.reset();
    for (size_t i = 0; i < kBatch; ++i) {
      record.topic = "srv.shop.orders";
      record.value = {schema.get(), event};
      record.headers.clear();
      const auto kept = transformation->apply(record, arena);
      if (!kept) state.SkipWithError(kept.error().message.c_str());
      benchmark::DoNotOptimize(record.value.value.u.items);
    }
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kBatch));
}

constexpr const char* kUnwrap = "io.debezium.transforms.ExtractNewRecordState";

void unwrap(benchmark::State& state) { run(state, kUnwrap, {}); }
void unwrap_with_fields(benchmark::State& state) {
  run(state, kUnwrap, {{"add.fields", "op,table,source.ts_ms"}, {"add.headers", "op,db"}});
}
void unwrap_rewrite(benchmark::State& state) {
  run(state, kUnwrap, {{"add.fields", "op"}, {"delete.tombstone.handling.mode", "rewrite"}});
}
void route_logical_table(benchmark::State& state) {
  run(state, "io.debezium.transforms.ByLogicalTableRouter",
      {{"topic.regex", "(.*)orders(.*)"}, {"topic.replacement", "$1all$2"}});
}
void changed_fields(benchmark::State& state) {
  run(state, "io.debezium.transforms.ExtractChangedRecordState", {{"header.changed.name", "changed"}});
}
void route_partition(benchmark::State& state) {
  run(state, "io.debezium.transforms.partitions.PartitionRouting",
      {{"partition.payload.fields", "change.column0,change.column1"}, {"partition.topic.num", "12"}});
}
BENCHMARK(unwrap);
BENCHMARK(unwrap_with_fields);
BENCHMARK(unwrap_rewrite);
BENCHMARK(route_logical_table);
BENCHMARK(changed_fields);
BENCHMARK(route_partition);

}  // namespace
}  // namespace millrace
