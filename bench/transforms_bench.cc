// A chain of five usual transformations over records of ten fields; items are records.
#include <benchmark/benchmark.h>

#include "transforms/transformation_chain.h"

namespace millrace {
namespace {

const ConfigMap kChain = {{"transforms", "insert,rename,cast,route,key"},
                          {"transforms.insert.type", "InsertField$Value"},
                          {"transforms.insert.static.field", "source"},
                          {"transforms.insert.static.value", "orders-db"},
                          {"transforms.insert.timestamp.field", "at"},
                          {"transforms.rename.type", "ReplaceField$Value"},
                          {"transforms.rename.renames", "f1:name,f2:city"},
                          {"transforms.cast.type", "Cast$Value"},
                          {"transforms.cast.spec", "f4:string,f6:int32"},
                          {"transforms.route.type", "RegexRouter"},
                          {"transforms.route.regex", "server\\.(.*)"},
                          {"transforms.route.replacement", "lake-$1"},
                          {"transforms.key.type", "ValueToKey"},
                          {"transforms.key.fields", "f0"}};

SchemaPtr ten_fields() {
  SchemaParts parts{.type = Type::kStruct, .name = "row"};
  for (int i = 0; i < 10; ++i) {
    const Type type = i % 4 == 0   ? Type::kInt64
                      : i % 4 == 1 ? Type::kString
                      : i % 4 == 2 ? Type::kFloat64
                                   : Type::kString;
    parts.fields.push_back({"f" + std::to_string(i), plain_schema(type, i > 0)});
  }
  return make_schema(std::move(parts));
}

void chain_of_five(benchmark::State& state) {
  auto chain = TransformationChain::create(kChain);
  if (!chain) return state.SkipWithError(chain.error().message.c_str());
  const SchemaPtr schema = ten_fields();
  Value items[10];
  for (int i = 0; i < 10; ++i) {
    items[i] = i % 4 == 0   ? int64_value(1000 + i)
               : i % 4 == 2 ? floating(MR_FLOAT64, 1.5 * i)
                            : string_value("some text");
  }
  constexpr int kBatch = 1000;
  Arena arena;
  for (auto _ : state) {
    arena.reset();
    for (int i = 0; i < kBatch; ++i) {
      ConnectRecord record;
      record.topic = i % 2 == 0 ? "server.orders" : "server.items";
      record.timestamp_ms = 1'700'000'000'000 + i;
      record.value = {schema.get(), items_value(MR_STRUCT, items)};
      auto kept = chain->apply(record, arena);
      if (!kept) return state.SkipWithError(kept.error().message.c_str());
      benchmark::DoNotOptimize(record);
    }
    chain->new_batch();
  }
  state.SetItemsProcessed(state.iterations() * kBatch);
}
BENCHMARK(chain_of_five)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace millrace
