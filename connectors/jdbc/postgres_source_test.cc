/// The source plugin against a private PostgreSQL, driven as the worker drives it: what recorded cases do not have.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <millrace/testing.hpp>
#include <thread>

#include "connectors/jdbc/session.h"
#include "tests/support/postgres_server.h"

extern "C" const mr_plugin_v1* mr_plugin(const mr_host_v1* host) noexcept;

namespace millrace::jdbc {
namespace {

using millrace::testing::PostgresServer;
using sdk::FakeHost;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class PostgresSource : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { server_ = new PostgresServer; }
  static void TearDownTestSuite() {
    delete server_;
    server_ = nullptr;
  }
  void SetUp() override {
    if (!server_->problem().empty()) GTEST_SKIP() << server_->problem();
    ASSERT_EQ(server_->run({"drop database if exists shop with (force)", "create database shop"}), "");
    host_.on_wait([](int64_t ms) { std::this_thread::sleep_for(std::chrono::milliseconds(std::min<int64_t>(ms, 5))); });
  }
  void run(const std::vector<std::string>& statements) { ASSERT_EQ(server_->run(statements, "shop"), ""); }
  FakeHost::Settings settings(FakeHost::Settings more) const {
    more.insert({{"connection.url", server_->url("shop")},
                 {"connection.user", server_->user()},
                 {"connection.password", server_->password()},
                 {"connection.attempts", "1"},
                 {"poll.interval.ms", "10"},
                 {"topic.prefix", "p_"}});
    return more;
  }
  static const mr_connector_v1* plugin() {
    return FakeHost::connector(mr_plugin, "io.confluent.connect.jdbc.JdbcSourceConnector");
  }
  void poll_until(sdk::TaskRunner& task, size_t count) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (host_.records().size() < count && std::chrono::steady_clock::now() < deadline) {
      const auto polled = task.poll();
      ASSERT_TRUE(polled.ok()) << polled.message();
    }
    ASSERT_EQ(host_.records().size(), count);
  }

  static PostgresServer* server_;
  FakeHost host_;
};
PostgresServer* PostgresSource::server_ = nullptr;

TEST_F(PostgresSource, NamesMayHaveAnyCharacterButAComma) {
  run({"create schema \"Sch.ema\"",
       "create table \"Sch.ema\".\"Odd \"\"Name\"\"\"(\"Id\" serial primary key, \"na me\" text)",
       "insert into \"Sch.ema\".\"Odd \"\"Name\"\"\"(\"na me\") values ('a'),('b')"});
  sdk::ConnectorRunner connector(host_, plugin());
  ASSERT_TRUE(connector.start(settings({{"mode", "incrementing"}, {"table.whitelist", "Sch.ema.Odd \"Name\""}})).ok());
  ASSERT_TRUE(connector.task_configs(3).ok());
  ASSERT_EQ(host_.task_configs().size(), 1U);
  sdk::TaskRunner task(host_, plugin(), host_.task_configs()[0]);
  const auto started = task.start();
  ASSERT_TRUE(started.ok()) << started.message();
  poll_until(task, 2);
  EXPECT_EQ(host_.records()[0].topic, "p_Odd \"Name\"");
  EXPECT_THAT(host_.value_texts(), ElementsAre(HasSubstr("Id=1,na me=a"), HasSubstr("Id=2,na me=b")));
  EXPECT_EQ(host_.records()[1].source_partition.text(), "{protocol=1, table=Sch.ema.Odd \"Name\"}");
  ASSERT_TRUE(connector.stop().ok());
}

TEST_F(PostgresSource, FindsOffsetsWithTheDatabaseInTheName) {
  run({"create table t(id int primary key)", "insert into t select generate_series(1,5)"});
  host_.store_offset({{"protocol", "1"}, {"table", "shop.public.t"}}, {{"incrementing", int64_t{3}}});
  sdk::TaskRunner task(
      host_, plugin(),
      settings({{"mode", "incrementing"}, {"incrementing.column.name", "id"}, {"tables", "\"public\".\"t\""}}));
  ASSERT_TRUE(task.start().ok());
  poll_until(task, 2);
  EXPECT_EQ(host_.records()[1].source_offset.text(), "{incrementing=5}");
  EXPECT_EQ(host_.records()[1].source_partition.text(), "{protocol=1, table=public.t}");
}

TEST_F(PostgresSource, ReconnectsAfterTheServerWasAway) {
  run({"create table t(id int primary key)", "insert into t values (1),(2)"});
  sdk::TaskRunner task(
      host_, plugin(),
      settings({{"mode", "incrementing"}, {"incrementing.column.name", "id"}, {"tables", "\"public\".\"t\""}}));
  ASSERT_TRUE(task.start().ok());
  poll_until(task, 2);
  server_->stop();
  sdk::Status away = task.poll();
  while (away.ok()) away = task.poll();  // until the table is due
  EXPECT_EQ(away.code(), sdk::Code::kUnavailable) << away.message();
  EXPECT_THAT(away.message(), HasSubstr(server_->host_port()));
  EXPECT_THAT(away.message(), Not(HasSubstr(server_->password())));
  server_->start();
  run({"insert into t values (3)"});
  poll_until(task, 3);
  EXPECT_EQ(host_.records()[2].source_offset.text(), "{incrementing=3}");
}

TEST_F(PostgresSource, SaysWhichColumnsItLeavesOut) {
  run({"create table t(id int primary key, tags text[], ip inet)", "insert into t values (1,'{a}','1.2.3.4')"});
  sdk::TaskRunner task(host_, plugin(), settings({{"mode", "bulk"}, {"tables", "\"public\".\"t\""}}));
  ASSERT_TRUE(task.start().ok());
  poll_until(task, 1);
  EXPECT_THAT(host_.value_texts(), ElementsAre("Struct{id=1}"));
  EXPECT_EQ(host_.logged(MR_WARN, "tags (text[]), ip (inet)"), 1U);
}

TEST_F(PostgresSource, OtherTypesAreTextsOnRequest) {
  run({"create extension if not exists hstore", "create type pair as (a int, b text)",
       "create table t(id int primary key, \"Ta gs\" text[], n int[], ip inet, h hstore, p pair, i interval, r "
       "int4range)",
       "insert into t values (1,'{a,\"b \\\"c\"}','{{1,2},{3,NULL}}','1.2.3.4/24','k=>v',(7,'x'),'1 day','[1,5)')",
       "insert into t(id) values (2)"});
  for (const FakeHost::Settings& of :
       {FakeHost::Settings{{"tables", "\"public\".\"t\""}}, FakeHost::Settings{{"query", "select * from t ;"}}}) {
    (void)host_.take_records();
    FakeHost::Settings more = of;
    more.insert({{"mode", "bulk"}, {"millrace.other.types", "text"}, {"poll.interval.ms", "3600000"}});
    sdk::TaskRunner task(host_, plugin(), settings(more));
    const auto started = task.start();
    ASSERT_TRUE(started.ok()) << started.message();
    poll_until(task, 2);
    EXPECT_EQ(host_.value_texts()[0],
              "Struct{id=1,Ta gs=[\"a\",\"b \\\"c\"],n=[[1,2],[3,null]],ip=1.2.3.4/24,h={\"k\": \"v\"},"
              "p={\"a\":7,\"b\":\"x\"},i=1 day,r=[1,5)}");
    EXPECT_EQ(host_.logged(MR_WARN, "left out"), 0U);
  }
}

TEST_F(PostgresSource, OtherTypesKeepTheOrderOfPages) {
  run({"create table t(id int primary key, tags text[])",
       "insert into t select i, array[i::text] from generate_series(1,95) i"});
  sdk::TaskRunner task(host_, plugin(),
                       settings({{"mode", "incrementing"},
                                 {"incrementing.column.name", "id"},
                                 {"tables", "\"public\".\"t\""},
                                 {"millrace.other.types", "text"},
                                 {"millrace.page.rows", "10"}}));
  ASSERT_TRUE(task.start().ok());
  poll_until(task, 95);
  EXPECT_EQ(host_.value_texts()[94], "Struct{id=95,tags=[\"95\"]}");
}

TEST_F(PostgresSource, TablesOfOneNameHaveTopicsBySchema) {
  run({"create schema a", "create schema b", "create table a.t(id int primary key)",
       "create table b.t(id int primary key)", "insert into a.t values (1)", "insert into b.t values (1)"});
  const FakeHost::Settings both{
      {"mode", "incrementing"}, {"table.whitelist", "a.t,b.t"}, {"incrementing.column.name", "id"}};
  {
    sdk::ConnectorRunner connector(host_, plugin());
    ASSERT_TRUE(connector.start(settings(both)).ok());
    EXPECT_THAT(connector.task_configs(1).message(), HasSubstr("duplicate unqualified table names"));
  }
  FakeHost::Settings by_schema = both;
  by_schema["millrace.topic.format"] = "${database}.${schema}.${table}";
  sdk::ConnectorRunner connector(host_, plugin());
  ASSERT_TRUE(connector.start(settings(by_schema)).ok());
  ASSERT_TRUE(connector.task_configs(1).ok());
  sdk::TaskRunner task(host_, plugin(), host_.task_configs().back());
  ASSERT_TRUE(task.start().ok());
  poll_until(task, 2);
  EXPECT_EQ(host_.records()[0].topic, "p_shop.a.t");
  EXPECT_EQ(host_.records()[1].topic, "p_shop.b.t");
  ASSERT_TRUE(connector.stop().ok());
}

TEST_F(PostgresSource, StopsWhileTheTableListIsBeingAskedFor) {
  run({"create table t(id int primary key)"});
  ConnectionSettings owner;
  owner.url = *parse_jdbc_url(server_->url("shop"));
  owner.user = server_->user();
  owner.password = server_->password();
  auto lock = open_session(owner, false, [](int64_t) { return true; });
  ASSERT_TRUE(lock.ok()) << lock.status().message();

  sdk::ConnectorRunner connector(host_, plugin());
  ASSERT_TRUE(
      connector.start(settings({{"mode", "bulk"}, {"table.whitelist", "t"}, {"table.poll.interval.ms", "100"}})).ok());
  ASSERT_TRUE(connector.task_configs(1).ok());  // the session is open from here on
  for (const char* statement : {"BEGIN", "LOCK TABLE pg_catalog.pg_namespace IN ACCESS EXCLUSIVE MODE"}) {
    const Status s = (*lock)->execute(statement);
    ASSERT_TRUE(s.ok()) << s.message();
  }
  while ((*lock)->query("SELECT count(*) FROM pg_catalog.pg_locks WHERE NOT granted")->at(0).at(0) == "0")
    std::this_thread::yield();
  auto stopped = std::async(std::launch::async, [&] { return connector.stop().ok(); });
  EXPECT_EQ(stopped.wait_for(std::chrono::seconds(20)), std::future_status::ready) << "waits for the answer";
  ASSERT_TRUE((*lock)->execute("ROLLBACK").ok());
  EXPECT_TRUE(stopped.get());
  EXPECT_EQ(host_.logged(MR_WARN, "The table list cannot be read"), 0U);
}

TEST_F(PostgresSource, StartsAtAMomentBeforeTheEpoch) {
  run({"create table t(ts timestamp not null)",
       "insert into t values ('1969-12-31 23:59:58.4'),('1969-12-31 23:59:58.6')"});
  sdk::TaskRunner task(host_, plugin(),
                       settings({{"mode", "timestamp"},
                                 {"timestamp.column.name", "ts"},
                                 {"timestamp.initial", "-1500"},
                                 {"timestamp.granularity", "micros_long"},
                                 {"tables", "\"public\".\"t\""}}));
  ASSERT_TRUE(task.start().ok());
  poll_until(task, 1);
  EXPECT_THAT(host_.value_texts(), ElementsAre("Struct{ts=-1400000}"));
}

TEST_F(PostgresSource, RefusesSettingsBeforeAnythingRuns) {
  sdk::ConnectorRunner connector(host_, plugin());
  const auto refused = connector.start(settings({{"connection.url", "jdbc:postgresql://host-without-database"}}));
  EXPECT_EQ(refused.code(), sdk::Code::kInvalidConfig);
  EXPECT_THAT(refused.message(), HasSubstr("jdbc:postgresql://host:port/database"));
}

}  // namespace
}  // namespace millrace::jdbc
