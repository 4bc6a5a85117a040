// Counts what the heap is asked for: nothing may be, once the plans are made and the arena has its blocks.
#include <gtest/gtest.h>

#include "transforms/counted_new.h"
#include "transforms/transformation_chain.h"

namespace millrace {
namespace {

const ConfigMap kChain = {
    {"transforms", "insert,header,from,set,mask,time,cast,flat,rename,key,extract,hoist,route,day"},
    {"transforms.insert.type", "InsertField$Value"},
    {"transforms.insert.static.field", "source"},
    {"transforms.insert.static.value", "orders-db"},
    {"transforms.insert.timestamp.field", "at"},
    {"transforms.header.type", "InsertHeader"},
    {"transforms.header.header", "version"},
    {"transforms.header.value.literal", "12"},
    {"transforms.from.type", "HeaderFrom$Value"},
    {"transforms.from.fields", "number"},
    {"transforms.from.headers", "number"},
    {"transforms.from.operation", "copy"},
    {"transforms.set.type", "SetSchemaMetadata$Value"},
    {"transforms.set.schema.name", "a-name-that-does-not-fit-into-a-short-string"},
    {"transforms.mask.type", "MaskField$Value"},
    {"transforms.mask.fields", "secret"},
    {"transforms.mask.replacement", "************************"},
    {"transforms.time.type", "TimestampConverter$Value"},
    {"transforms.time.field", "at"},
    {"transforms.time.target.type", "string"},
    {"transforms.time.format", "yyyy-MM-dd'T'HH:mm:ss.SSSXXX"},
    {"transforms.cast.type", "Cast$Value"},
    {"transforms.cast.spec", "number:string,day:string,price:int32"},
    {"transforms.flat.type", "Flatten$Value"},
    {"transforms.rename.type", "ReplaceField$Value"},
    {"transforms.rename.renames", "number:a_longer_name_of_the_same_number"},
    {"transforms.key.type", "ValueToKey"},
    {"transforms.key.fields", "secret"},
    {"transforms.extract.type", "ExtractField$Key"},
    {"transforms.extract.field", "secret"},
    {"transforms.hoist.type", "HoistField$Key"},
    {"transforms.hoist.field", "id"},
    {"transforms.route.type", "RegexRouter"},
    {"transforms.route.regex", "server\\.([a-z]*)"},
    {"transforms.route.replacement", "a-long-prefix-of-topics-$1"},
    {"transforms.route.predicate", "mine"},
    {"transforms.day.type", "TimestampRouter"},
    {"predicates", "mine"},
    {"predicates.mine.type", "TopicNameMatches"},
    {"predicates.mine.pattern", "server.*"}};

TEST(Allocations, NoneForARecordWithAKnownSchema) {
  auto chain = TransformationChain::create(kChain);
  ASSERT_TRUE(chain.has_value()) << chain.error().message;
  const SchemaPtr inner = make_schema({.type = Type::kStruct, .fields = {{"x", plain_schema(Type::kInt32)}}});
  const SchemaPtr schema = make_schema({.type = Type::kStruct,
                                        .fields = {{"number", plain_schema(Type::kInt64)},
                                                   {"secret", plain_schema(Type::kString)},
                                                   {"day", timestamp_schema()},
                                                   {"price", decimal_schema(2)},
                                                   {"inner", inner}}});
  const Value x[] = {int32_value(1)};
  Arena arena;
  ConnectRecord record;
  const auto run_batch = [&] {
    arena.reset();
    for (int i = 0; i < 100; ++i) {
      const Value items[] = {int64_value(1'234'567'890'123 + i), string_value("a secret of some length"),
                             int64_value(1'577'934'245'678), bytes_value(MR_DECIMAL, "\x12\x34", 2),
                             items_value(MR_STRUCT, x)};
      record.kind = ConnectRecord::Kind::kSource;
      record.topic = i % 2 == 0 ? "server.orders" : "server.items";
      record.key = {};
      record.value = {schema.get(), items_value(MR_STRUCT, items)};
      record.timestamp_ms = 1'700'000'000'000 + i;
      record.headers.clear();
      const auto kept = chain->apply(record, arena);
      ASSERT_TRUE(kept.has_value()) << kept.error().message;
    }
    chain->new_batch();
  };
  run_batch();
  run_batch();
  const size_t before = allocations();
  for (int i = 0; i < 10; ++i) run_batch();
  EXPECT_EQ(allocations() - before, 0U);
  EXPECT_EQ(record.topic, "a-long-prefix-of-topics-items-20231114");
}

}  // namespace
}  // namespace millrace
