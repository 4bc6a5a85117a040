#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "transforms/java_date_format.h"
#include "transforms/java_regex.h"
#include "transforms/plan_cache.h"
#include "transforms/transformation_chain.h"

namespace millrace {
namespace {

using testing::HasSubstr;

SchemaPtr row_schema(const std::string& name = "row") {
  return make_schema({.type = Type::kStruct,
                      .name = name,
                      .fields = {{"id", plain_schema(Type::kInt64)}, {"text", plain_schema(Type::kString, true)}}});
}

ConnectRecord row(const SchemaPtr& schema, const Value* items) {
  ConnectRecord record;
  record.topic = "orders";
  record.timestamp_ms = 1'700'000'000'123;
  record.value = {schema.get(), items_value(MR_STRUCT, {items, 2})};
  return record;
}

TransformationChain chain_of(const ConfigMap& config) {
  auto chain = TransformationChain::create(config);
  EXPECT_TRUE(chain.has_value()) << chain.error().message;
  return chain ? std::move(*chain) : TransformationChain();
}

const ConfigMap kInsert = {{"transforms", "i"},
                           {"transforms.i.type", "InsertField$Value"},
                           {"transforms.i.static.field", "source"},
                           {"transforms.i.static.value", "test"}};
const Value kItems[] = {int64_value(7), string_value("seven")};

TEST(TransformationChain, WithoutTransformsEveryRecordPasses) {
  TransformationChain chain = chain_of({{"name", "c"}});
  EXPECT_TRUE(chain.empty());
  Arena arena;
  const SchemaPtr schema = row_schema();
  ConnectRecord record = row(schema, kItems);
  EXPECT_EQ(chain.apply(record, arena), true);
  EXPECT_EQ(record.value.schema, schema.get());
}

TEST(TransformationChain, StagesBehindADropDoNotSeeTheRecord) {
  TransformationChain chain = chain_of({{"transforms", "f,x"},
                                        {"transforms.f.type", "Filter"},
                                        {"transforms.x.type", "ExtractField$Value"},
                                        {"transforms.x.field", "no such field"}});
  Arena arena;
  const SchemaPtr schema = row_schema();
  ConnectRecord record = row(schema, kItems);
  EXPECT_EQ(chain.apply(record, arena), false);
}

TEST(TransformationChain, NamesTheClassThatFailed) {
  TransformationChain chain =
      chain_of({{"transforms", "x"}, {"transforms.x.type", "ExtractField$Value"}, {"transforms.x.field", "zz"}});
  Arena arena;
  const SchemaPtr schema = row_schema();
  ConnectRecord record = row(schema, kItems);
  const auto kept = chain.apply(record, arena);
  ASSERT_FALSE(kept.has_value());
  EXPECT_EQ(kept.error().message, "Unknown field: zz");
  EXPECT_EQ(chain.failed_class(), "org.apache.kafka.connect.transforms.ExtractField$Value");
  ConnectRecord tombstone;
  EXPECT_EQ(chain.apply(tombstone, arena), true);
  EXPECT_EQ(chain.failed_class(), "");
}

TEST(TransformationChain, APredicateLimitsAndNegateTurnsItRound) {
  for (const bool negate : {false, true}) {
    TransformationChain chain = chain_of({{"transforms", "f"},
                                          {"transforms.f.type", "Filter"},
                                          {"transforms.f.predicate", "p"},
                                          {"transforms.f.negate", negate ? "true" : "false"},
                                          {"predicates", "p"},
                                          {"predicates.p.type", "TopicNameMatches"},
                                          {"predicates.p.pattern", "or.*"}});
    Arena arena;
    ConnectRecord orders, others;
    orders.topic = "orders";
    others.topic = "others";
    EXPECT_EQ(chain.apply(orders, arena), negate);
    EXPECT_EQ(chain.apply(others, arena), !negate);
  }
}

TEST(TransformationChain, OptionsAreNamedWithTheirPrefixWhenMissing) {
  const auto chain = TransformationChain::create({{"transforms", "a"}, {"transforms.a.type", "HoistField$Value"}});
  ASSERT_FALSE(chain.has_value());
  EXPECT_EQ(chain.error().message, "Missing required configuration \"transforms.a.field\" which has no default value.");
}

TEST(Transformations, AllCanBeFoundByFullAndShortNameAndHaveOptions) {
  EXPECT_TRUE(std::ranges::is_sorted(transformation_classes(), {}, &TransformationClass::name));
  EXPECT_TRUE(std::ranges::is_sorted(predicate_classes(), {}, &PredicateClass::name));
  for (const TransformationClass& one : transformation_classes()) {
    EXPECT_EQ(find_transformation(one.name), &one);
    EXPECT_NE(find_transformation(one.name.substr(one.name.rfind('.') + 1)), nullptr) << one.name;
    EXPECT_NE(one.make(), nullptr);
    for (const ConfigKey& key : one.options().keys()) EXPECT_NE(key.documentation, "") << one.name << key.name;
  }
  EXPECT_EQ(find_transformation("HoistField"), nullptr);
  EXPECT_EQ(find_predicate("RegexRouter"), nullptr);
}

TEST(PlanCaches, OneSchemaIsHandedOutForAllRecordsOfOne) {
  TransformationChain chain = chain_of(kInsert);
  Arena arena;
  const SchemaPtr schema = row_schema(), same = row_schema();
  ConnectRecord first = row(schema, kItems);
  ASSERT_EQ(chain.apply(first, arena), true);
  for (const SchemaPtr& next : {schema, same, schema}) {  // the same content counts, not only the same object
    ConnectRecord record = row(next, kItems);
    ASSERT_EQ(chain.apply(record, arena), true);
    EXPECT_EQ(record.value.schema, first.value.schema);
    EXPECT_EQ(bytes_of(record.value.value.u.items[2]), "test");
    chain.new_batch();
  }
}

TEST(PlanCaches, ASchemaInUseOutlastsManyOthers) {
  TransformationChain chain = chain_of(kInsert);
  Arena arena;
  const SchemaPtr schema = row_schema();
  ConnectRecord first = row(schema, kItems);
  ASSERT_EQ(chain.apply(first, arena), true);
  for (int batch = 0; batch < 5; ++batch) {
    for (int i = 0; i < 40; ++i) {
      const SchemaPtr another = row_schema(std::to_string(batch * 100 + i));
      ConnectRecord other = row(another, kItems);
      ASSERT_EQ(chain.apply(other, arena), true);
    }
    ConnectRecord again = row(schema, kItems);
    ASSERT_EQ(chain.apply(again, arena), true);
    EXPECT_EQ(again.value.schema, first.value.schema);
    chain.new_batch();
  }
}

TEST(PlanCaches, ASchemaLivesUntilTheSecondNewBatchAndNotForEver) {
  TransformationChain chain = chain_of(kInsert);
  Arena arena;
  std::weak_ptr<const Schema> made;
  {
    const SchemaPtr schema = row_schema("short-lived");
    ConnectRecord record = row(schema, kItems);
    ASSERT_EQ(chain.apply(record, arena), true);
    made = record.value.schema->weak_from_this();
  }
  const auto fill = [&](const std::string& name) {
    for (int i = 0; i < 40; ++i) {
      const SchemaPtr another = row_schema(name + std::to_string(i));
      ConnectRecord other = row(another, kItems);
      ASSERT_EQ(chain.apply(other, arena), true);
    }
  };
  fill("a");
  chain.new_batch();
  EXPECT_FALSE(made.expired());
  fill("b");
  EXPECT_FALSE(made.expired());
  chain.new_batch();
  EXPECT_TRUE(made.expired());
}

TEST(PlanCaches, APlanKeepsTheSchemaItWasMadeFor) {
  const auto with_default = [] {
    const Value fallback = string_value("a default that lies in the first schema's memory");
    return make_schema(
        {.type = Type::kStruct,
         .fields = {
             {"id", plain_schema(Type::kInt64)},
             {"text", make_schema({.type = Type::kString, .optional = true, .default_value = OwnedValue(fallback)})}}});
  };
  const Value items[] = {int64_value(7), null_value()};
  TransformationChain chain = chain_of(kInsert);
  Arena arena;
  for (int batch = 0; batch < 6; ++batch) {
    const SchemaPtr equal_schema = with_default();
    ConnectRecord record = row(equal_schema, items);
    ASSERT_EQ(chain.apply(record, arena), true);
    EXPECT_EQ(bytes_of(record.value.value.u.items[1]), "a default that lies in the first schema's memory");
    for (int i = 0; i < 20; ++i) {
      const SchemaPtr another = row_schema(std::to_string(batch * 100 + i));
      ConnectRecord other = row(another, kItems);
      ASSERT_EQ(chain.apply(other, arena), true);
    }
    chain.new_batch();
  }
}

TEST(PlanCaches, AnErrorIsNotRemembered) {
  smt::PlanCache<int> cache;
  const SchemaPtr schema = row_schema();
  int calls = 0;
  const auto make = [&](const Schema&) -> Expected<int> {
    if (++calls == 1) return fail(ErrorCode::kBadRecord, "no");
    return calls;
  };
  EXPECT_FALSE(cache.get(*schema, make).has_value());
  EXPECT_EQ(**cache.get(*schema, make), 2);
  EXPECT_EQ(**cache.get(*schema, make), 2);
}

TEST(JavaRegex, RefusesWhatItWouldReadInAnotherWay) {
  for (const char* pattern : {"a{", "a{2", "{2", "[a-z&&[^b]]", "[a[b]]", "(?=a)", "(a)\\1", "a++", "(", "[a"})
    EXPECT_FALSE(smt::JavaRegex::compile(pattern).has_value()) << pattern;
}

TEST(JavaRegex, TranslatesJavasSpelling) {
  EXPECT_TRUE(smt::JavaRegex::compile("(?<n>\\p{Alpha}+)[\\p{Digit}_]{2,}\\Q.+\\E")->matches("abc_1.+"));
  EXPECT_TRUE(smt::JavaRegex::compile("a|ab")->matches("ab"));
  EXPECT_FALSE(smt::JavaRegex::compile("\\P{Lower}+")->matches("Ab"));
  EXPECT_TRUE(smt::JavaRegex::compile("\\x{41}[\\x{42}]")->matches("AB"));
}

TEST(JavaRegex, ReplacesTheFirstMatchByGroups) {
  const auto regex = smt::JavaRegex::compile("(?<x>.)(.)");
  std::string out;
  ASSERT_TRUE(smt::JavaReplacement("$2${x}\\$$10", regex->pattern()).replace_first(regex->pattern(), "abc", out));
  EXPECT_EQ(out, "ba$a0c");
  const auto missing = smt::JavaReplacement("$3", regex->pattern()).replace_first(regex->pattern(), "abc", out);
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().message, "No group 3");
}

TEST(JavaDateFormat, ReadsWhatItWrote) {
  const auto format = smt::JavaDateFormat::create("yyyy-MM-dd'T'HH:mm:ss.SSSXXX");
  for (const int64_t ms : {int64_t{0}, int64_t{-1}, int64_t{1'577'934'245'678}, int64_t{-12'219'379'200'000}}) {
    std::string text;
    format->format(ms, text);
    EXPECT_EQ(format->parse(text), ms) << text;
  }
  EXPECT_THAT(smt::JavaDateFormat::create("yyyy-'T").error().message, HasSubstr("Unterminated quote"));
}

TEST(JavaDateFormat, WeeksNameADay) {
  const auto by_week = smt::JavaDateFormat::create("YYYY-ww-u"), by_day = smt::JavaDateFormat::create("yyyy-MM-dd");
  EXPECT_EQ(by_week->parse("2024-01-1"), by_day->parse("2024-01-01"));
  std::string text;
  by_week->format(*by_day->parse("2024-12-30"), text);
  EXPECT_EQ(text, "2025-01-1");
}

}  // namespace
}  // namespace millrace
