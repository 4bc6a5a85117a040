/// What change events do to a table of PostgreSQL.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "connectors/jdbc/postgres_events_test.h"

namespace millrace::jdbc {
namespace {

using ::testing::HasSubstr;

INSTANTIATE_TEST_SUITE_P(Sinks, PgBothSinks, ::testing::Values(kSink, kDebezium));

TEST_P(PgBothSinks, ApplyCreatesUpdatesReadsAndDeletes) {
  upsert("r", 1, text("one"));
  upsert("c", 2, text("two"));
  upsert("c", 3, mr_value{});
  upsert("u", 1, text("uno"));
  event("d", 2, std::nullopt);
  tombstone(2);
  expect_put(GetParam(), {{"delete.enabled", "true"}});
  EXPECT_EQ(rows(), (Rows{{"1", "uno"}, {"3", "\\N"}}));
  EXPECT_EQ(columns("p_shop_orders"), (Rows{{"id", "integer", "f"}, {"name", "text", "t"}}));
}

TEST_P(PgBothSinks, FollowAChangedKey) {
  upsert("c", 1, text("moves"));
  event("d", 1, std::nullopt);
  tombstone(1);
  upsert("c", 9, text("moved"));
  event("d", 9, std::nullopt);
  tombstone(9);
  upsert("c", 1, text("back"));
  expect_put(GetParam(), {{"delete.enabled", "true"}});
  EXPECT_EQ(rows(), (Rows{{"1", "back"}}));
}

TEST_P(PgBothSinks, SkipDeletesAndTruncatesThatAreNotEnabled) {
  upsert("c", 1, text("stays"));
  event("d", 1, std::nullopt);
  tombstone(1);
  event("t", std::nullopt, std::nullopt);
  event("m", std::nullopt, std::nullopt);
  expect_put(GetParam(), {});
  EXPECT_EQ(rows(), (Rows{{"1", "stays"}}));
}

TEST_P(PgBothSinks, TruncateInOrder) {
  event("t", std::nullopt, std::nullopt);  // before there is a table
  upsert("c", 1, text("gone"));
  event("t", std::nullopt, std::nullopt);
  upsert("c", 2, text("after"));
  expect_put(GetParam(), {{"truncate.enabled", "true"}});
  EXPECT_EQ(rows(), (Rows{{"2", "after"}}));
}

TEST_P(PgBothSinks, ADeleteBeforeItsTableExistsIsNothing) {
  event("d", 7, std::nullopt);
  tombstone(7);
  upsert("c", 8, text("x"));
  expect_put(GetParam(), {{"delete.enabled", "true"}});
  EXPECT_EQ(rows(), (Rows{{"8", "x"}}));
}

TEST_P(PgBothSinks, AddAColumnInMidStream) {
  upsert("c", 1, text("old"));
  SchemaSpec required = spec(MR_INT32, "", false);
  use({{"id", spec(MR_INT32, "", false)}, {"name", spec(MR_STRING)}, {"qty", spec(MR_INT64)}, {"must", required}});
  event("u", 1, {{number(1), text("new"), number(5, MR_INT64), number(6)}});
  event("c", 2, {{number(2), text("two"), mr_value{}, number(7)}});
  event("d", 1, std::nullopt);
  expect_put(GetParam(), {{"delete.enabled", "true"}});
  EXPECT_EQ(rows(), (Rows{{"2", "two", "\\N", "7"}}));
}

TEST_P(PgBothSinks, LeaveAnUnavailableColumnAsItIs) {
  use({{"id", spec(MR_INT32, "", false)}, {"name", spec(MR_STRING)}, {"big", spec(MR_STRING, "", false)}});
  const mr_value mark = text("__debezium_unavailable_value");
  event("c", 1, {{number(1), text("a"), text("large 1")}});
  event("c", 2, {{number(2), text("b"), text("large 2")}});
  event("u", 1, {{number(1), text("c"), mark}});
  event("u", 2, {{number(2), mark, mark}});
  event("u", 1, {{number(1), text("d"), mark}});
  event("u", 2, {{number(2), text("e"), text("small 2")}});
  expect_put(GetParam(), {});
  EXPECT_EQ(rows(), (Rows{{"1", "d", "large 1"}, {"2", "e", "small 2"}}));
  event("u", 1, {{number(1), mark, text("small 1")}});
  event("u", 2, {{number(2), mark, mark}});
  expect_put(GetParam(), {{"insert.mode", "update"}});
  EXPECT_EQ(rows(), (Rows{{"1", "d", "small 1"}, {"2", "e", "small 2"}}));
}

TEST_P(PgBothSinks, KeepANullWhereTheColumnHasADefault) {
  SchemaSpec qty = spec(MR_INT32);
  qty.default_value = number(42);
  use({{"id", spec(MR_INT32, "", false)}, {"qty", qty}});
  event("c", 1, {{number(1), mr_value{}}});
  expect_put(GetParam(), {});
  EXPECT_EQ(rows(), (Rows{{"1", "\\N"}}));
}

TEST_F(PgEvents, DebeziumNamesTablesBySourceAndFiltersFields) {
  event("c", 1, {{number(1), text("a")}}, "first");
  event("c", 2, {{number(2), text("b")}}, "second");
  event("d", 1, std::nullopt, "first");
  tombstone(1);
  event("c", 3, {{number(3), text("c")}}, "first");
  expect_put(kDebezium, {{"delete.enabled", "true"},
                         {"collection.name.format", "public.x_${source.table}"},
                         {"field.exclude.list", "p\\.shop\\.orders:na.e"}});
  EXPECT_EQ(rows("select * from x_first"), (Rows{{"3"}}));
  EXPECT_EQ(rows("select * from x_second"), (Rows{{"2"}}));
}

TEST_F(PgEvents, DebeziumTakesKeysFromHeaders) {
  mr_header header{};
  header.key = sdk::to_mr("tenant");
  header.schema = schema(spec(MR_STRING, "", false));
  header.value = text("acme");
  upsert("c", 1, text("a"));
  records_.back().headers = &header;
  records_.back().header_count = 1;
  expect_put(kDebezium, {{"primary.key.mode", "record_header"}, {"primary.key.fields", "tenant"}});
  EXPECT_EQ(rows("select tenant, id, name from p_shop_orders"), (Rows{{"acme", "1", "a"}}));
}

TEST_F(PgEvents, AKeyHeaderMayChangeItsType) {
  mr_header headers[3] = {};
  const mr_schema_id texts = schema(spec(MR_STRING, "", false)), numbers = schema(spec(MR_INT64, "", false));
  const mr_value values[] = {text("acme"), number(7, MR_INT64), text("zeta")};
  for (int i = 0; i < 3; ++i) {
    headers[i].key = sdk::to_mr("tenant");
    headers[i].schema = i == 1 ? numbers : texts;
    headers[i].value = values[i];
    upsert("c", i, text("a"));
    records_.back().headers = &headers[i];
    records_.back().header_count = 1;
  }
  expect_put(kDebezium, {{"primary.key.mode", "record_header"}});
  EXPECT_EQ(rows("select tenant, id from p_shop_orders order by id"), (Rows{{"acme", "0"}, {"7", "1"}, {"zeta", "2"}}));
}

/// Thousands of events in one put, so that the bulk statements of several kinds meet.
TEST_P(PgBothSinks, KeepTheOrderOfManyEvents) {
  constexpr int kKeys = 50, kEvents = 5000;
  std::map<int, std::string> expected;
  std::deque<std::string> names;
  for (int i = 0; i < kEvents; ++i) {
    const int key = i * 7919 % kKeys;
    if (i % 11 == 0 && expected.contains(key)) {
      event("d", key, std::nullopt);
      tombstone(key);
      expected.erase(key);
    } else {
      upsert(expected.contains(key) ? "u" : "c", key, text(names.emplace_back("n" + std::to_string(i))));
      expected[key] = names.back();
    }
  }
  expect_put(GetParam(), {{"delete.enabled", "true"}});
  Rows left;
  for (const auto& [key, name] : expected) left.push_back({std::to_string(key), name});
  EXPECT_EQ(rows(), left);
}

TEST_P(PgBothSinks, ReportTheEventThatCannotBeWritten) {
  use({{"id", spec(MR_INT32, "", false)}, {"at", spec(MR_STRING, "io.debezium.time.ZonedTimestamp")}});
  event("c", 1, {{number(1), text("2024-01-01T00:00:00Z")}});
  event("c", 2, {{number(2), text("yesterday")}});
  event("c", 3, {{number(3), text("2024-01-03T00:00:00Z")}});
  expect_put(GetParam(), {{GetParam() == kDebezium ? "flush.max.retries" : "max.retries", "0"}});
  EXPECT_EQ(rows("select id from p_shop_orders order by id"), (Rows{{"1"}, {"3"}}));
  ASSERT_EQ(host_.reports().size(), 1U);
  EXPECT_EQ(host_.reports()[0].index, 1U);
  EXPECT_THAT(host_.reports()[0].message, HasSubstr("'yesterday' is no ISO 8601 text"));
}

TEST_F(PgEvents, DebeziumsNamesAreFoldedUnlessTheyAreQuoted) {
  use({{"id", spec(MR_INT32, "", false)}, {"Group By", spec(MR_STRING)}});
  event("c", 1, {{number(1), text("a")}});
  event("u", 1, {{number(1), text("b")}});
  auto made = records_;
  expect_put(kDebezium, {{"collection.name.format", "Folded"}});
  EXPECT_EQ(rows("select \"group by\" from folded"), (Rows{{"b"}}));
  records_ = std::move(made);
  expect_put(kDebezium, {{"collection.name.format", "Quoted"}, {"quote.identifiers", "true"}});
  EXPECT_EQ(rows("select \"Group By\" from \"Quoted\""), (Rows{{"b"}}));
}

}  // namespace
}  // namespace millrace::jdbc
