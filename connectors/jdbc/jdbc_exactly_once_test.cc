/// millrace.exactly.once: offsets in the database, in the transactions of the rows. Both databases must agree.
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <set>

#include "connectors/jdbc/jdbc_events_test.h"
#include "connectors/jdbc/session.h"
#include "tests/support/postgres_server.h"

namespace millrace::jdbc {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::string_view kTopic = "p.shop.orders";

/// Runs in MariaDB and in PostgreSQL.
class ExactlyOnce : public EventMaker, public ::testing::WithParamInterface<bool> {
 protected:
  static bool postgres() { return GetParam(); }
  void SetUp() override {
    static millrace::testing::MariaDbServer mariadb;
    static millrace::testing::PostgresServer pg;
    mariadb_ = &mariadb;
    pg_ = &pg;
    const std::string& problem = postgres() ? pg.problem() : mariadb.problem();
    if (!problem.empty()) GTEST_SKIP() << problem;
    const std::vector<std::string> fresh = {"drop database if exists shop", "create database shop"};
    ASSERT_EQ(postgres() ? pg.run(fresh) : mariadb.run(fresh), "");
    prepare();
    plain_ = schema(row_of({{"id", spec(MR_INT32, "", false)}, {"name", spec(MR_STRING)}}, "", false));
    wider_ = schema(
        row_of({{"id", spec(MR_INT32, "", false)}, {"name", spec(MR_STRING)}, {"more", spec(MR_STRING)}}, "", false));
  }
  FakeHost::Settings connection() const override {
    if (postgres()) {
      return {{"connection.url", pg_->url("shop")},
              {"connection.user", pg_->user()},
              {"connection.password", pg_->password()}};
    }
    return {{"connection.url", mariadb_->url("mariadb", "shop")},
            {"connection.user", mariadb_->user()},
            {"connection.password", mariadb_->password()}};
  }
  void sql(const std::vector<std::string>& statements) const {
    ASSERT_EQ(postgres() ? pg_->run(statements, "shop") : mariadb_->run(statements, "shop"), "");
  }
  Rows rows(const std::string& sql) const {
    return postgres() ? pg_->query(sql, "shop").rows : mariadb_->query(sql, "shop").rows;
  }
  std::string cell(const std::string& sql) const {
    const Rows all = rows(sql);
    return all.empty() || all[0].empty() ? "nothing" : all[0][0];
  }
  std::string stored() const { return cell("select " + quoted("offset") + " from millrace_offsets"); }
  /// The server ends all sessions with the database.
  void end_sessions() const {
    if (postgres()) {
      sql(
          {"select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname='shop' and pid <> "
           "pg_backend_pid()"});
      return;
    }
    for (const Row& row : rows("select id from information_schema.processlist where db='shop' and id<>connection_id()"))
      sql({"kill " + row[0]});
  }
  static std::string quoted(const std::string& name) {
    const std::string quote = postgres() ? "\"" : "`";
    return quote + name + quote;
  }

  FakeHost::Settings config(FakeHost::Settings more = {}) const {
    for (const auto& [key, value] : connection()) more.insert({key, value});
    more.insert({{"millrace.exactly.once", "true"},
                 {"auto.create", "true"},
                 {"auto.evolve", "true"},
                 {"max.retries", "0"},
                 {"connection.attempts", "1"},
                 {"table.name.format", "orders"}});
    return more;
  }
  sdk::TaskRunner& task(FakeHost::Settings more = {}, std::string_view sink = kSink) {
    auto& made = tasks_.emplace_back(host_, FakeHost::connector(mr_plugin, sink), config(std::move(more)));
    const auto started = made.start();
    EXPECT_TRUE(started.ok()) << started.message();
    return made;
  }
  static void open_at(sdk::TaskRunner& task, int64_t position) {
    const mr_topic_partition partition{sdk::to_mr(kTopic), 0, 0, position};
    ASSERT_TRUE(task.open({&partition, 1}).ok());
  }
  /// Records of the topic with the offsets [begin, end); the id of a row is its offset.
  std::vector<mr_record> plain(int64_t begin, int64_t end, bool wider = false) {
    std::vector<mr_record> out;
    for (int64_t i = begin; i < end; ++i) {
      mr_record one = record(std::nullopt);
      one.value_schema = wider ? wider_ : plain_;
      one.value = wider ? structure({number(i), text("n"), text("m")}) : structure({number(i), text("n")});
      one.offset = i;
      out.push_back(one);
    }
    return out;
  }
  void expect_each_once(int64_t count) const {
    EXPECT_EQ(rows("select count(*), count(distinct id), coalesce(max(id), -1) from orders"),
              (Rows{{std::to_string(count), std::to_string(count), std::to_string(count - 1)}}));
  }
  static void expect_ok(const sdk::Status& status) { EXPECT_TRUE(status.ok()) << status.message(); }

  inline static millrace::testing::MariaDbServer* mariadb_ = nullptr;
  inline static millrace::testing::PostgresServer* pg_ = nullptr;
  mr_schema_id plain_ = 0, wider_ = 0;
  std::deque<sdk::TaskRunner> tasks_;
};

TEST_P(ExactlyOnce, TheTableOfOffsetsGoesWithTheRows) {
  auto& first = task();
  open_at(first, 0);
  expect_ok(first.put({}));  // nothing to write, but the partition is taken over
  EXPECT_EQ(rows("select * from millrace_offsets"), (Rows{{"test-connector", "p.shop.orders", "0", "0", "1"}}));
  expect_ok(first.put(plain(0, 5)));
  EXPECT_EQ(stored(), "5");
  expect_ok(first.put(plain(5, 9)));
  EXPECT_EQ(stored(), "9");
  EXPECT_THAT(host_.seeks(), IsEmpty());
  expect_each_once(9);
}

TEST_P(ExactlyOnce, ATaskGoesOnWhereTheTableSaysAndNotWhereTheGroupDoes) {
  auto& first = task();
  open_at(first, 0);
  expect_ok(first.put(plain(0, 10)));
  expect_ok(first.stop());
  auto& second = task();
  open_at(second, 3);  // the group's offsets are older
  expect_ok(second.put(plain(3, 10)));
  ASSERT_EQ(host_.seeks().size(), 1U);
  EXPECT_EQ(host_.seeks()[0].offset, 10);
  expect_ok(second.put(plain(10, 12)));
  expect_each_once(12);
  EXPECT_EQ(stored(), "12");
  // A database from a backup stands before the group.
  sql({"delete from orders where id >= 8", "update millrace_offsets set " + quoted("offset") + "=8"});
  auto& third = task();
  open_at(third, 12);
  expect_ok(third.put(plain(12, 14)));
  EXPECT_EQ(host_.seeks().back().offset, 8);
  expect_ok(third.put(plain(8, 14)));
  expect_each_once(14);
}

TEST_P(ExactlyOnce, ALostSessionAsksAgainBeforeItWrites) {
  auto& only = task();
  open_at(only, 0);
  expect_ok(only.put(plain(0, 4)));
  // As a failover to a server that lags: what it has not is read again.
  sql({"delete from orders where id >= 2", "update millrace_offsets set " + quoted("offset") + "=2"});
  end_sessions();
  EXPECT_FALSE(only.put(plain(4, 6)).ok());
  expect_ok(only.put(plain(4, 6)));  // the host brings the same records
  ASSERT_EQ(host_.seeks().size(), 1U);
  EXPECT_EQ(host_.seeks()[0].offset, 2);
  expect_ok(only.put(plain(2, 6)));
  expect_each_once(6);
}

TEST_P(ExactlyOnce, AnOlderTaskIsFenced) {
  auto& zombie = task();
  open_at(zombie, 0);
  expect_ok(zombie.put(plain(0, 3)));
  auto& heir = task();
  open_at(heir, 3);
  expect_ok(heir.put(plain(3, 6)));
  const auto status = zombie.put(plain(3, 6));
  EXPECT_EQ(status.code(), sdk::Code::kInternal);
  EXPECT_THAT(status.message(), HasSubstr("another task of connector 'test-connector' has taken over"));
  expect_each_once(6);
  expect_ok(heir.put(plain(6, 8)));
  expect_each_once(8);
  EXPECT_EQ(cell("select epoch from millrace_offsets"), "2");
}

TEST_P(ExactlyOnce, ATopicThatWasMadeAnewIsNotSkippedSilently) {
  auto& first = task();
  open_at(first, 0);
  expect_ok(first.put(plain(0, 3)));
  const auto status = first.put(plain(0, 2));
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(status.message(), HasSubstr("the topic was created anew"));
  expect_each_once(3);
}

TEST_P(ExactlyOnce, ChangesOfTheTableInTheMiddleCommitNothingByHalves) {
  auto& first = task();
  open_at(first, 0);
  // Creates, writes, widens, writes; then a record that the table refuses fails all.
  std::vector<mr_record> records = plain(0, 3);
  const auto more = plain(3, 6, true);
  records.insert(records.end(), more.begin(), more.end());
  mr_record bad = plain(6, 7)[0];
  bad.value = structure({mr_value{}, text("null where none may be")});
  records.push_back(bad);
  host_.refuse_reports(true);
  EXPECT_FALSE(first.put(records).ok());
  EXPECT_THAT(cell("select count(*) from orders"), ::testing::AnyOf("0", HasSubstr("does not exist")));
  EXPECT_EQ(stored(), "0");
  host_.refuse_reports(false);
  expect_ok(first.put(records));
  expect_each_once(6);
  EXPECT_EQ(stored(), "7") << "a reported record is done with";
  std::set<size_t> indexes;
  for (const auto& report : host_.reports()) indexes.insert(report.index);
  EXPECT_THAT(indexes, ElementsAre(6U));
}

TEST_P(ExactlyOnce, ManyTablesInOnePut) {
  auto& first = task({{"table.name.format", "${topic}"}});
  std::deque<std::string> topics;
  std::vector<mr_record> records;
  for (int i = 0; i < 12; ++i) {
    mr_record one = plain(7, 8)[0];
    one.topic = sdk::to_mr(topics.emplace_back("t" + std::to_string(i)));
    one.original_topic = one.topic;
    records.push_back(one);
  }
  expect_ok(first.put(records));
  for (const std::string& topic : topics) EXPECT_EQ(cell("select count(*) from " + topic), "1") << topic;
  EXPECT_EQ(rows("select count(*), min(" + quoted("offset") + "), max(" + quoted("offset") + ") from millrace_offsets"),
            (Rows{{"12", "8", "8"}}));
}

TEST_P(ExactlyOnce, ChangeEventsWithTruncate) {
  const FakeHost::Settings more = {{"insert.mode", "upsert"},
                                   {"primary.key.mode", "record_key"},
                                   {"schema.evolution", "basic"},
                                   {"delete.enabled", "true"},
                                   {"truncate.enabled", "true"},
                                   {"collection.name.format", "orders"},
                                   {"connection.username", connection().at("connection.user")}};
  auto& first = task(more, kDebezium);
  open_at(first, 0);
  upsert("c", 1, text("a"));
  upsert("c", 2, text("b"));
  event("t", std::nullopt, std::nullopt);
  upsert("c", 3, text("c"));
  upsert("c", 4, text("d"));
  event("d", 3, std::nullopt);
  expect_ok(first.put(records_));
  EXPECT_EQ(rows("select id, name from orders"), (Rows{{"4", "d"}}));
  EXPECT_EQ(stored(), "6");
  auto& second = task(more, kDebezium);
  open_at(second, 0);
  expect_ok(second.put(records_));
  EXPECT_EQ(host_.seeks().back().offset, 6);
  EXPECT_EQ(rows("select id, name from orders"), (Rows{{"4", "d"}}));
}

TEST_P(ExactlyOnce, ATableWithoutTransactionsFailsTheTaskAndGivesUpNoRecord) {
  if (postgres()) GTEST_SKIP() << "all tables of PostgreSQL have transactions";
  for (const char* engine : {"MyISAM", "Aria"}) {
    sql({"create or replace table orders(id int, name text) engine=" + std::string(engine)});
    auto& sink = task();
    open_at(sink, 0);
    const auto status = sink.put(plain(0, 5));
    EXPECT_THAT(status.message(), HasSubstr("table shop.orders has the engine " + std::string(engine)));
    EXPECT_THAT(status.message(), HasSubstr("ALTER TABLE shop.orders ENGINE=InnoDB"));
    EXPECT_EQ(rows("select count(*) from orders"), (Rows{{"0"}}));
    EXPECT_THAT(host_.reports(), IsEmpty());
  }
  sql({"alter table orders engine=InnoDB"});
  auto& sink = task();
  open_at(sink, 0);
  expect_ok(sink.put(plain(0, 5)));
  expect_each_once(5);
  sql({"alter table millrace_offsets engine=Aria"});
  auto& other = task();
  open_at(other, 5);
  EXPECT_THAT(other.put(plain(5, 6)).message(), HasSubstr("millrace_offsets has the engine Aria"));
}

TEST_P(ExactlyOnce, AWrongTableOfOffsetsIsAPlainError) {
  sql({"create table mine(id int)"});
  auto& first = task({{"millrace.exactly.once.table", "mine"}});
  const auto status = first.put(plain(0, 1));
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(status.message(), HasSubstr("mine"));
}

/// The client libraries close their socket when a connection is lost; its number is then anyone's.
TEST_P(ExactlyOnce, InterruptingALostSessionLeavesOthersSocketsAlone) {
  ConnectionSettings how;
  const auto where = connection();
  auto url = parse_jdbc_url(where.at("connection.url"));
  ASSERT_TRUE(url.ok());
  how.url = std::move(*url);
  how.user = where.at("connection.user");
  how.password = where.at("connection.password");
  auto session = open_session(how, true, [](int64_t) { return true; });
  ASSERT_TRUE(session.ok());
  end_sessions();
  ASSERT_FALSE((*session)->execute("SELECT 1").ok());
  ASSERT_TRUE((*session)->broken());
  std::array<std::array<int, 2>, 8> others{};
  for (auto& pair : others) ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair.data()), 0);
  (*session)->interrupt();
  session->reset();
  for (const auto& pair : others) {
    const char byte = 'x';
    EXPECT_EQ(::send(pair[0], &byte, 1, MSG_NOSIGNAL), 1);
    EXPECT_EQ(::send(pair[1], &byte, 1, MSG_NOSIGNAL), 1);
    close(pair[0]);
    close(pair[1]);
  }
}

INSTANTIATE_TEST_SUITE_P(Databases, ExactlyOnce, ::testing::Bool(),
                         [](const auto& one) { return one.param ? "PostgreSQL" : "MariaDB"; });

}  // namespace
}  // namespace millrace::jdbc
