/// How rows get into tables of PostgreSQL: COPY, arrays, keys, bad rows, failures.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libpq-fe.h>

#include <chrono>
#include <memory>
#include <thread>

#include "connectors/jdbc/postgres_events_test.h"

namespace millrace::jdbc {
namespace {

using ::testing::HasSubstr;

/// A row without an envelope.
class PgRows : public PgEvents {
 protected:
  /// Uses a schema of flat rows whose key is the first column.
  void add_rows(std::vector<SchemaSpec::Field> columns, const std::vector<std::vector<mr_value>>& rows) {
    const mr_schema_id id = schema(row_of(std::move(columns), "", false));
    for (const auto& row : rows) {
      mr_record made = record(std::nullopt);
      made.value_schema = id;
      made.value = structure(row);
      records_.push_back(made);
    }
  }
  void put_rows(std::vector<SchemaSpec::Field> columns, const std::vector<std::vector<mr_value>>& rows,
                FakeHost::Settings more) {
    add_rows(std::move(columns), rows);
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

TEST_F(PgRows, ACopyEndsWithTheTimeLimitOfTheUrl) {
  sql({"create table p_shop_orders(id int, name text)",
       "create function sleepy() returns trigger language plpgsql as 'begin perform pg_sleep(600); return new; end'"});
  const std::string large(40'000'000, 'x');
  std::vector<std::vector<mr_value>> made(16, {number(1), text("small")});
  made[1][1] = text(large);
  const auto expect_timeout = [&] {
    add_rows({{"id", spec(MR_INT32, "", false)}, {"name", spec(MR_STRING)}}, made);
    const auto status = put(kSink, {{"connection.url", server_->url("shop") + "?socketTimeout=1"},
                                    {"pk.mode", "none"},
                                    {"insert.mode", "insert"}});
    EXPECT_THAT(status.message(), HasSubstr("no answer within socketTimeout=1 seconds"));
  };
  // The COPY itself is not answered …
  const std::string where = "host=127.0.0.1 port=" + std::to_string(server_->port()) +
                            " dbname=shop user=" + server_->user() + " password='" + server_->password() + "'";
  const std::unique_ptr<PGconn, decltype(&PQfinish)> holder(PQconnectdb(where.c_str()), &PQfinish);
  for (const char* statement : {"begin", "lock table p_shop_orders"}) PQclear(PQexec(holder.get(), statement));
  expect_timeout();
  PQclear(PQexec(holder.get(), "rollback"));
  // … or its lines are not taken: the server sleeps over the first, behind which more comes than sockets hold.
  sql({"create trigger sleepy before insert on p_shop_orders for each row execute function sleepy()"});
  expect_timeout();
  server_->query("select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname='shop'");
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

/// Rows of a failed put are gone; columns that were added before any of them stay.
TEST_F(PgRows, AFailedPutLeavesNoRows) {
  sql({"create table p_shop_orders(id int primary key)"});
  host_.refuse_reports(true);
  add_rows({{"id", spec(MR_INT32, "", false)}, {"name", spec(MR_STRING)}},
           {{number(1), text("x")}, {number(2), text("x")}, {number(1), text("x")}});
  EXPECT_FALSE(put(kSink, {{"insert.mode", "insert"}, {"pk.mode", "record_value"}, {"pk.fields", "id"}}).ok());
  EXPECT_EQ(columns("p_shop_orders").size(), 2U);  // added before any row
  EXPECT_EQ(rows(), Rows());
}

TEST_F(PgRows, FieldsFindColumnsThatDifferInCase) {
  sql({"create table p_shop_orders(id int primary key, \"Name\" text)"});
  put_rows({{"ID", spec(MR_INT32, "", false)}, {"name", spec(MR_STRING)}}, {{number(1), text("x")}},
           {{"insert.mode", "upsert"}, {"pk.fields", "ID"}});
  EXPECT_EQ(rows(), (Rows{{"1", "x"}}));
}

const SchemaSpec kId = spec(MR_INT32, "", false), kName = spec(MR_STRING);

TEST_F(PgRows, LargeBatchesAreSeveralStatements) {
  sql({"create table p_shop_orders(id int primary key, name text)"});
  const std::string large(3 << 20, 'x');
  std::vector<std::vector<mr_value>> made;
  for (int i = 0; i < 20; ++i) made.push_back({number(i % 18), text(large)});
  put_rows({{"id", kId}, {"name", kName}}, made, {{"insert.mode", "upsert"}});
  EXPECT_EQ(rows("select count(*), min(length(name)) from p_shop_orders"),
            (Rows{{"18", std::to_string(large.size())}}));
  sql({"truncate p_shop_orders"});
  made.resize(18);
  put_rows({{"id", kId}, {"name", kName}}, made, {{"insert.mode", "insert"}});
  EXPECT_EQ(rows("select count(*), min(length(name)) from p_shop_orders"),
            (Rows{{"18", std::to_string(large.size())}}));
}

/// COPY would take what an INSERT refuses; the size of a batch must not decide.
TEST_F(PgRows, GeneratedKeysAreRefusedInBatchesOfAnySize) {
  sql({"create table p_shop_orders(id int generated always as identity, name text)"});
  for (const int count : {1, 40}) {
    std::vector<std::vector<mr_value>> made;
    for (int i = 0; i < count; ++i) made.push_back({number(i), text("x")});
    add_rows({{"id", kId}, {"name", kName}}, made);
    host_.refuse_reports(true);
    EXPECT_THAT(put(kSink, {{"insert.mode", "insert"}, {"pk.mode", "none"}}).message(),
                HasSubstr("non-DEFAULT value into column \"id\""));
  }
}

TEST_F(PgRows, GoesOnAfterTheServerWasAway) {
  sdk::TaskRunner task(
      host_, FakeHost::connector(mr_plugin, kSink),
      settings(kSink,
               {{"pk.mode", "record_value"}, {"pk.fields", "id"}, {"max.retries", "1"}, {"connection.attempts", "1"}}));
  ASSERT_TRUE(task.start().ok());
  add_rows({{"id", kId}, {"name", kName}}, {{number(1), text("a")}});
  ASSERT_TRUE(task.put(records_).ok());
  server_->stop();
  add_rows({{"id", kId}, {"name", kName}}, {{number(2), text("b")}});
  EXPECT_EQ(task.put(records_).code(), sdk::Code::kUnavailable);
  server_->start();
  const auto again = task.put(records_);
  EXPECT_TRUE(again.ok()) << again.message();
  EXPECT_EQ(rows(), (Rows{{"1", "a"}, {"2", "b"}}));
}

/// Two tasks that write the same rows in opposite orders.
class PgRivals : public PgRows {
 protected:
  /// Both put once at the same time, `rounds` times.
  void meet(int rounds, const FakeHost::Settings& more) {
    sql({"create table p_shop_orders(id int primary key, name text)",
         "alter database shop set deadlock_timeout = '20ms'"});
    constexpr int kRows = 300;
    std::vector<std::vector<mr_value>> up, down;
    for (int i = 0; i < kRows; ++i) up.push_back({number(i), text("up")});
    for (int i = kRows; i-- > 0;) down.push_back({number(i), text("down")});
    const SchemaSpec shape = row_of({{"id", spec(MR_INT32, "", false)}, {"name", spec(MR_STRING)}}, "", false);
    add_rows(shape.fields, up);
    const auto first = std::exchange(records_, {});
    add_rows(shape.fields, down);
    auto second = std::exchange(records_, {});
    FakeHost other;
    for (FakeHost* host : {&host_, &other}) {  // the loser's wait lets the winner finish
      host->on_wait([](int64_t ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); });
    }
    const mr_schema_id same = add_schema(other, shape);
    for (mr_record& one : second) one.value_schema = same;
    FakeHost::Settings all = {{"pk.mode", "record_value"}, {"pk.fields", "id"}};
    all.insert(more.begin(), more.end());
    sdk::TaskRunner one(host_, FakeHost::connector(mr_plugin, kSink), settings(kSink, all)),
        two(other, FakeHost::connector(mr_plugin, kSink), settings(kSink, all));
    ASSERT_TRUE(one.start().ok() && two.start().ok());
    for (int i = 0; i < rounds; ++i) {
      sdk::Status theirs;
      std::thread rival([&] { theirs = two.put(second); });
      const sdk::Status ours = one.put(first);
      rival.join();
      ASSERT_TRUE(ours.ok()) << ours.message();
      ASSERT_TRUE(theirs.ok()) << theirs.message();
    }
    EXPECT_EQ(rows("select count(*), count(distinct name) from p_shop_orders"), (Rows{{std::to_string(kRows), "1"}}));
  }
};

TEST_F(PgRivals, LockRowsInTheOrderOfTheirKeys) { meet(20, {}); }

/// Whoever loses a deadlock tries again at once.
TEST_F(PgRivals, TryAgainAfterADeadlock) { meet(5, {{"batch.size", "10"}}); }

}  // namespace
}  // namespace millrace::jdbc
