/// The source against a private MariaDB and a private PostgreSQL: what must hold for both.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <concepts>
#include <millrace/testing.hpp>
#include <thread>

#include "tests/support/mariadb_server.h"
#include "tests/support/postgres_server.h"

extern "C" const mr_plugin_v1* mr_plugin(const mr_host_v1* host) noexcept;

namespace millrace::jdbc {
namespace {

using sdk::FakeHost;
using sdk::Status;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

/// Either server, with an empty database `shop`.
class Database {
 public:
  virtual ~Database() = default;
  virtual std::string problem() const = 0;
  virtual std::string recreate() = 0;
  virtual std::string run(const std::vector<std::string>& statements) = 0;
  virtual FakeHost::Settings connection() const = 0;
  virtual std::string table(const std::string& name) const = 0;  ///< as in the setting `tables`
  virtual std::string rows(int count) const = 0;                 ///< a SELECT of 1 to count
  virtual void stop() = 0;
  virtual void start() = 0;
};

class MariaDb final : public Database {
 public:
  std::string problem() const override { return server_.problem(); }
  std::string recreate() override {
    return server_.run({"drop database if exists shop", "create database shop character set utf8mb4"});
  }
  std::string run(const std::vector<std::string>& statements) override { return server_.run(statements, "shop"); }
  FakeHost::Settings connection() const override {
    return {{"connection.url", server_.url("mariadb", "shop")},
            {"connection.user", server_.user()},
            {"connection.password", server_.password()}};
  }
  std::string table(const std::string& name) const override { return "`shop`.`" + name + "`"; }
  std::string rows(int count) const override { return "select seq from seq_1_to_" + std::to_string(count); }
  void stop() override { server_.stop(); }
  void start() override { server_.start(); }

 private:
  testing::MariaDbServer server_;
};

class Postgres final : public Database {
 public:
  std::string problem() const override { return server_.problem(); }
  std::string recreate() override {
    return server_.run({"drop database if exists shop with (force)", "create database shop"});
  }
  std::string run(const std::vector<std::string>& statements) override { return server_.run(statements, "shop"); }
  FakeHost::Settings connection() const override {
    return {{"connection.url", server_.url("shop")},
            {"connection.user", server_.user()},
            {"connection.password", server_.password()}};
  }
  std::string table(const std::string& name) const override { return "\"public\".\"" + name + "\""; }
  std::string rows(int count) const override { return "select generate_series(1," + std::to_string(count) + ")"; }
  void stop() override { server_.stop(); }
  void start() override { server_.start(); }

 private:
  testing::PostgresServer server_;
};

class JdbcSource : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    static MariaDb mariadb;
    static Postgres postgres;
    database_ = GetParam() == "MariaDb" ? static_cast<Database*>(&mariadb) : &postgres;
    if (!database_->problem().empty()) GTEST_SKIP() << database_->problem();
    ASSERT_EQ(database_->recreate(), "");
    host_.on_wait([](int64_t ms) { std::this_thread::sleep_for(std::chrono::milliseconds(std::min<int64_t>(ms, 5))); });
  }
  void run(const std::vector<std::string>& statements) { ASSERT_EQ(database_->run(statements), ""); }
  FakeHost::Settings settings(FakeHost::Settings more) const {
    more.merge(database_->connection());
    more.insert({{"connection.attempts", "1"}, {"poll.interval.ms", "10"}, {"topic.prefix", "p_"}});
    return more;
  }
  static const mr_connector_v1* plugin() {
    return FakeHost::connector(mr_plugin, "io.confluent.connect.jdbc.JdbcSourceConnector");
  }
  /// Polls until the condition holds; trouble that passes is waited out.
  template <std::predicate Condition>
  void poll_until(sdk::TaskRunner& task, Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!condition() && std::chrono::steady_clock::now() < deadline) {
      const auto polled = task.poll();
      ASSERT_TRUE(polled.ok()) << polled.message();
    }
    ASSERT_TRUE(condition());
  }
  void poll_until(sdk::TaskRunner& task, size_t count) {
    poll_until(task, [&] { return host_.records().size() >= count; });
    ASSERT_EQ(host_.records().size(), count);
  }
  /// What a poll that does not succeed says.
  static Status first_failure(sdk::TaskRunner& task) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    Status polled = task.poll();
    while (polled.ok() && std::chrono::steady_clock::now() < deadline) polled = task.poll();
    return polled;
  }
  /// The offsets of incrementing mode are the ids of the rows.
  void expect_ids_from_1_to(size_t count) {
    ASSERT_EQ(host_.records().size(), count);
    for (size_t i = 0; i < count; ++i)
      ASSERT_EQ(host_.records()[i].source_offset.text(), "{incrementing=" + std::to_string(i + 1) + "}");
  }

  Database* database_ = nullptr;
  FakeHost host_;
};

INSTANTIATE_TEST_SUITE_P(Databases, JdbcSource, ::testing::Values("MariaDb", "Postgres"),
                         [](const auto& each) { return each.param; });

TEST_P(JdbcSource, PagesFollowWithoutAPauseAndGoOnAfterARestart) {
  run({"create table t(id int primary key)", "insert into t " + database_->rows(50)});
  const auto config = settings({{"mode", "incrementing"},
                                {"incrementing.column.name", "id"},
                                {"tables", database_->table("t")},
                                {"poll.interval.ms", "3600000"},
                                {"batch.max.rows", "4"},
                                {"millrace.page.rows", "10"}});
  {
    sdk::TaskRunner task(host_, plugin(), config);
    ASSERT_TRUE(task.start().ok());
    poll_until(task, [&] { return host_.records().size() >= 22; });  // in the middle of the third page
    host_.store_emitted_offsets();
  }
  sdk::TaskRunner task(host_, plugin(), config);
  ASSERT_TRUE(task.start().ok());
  poll_until(task, 50);
  expect_ids_from_1_to(50);
}

TEST_P(JdbcSource, PagesByTimeAndIdSplitRowsOfOneMoment) {
  run({"create table t(id int primary key, at timestamp(6) not null)",
       "insert into t select q.*, timestamp'2024-05-06 07:08:09.123456' from (" + database_->rows(25) + ") q"});
  sdk::TaskRunner task(host_, plugin(),
                       settings({{"mode", "timestamp+incrementing"},
                                 {"incrementing.column.name", "id"},
                                 {"timestamp.column.name", "at"},
                                 {"tables", database_->table("t")},
                                 {"poll.interval.ms", "3600000"},
                                 {"millrace.page.rows", "10"}}));
  ASSERT_TRUE(task.start().ok());
  poll_until(task, 25);
  for (size_t i = 0; i < 25; ++i)
    EXPECT_EQ(host_.records()[i].source_offset.entry("incrementing").u.i64, static_cast<int64_t>(i + 1));
}

TEST_P(JdbcSource, PagesNeedAnIncrementingColumn) {
  sdk::TaskRunner task(host_, plugin(),
                       settings({{"mode", "bulk"}, {"tables", database_->table("t")}, {"millrace.page.rows", "10"}}));
  const auto refused = task.start();
  EXPECT_EQ(refused.code(), sdk::Code::kInvalidConfig);
  EXPECT_THAT(refused.message(), HasSubstr("millrace.page.rows needs mode incrementing"));
}

TEST_P(JdbcSource, AServerKilledInTheMiddleCostsNoRow) {
  for (const char* pages : {"0", "3000"}) {
    (void)host_.take_records();
    ASSERT_EQ(database_->recreate(), "");
    run({"create table t(id int primary key, filler text)",
         "insert into t select q.*, repeat('x', 1000) from (" + database_->rows(20000) + ") q"});
    sdk::TaskRunner task(host_, plugin(),
                         settings({{"mode", "incrementing"},
                                   {"incrementing.column.name", "id"},
                                   {"tables", database_->table("t")},
                                   {"millrace.page.rows", pages},
                                   {"batch.max.rows", "100"}}));
    ASSERT_TRUE(task.start().ok());
    poll_until(task, [&] { return host_.records().size() >= 5000; });
    database_->stop();
    const Status away = first_failure(task);
    EXPECT_EQ(away.code(), sdk::Code::kUnavailable) << away.message();
    EXPECT_THAT(away.message(), Not(HasSubstr("the statement was")));
    EXPECT_LT(host_.records().size(), 20000U);
    database_->start();
    poll_until(task, 20000);
    expect_ids_from_1_to(20000);
  }
}

TEST_P(JdbcSource, APermanentErrorFailsAtOnceWithTheStatement) {
  run({"create table t(id int primary key, v int)", "insert into t values (1,1)"});
  sdk::TaskRunner task(
      host_, plugin(),
      settings({{"mode", "incrementing"}, {"incrementing.column.name", "id"}, {"tables", database_->table("t")}}));
  ASSERT_TRUE(task.start().ok());
  poll_until(task, 1);
  run({"alter table t rename column id to other"});
  const Status failed = first_failure(task);
  EXPECT_EQ(failed.code(), sdk::Code::kInternal);
  EXPECT_THAT(failed.message(), HasSubstr("SQLSTATE 42"));  // the server's words
  EXPECT_THAT(failed.message(), HasSubstr("the statement was: SELECT * FROM " + database_->table("t") + " WHERE "));
}

TEST_P(JdbcSource, AMaskedQueryStaysMasked) {
  sdk::TaskRunner task(host_, plugin(),
                       settings({{"mode", "bulk"}, {"query.masked", "SELECT 'secret' FROM no_such_table"}}));
  ASSERT_TRUE(task.start().ok());
  const Status failed = first_failure(task);
  EXPECT_THAT(failed.message(), HasSubstr("the statement was: <redacted>"));
  EXPECT_THAT(failed.message(), Not(HasSubstr("secret")));
}

TEST_P(JdbcSource, ManyIdleTablesAreAskedTogetherAndEachChangeArrives) {
  constexpr int kTables = 250;
  for (const char* mode : {"incrementing", "timestamp", "timestamp+incrementing"}) {
    ASSERT_EQ(database_->recreate(), "");
    (void)host_.take_records();
    std::vector<std::string> create;
    std::string tables;
    for (int i = 0; i < kTables; ++i) {
      create.push_back("create table t" + std::to_string(i) +
                       "(id int primary key, at timestamp(6) not null default current_timestamp(6))");
      tables += (i == 0 ? "" : ",") + database_->table("t" + std::to_string(i));
    }
    create.push_back("insert into t3(id, at) values (1, timestamp'2024-05-06 07:08:09.123456')");
    run(create);
    sdk::TaskRunner task(host_, plugin(),
                         settings({{"mode", mode},
                                   {"incrementing.column.name", "id"},
                                   {"timestamp.column.name", "at"},
                                   {"tables", tables},
                                   {"poll.interval.ms", "1"}}));
    ASSERT_TRUE(task.start().ok());
    for (int i = 0; i < 2 * kTables; ++i) ASSERT_TRUE(task.poll().ok());  // each has had its first query
    ASSERT_EQ(host_.records().size(), 1U);
    // From here on a poll is a probe of a hundred tables or reads one that has rows, so a few polls see all changes.
    for (const int table : {3, 77, 249}) {
      run({"insert into t" + std::to_string(table) + "(id, at) values (" + (table == 3 ? "2" : "1") +
           ", timestamp'2024-05-07 07:08:09.654321')"});
      const size_t before = host_.records().size();
      int polls = 0;
      while (host_.records().size() == before && polls < 20) {
        ASSERT_TRUE(task.poll().ok());
        ++polls;
      }
      ASSERT_EQ(host_.records().size(), before + 1) << mode << " t" << table << " after " << polls << " polls";
      EXPECT_EQ(host_.records().back().topic, "p_t" + std::to_string(table));
    }
  }
}

TEST_P(JdbcSource, ATableThatIsDroppedIsNamed) {
  run({"create table a(id int primary key)", "create table b(id int primary key)"});
  sdk::TaskRunner task(host_, plugin(),
                       settings({{"mode", "incrementing"},
                                 {"incrementing.column.name", "id"},
                                 {"tables", database_->table("a") + "," + database_->table("b")}}));
  ASSERT_TRUE(task.start().ok());
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(task.poll().ok());
  run({"drop table b"});
  const Status failed = first_failure(task);
  EXPECT_THAT(failed.message(), HasSubstr("Reading table " + database_->table("b") + " failed"));
}

TEST_P(JdbcSource, ThePrimaryKeyIsTheKeyOnRequest) {
  run({"create table t(a int not null, v varchar(9), b varchar(9) not null, primary key(b, a))",
       "insert into t values (1,'v','x')", "create table keyless(v int)", "insert into keyless values (1)"});
  sdk::TaskRunner task(host_, plugin(),
                       settings({{"mode", "bulk"},
                                 {"tables", database_->table("t") + "," + database_->table("keyless")},
                                 {"millrace.key", "primary_key"},
                                 {"poll.interval.ms", "3600000"}}));
  ASSERT_TRUE(task.start().ok());
  poll_until(task, 2);
  const auto& record = host_.records()[0];
  EXPECT_EQ(host_.text(record.key, record.key_schema), "Struct{a=1,b=x}");
  EXPECT_EQ(host_.text(record.value, record.value_schema), "Struct{a=1,v=v,b=x}");
  EXPECT_TRUE(host_.records()[1].key.null());
  EXPECT_EQ(host_.logged(MR_WARN, "keyless has no primary key"), 1U);
}

TEST_P(JdbcSource, RowsOfOneMomentAreNotLostAtARestart) {
  run({"create table t(id int primary key, at timestamp not null)",
       "insert into t values (1,timestamp'2024-05-06 07:08:09'),(2,timestamp'2024-05-06 07:08:10'),"
       "(3,timestamp'2024-05-06 07:08:10')"});
  const auto config = settings({{"mode", "timestamp"},
                                {"timestamp.column.name", "at"},
                                {"tables", database_->table("t")},
                                {"batch.max.rows", "1"}});
  {
    sdk::TaskRunner task(host_, plugin(), config);
    ASSERT_TRUE(task.start().ok());
    poll_until(task, 2);  // the third row has the time of the second
    host_.store_emitted_offsets();
  }
  sdk::TaskRunner task(host_, plugin(), config);
  ASSERT_TRUE(task.start().ok());
  poll_until(task, 4);  // the second again, and the third
  EXPECT_THAT(host_.value_texts().back(), HasSubstr("id=3"));
}

}  // namespace
}  // namespace millrace::jdbc
