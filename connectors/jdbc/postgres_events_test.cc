/// What change events do to a table of PostgreSQL, and how its rows are written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>

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

/// A row without an envelope.
class PgRows : public PgEvents {
 protected:
  /// Uses a schema of flat rows whose key is the first column.
  void put_rows(std::vector<SchemaSpec::Field> columns, const std::vector<std::vector<mr_value>>& rows,
                FakeHost::Settings more) {
    const mr_schema_id id = schema(row_of(std::move(columns), "", false));
    for (const auto& row : rows) {
      mr_record made = record(std::nullopt);
      made.value_schema = id;
      made.value = structure(row);
      records_.push_back(made);
    }
    more.insert({{"pk.mode", "record_value"}, {"pk.fields", "id"}});
    expect_put(kSink, std::move(more));
  }
};

TEST_F(PgRows, CopiesTextsOfAllKinds) {
  sql({"create table p_shop_orders(id int primary key, name text, raw bytea, flags int[])"});
  SchemaSpec flags = spec(MR_ARRAY);
  flags.elements = std::make_shared<SchemaSpec>(spec(MR_INT32));
  const std::vector<mr_value> numbers = {number(1), mr_value{}, number(-3)};
  mr_value array{};
  array.kind = MR_ARRAY;
  array.size = 3;
  array.u.items = numbers.data();
  const std::string odd = "tab\t newline\n return\r back\\slash \\N \"quote\" {brace}, 'x' \b é";
  for (const int count : {3, 40}) {  // arrays, then COPY
    std::vector<std::vector<mr_value>> made;
    for (int i = 0; i < count; ++i) made.push_back({number(i + count * 100), text(odd), bytes("\x01\\\xff"), array});
    made.push_back({number(count), mr_value{}, mr_value{}, mr_value{}});
    made.push_back({number(count + 1), text(""), bytes(""), mr_value{}});
    put_rows({{"id", spec(MR_INT32, "", false)}, {"name", spec(MR_STRING)}, {"raw", spec(MR_BYTES)}, {"flags", flags}},
             made, {{"insert.mode", "insert"}});
    const std::string first = std::to_string(count * 100);
    EXPECT_EQ(rows("select name, raw, flags from p_shop_orders where id=" + first),
              (Rows{{odd, "\\x015cff", "{1,NULL,-3}"}}));
    EXPECT_EQ(rows("select count(*), count(distinct name) from p_shop_orders where id>=" + first),
              (Rows{{std::to_string(count), "1"}}));
    EXPECT_EQ(rows("select name, raw, flags from p_shop_orders where id in (" + std::to_string(count) + "," +
                   std::to_string(count + 1) + ") order by id"),
              (Rows{{"\\N", "\\N", "\\N"}, {"", "\\x", "\\N"}}));
  }
}

TEST_F(PgRows, UpsertsArraysUpdatesAndDeletesByThem) {
  sql({"create table p_shop_orders(id int[] primary key, name text)"});
  SchemaSpec id = spec(MR_ARRAY, "", false);
  id.elements = std::make_shared<SchemaSpec>(spec(MR_INT32));
  const std::vector<mr_value> numbers = {number(1), number(2)};
  mr_value array{};
  array.kind = MR_ARRAY;
  array.size = 2;
  array.u.items = numbers.data();
  put_rows({{"id", id}, {"name", spec(MR_STRING)}}, {{array, text("a")}, {array, text("b")}},
           {{"insert.mode", "upsert"}});
  EXPECT_EQ(rows(), (Rows{{"{1,2}", "b"}}));
  put_rows({{"id", id}, {"name", spec(MR_STRING)}}, {{array, text("c")}, {array, text("d")}},
           {{"insert.mode", "update"}});
  EXPECT_EQ(rows(), (Rows{{"{1,2}", "d"}}));
}

/// Keys whose texts differ although the database finds them equal: the last row counts there too.
TEST_F(PgRows, KeysAreEqualByTheDatabasesRules) {
  sql({"create table p_shop_orders(id uuid primary key, name text)"});
  const std::vector<std::vector<mr_value>> made = {{text("6F1C3C5E-0000-4000-8000-000000000001"), text("first")},
                                                   {text("6f1c3c5e-0000-4000-8000-000000000001"), text("second")},
                                                   {text("{6f1c3c5e00004000-8000-000000000001}"), text("third")}};
  put_rows({{"id", spec(MR_STRING, "", false)}, {"name", spec(MR_STRING)}}, made, {{"insert.mode", "upsert"}});
  EXPECT_EQ(rows("select name from p_shop_orders"), (Rows{{"third"}}));
  put_rows({{"id", spec(MR_STRING, "", false)}, {"name", spec(MR_STRING)}}, {made[2], made[1], made[0]},
           {{"insert.mode", "update"}});
  EXPECT_EQ(rows("select name from p_shop_orders"), (Rows{{"first"}}));
}

TEST_F(PgRows, TablesWithRowSecurityAndViewsAreWrittenWithoutCopy) {
  sql({"create table base(id int, name text)", "create view p_shop_orders as select * from base"});
  std::vector<std::vector<mr_value>> made;
  for (int i = 0; i < 20; ++i) made.push_back({number(i), text("x")});
  put_rows({{"id", spec(MR_INT32, "", false)}, {"name", spec(MR_STRING)}}, made,
           {{"insert.mode", "insert"}, {"table.types", "VIEW"}});
  EXPECT_EQ(rows("select count(*) from base"), (Rows{{"20"}}));
  sql({"alter table base enable row level security", "alter table base force row level security",
       "create policy small on base using (true) with check (id < 100)", "create role writer login password 'w'",
       "grant all on base to writer", "grant usage on schema public to writer"});
  put_rows({{"id", spec(MR_INT32, "", false)}, {"name", spec(MR_STRING)}}, made,
           {{"insert.mode", "insert"},
            {"table.name.format", "base"},
            {"connection.user", "writer"},
            {"connection.password", "w"}});
  EXPECT_EQ(rows("select count(*) from base"), (Rows{{"40"}}));
  sql({"drop owned by writer", "drop role writer"});
}

TEST_F(PgRows, OnlyBadRowsAreReported) {
  sql({"create table p_shop_orders(id int primary key, name varchar(5) check (name <> 'bad'))"});
  std::vector<std::vector<mr_value>> made;
  for (int i = 0; i < 100; ++i)
    made.push_back({number(i), text(i == 17   ? "bad"
                                    : i == 60 ? "too long"
                                    : i == 61 ? std::string_view("a\0b", 3)
                                              : "ok")});
  made.push_back({number(3), text("twice")});
  put_rows({{"id", spec(MR_INT32, "", false)}, {"name", spec(MR_STRING)}}, made, {{"insert.mode", "insert"}});
  EXPECT_EQ(rows("select count(*), count(*) filter (where name = 'ok') from p_shop_orders"), (Rows{{"97", "97"}}));
  std::vector<std::pair<size_t, std::string>> reports;
  ASSERT_EQ(host_.reports().size(), 4U);
  const auto& found = host_.reports();
  EXPECT_EQ(found[0].index, 17U);
  EXPECT_THAT(found[0].message, HasSubstr("violates check constraint"));
  EXPECT_EQ(found[1].index, 60U);
  EXPECT_THAT(found[1].message, HasSubstr("value too long for type character varying(5)"));
  EXPECT_EQ(found[2].index, 61U);
  EXPECT_THAT(found[2].message, HasSubstr("U+0000"));
  EXPECT_EQ(found[3].index, 100U);
  EXPECT_THAT(found[3].message, HasSubstr("duplicate key value"));
}

/// Rows, tables and columns of a failed put are all gone.
TEST_F(PgRows, AFailedPutLeavesNothing) {
  sql({"create table p_shop_orders(id int primary key)"});
  host_.refuse_reports(true);
  const mr_schema_id id = schema(row_of({{"id", spec(MR_INT32, "", false)}, {"name", spec(MR_STRING)}}, "", false));
  for (const int key : {1, 2, 1}) {
    mr_record made = record(std::nullopt);
    made.value_schema = id;
    made.value = structure({number(key), text("x")});
    records_.push_back(made);
  }
  EXPECT_FALSE(put(kSink, {{"insert.mode", "insert"}, {"pk.mode", "record_value"}, {"pk.fields", "id"}}).ok());
  EXPECT_EQ(columns("p_shop_orders").size(), 1U);
  EXPECT_EQ(rows(), Rows());
}

TEST_F(PgRows, FieldsFindColumnsThatDifferInCase) {
  sql({"create table p_shop_orders(id int primary key, \"Name\" text)"});
  put_rows({{"ID", spec(MR_INT32, "", false)}, {"name", spec(MR_STRING)}}, {{number(1), text("x")}},
           {{"insert.mode", "upsert"}, {"pk.fields", "ID"}});
  EXPECT_EQ(rows(), (Rows{{"1", "x"}}));
}

}  // namespace
}  // namespace millrace::jdbc
