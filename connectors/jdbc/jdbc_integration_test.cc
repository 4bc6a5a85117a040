/// The plugin against a private MariaDB server, driven as the worker drives it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <chrono>
#include <millrace/testing.hpp>
#include <thread>

#include "connectors/jdbc/session.h"
#include "tests/support/mariadb_server.h"

extern "C" const mr_plugin_v1* mr_plugin(const mr_host_v1* host) noexcept;

namespace millrace::jdbc {
namespace {

using sdk::FakeHost;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view kSource = "io.confluent.connect.jdbc.JdbcSourceConnector",
                           kSink = "io.confluent.connect.jdbc.JdbcSinkConnector";

/// One server for all tests of the binary: starting it takes a second or two.
class Jdbc : public ::testing::Test {
 protected:
  void SetUp() override {
    static millrace::testing::MariaDbServer server;
    server_ = &server;
    if (!server_->problem().empty()) GTEST_SKIP() << server_->problem();
    ASSERT_EQ(server_->run({"drop database if exists shop", "create database shop character set utf8mb4"}), "");
    host_.on_wait([](int64_t ms) { std::this_thread::sleep_for(std::chrono::milliseconds(std::min<int64_t>(ms, 5))); });
  }
  void run(std::vector<std::string> statements) { ASSERT_EQ(server_->run(statements, "shop"), ""); }
  FakeHost::Settings settings(FakeHost::Settings more) const {
    more.insert({{"connection.url", server_->url("mariadb", "shop")},
                 {"connection.user", server_->user()},
                 {"connection.password", server_->password()}});
    return more;
  }
  /// Polls until `count` records have come, or half a minute has passed.
  void poll_until(sdk::TaskRunner& task, size_t count) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (host_.records().size() < count && std::chrono::steady_clock::now() < deadline) ASSERT_TRUE(task.poll().ok());
    ASSERT_EQ(host_.records().size(), count);
  }

  static millrace::testing::MariaDbServer* server_;
  FakeHost host_;
};
millrace::testing::MariaDbServer* Jdbc::server_ = nullptr;

TEST_F(Jdbc, IncrementingSourceGoesOnWhereItStopped) {
  run(
      {"create table users(id int auto_increment primary key, user_id varchar(20), created_at datetime default "
       "'2024-05-06 07:08:09')",
       "insert into users(user_id) values('user1'),('사용자')"});
  const auto config = settings({{"mode", "incrementing"},
                                {"incrementing.column.name", "id"},
                                {"tables", "`shop`.`users`"},
                                {"topic.prefix", "my_topic_"},
                                {"poll.interval.ms", "20"}});
  {
    sdk::TaskRunner task(host_, FakeHost::connector(mr_plugin, kSource), config);
    const auto started = task.start();
    ASSERT_TRUE(started.ok()) << started.message();
    poll_until(task, 2);
    EXPECT_EQ(host_.records()[0].topic, "my_topic_users");
    EXPECT_THAT(host_.value_texts(), ElementsAre(HasSubstr("id=1,user_id=user1"), HasSubstr("id=2,user_id=사용자")));
    EXPECT_EQ(host_.records()[1].source_partition.text(), "{protocol=1, table=shop.users}");
    EXPECT_EQ(host_.records()[1].source_offset.text(), "{incrementing=2}");
    run({"insert into users(user_id) values('user3')"});
    poll_until(task, 3);
    host_.store_emitted_offsets();
    ASSERT_TRUE(task.stop().ok());
  }
  run({"insert into users(user_id) values('user4')"});
  sdk::TaskRunner task(host_, FakeHost::connector(mr_plugin, kSource), config);
  ASSERT_TRUE(task.start().ok());
  poll_until(task, 4);
  EXPECT_EQ(host_.records()[3].source_offset.text(), "{incrementing=4}");
}

TEST_F(Jdbc, SourceReconnectsAfterTheServerWasAway) {
  run({"create table orders(id int auto_increment primary key)", "insert into orders values(),()"});
  sdk::TaskRunner task(host_, FakeHost::connector(mr_plugin, kSource),
                       settings({{"mode", "incrementing"},
                                 {"tables", "`shop`.`orders`"},
                                 {"poll.interval.ms", "10"},
                                 {"connection.attempts", "1"}}));
  ASSERT_TRUE(task.start().ok());
  poll_until(task, 2);
  server_->stop();
  sdk::Status away = task.poll();
  while (away.ok()) away = task.poll();  // until the table is due
  EXPECT_EQ(away.code(), sdk::Code::kUnavailable) << away.message();
  EXPECT_THAT(away.message(), HasSubstr(server_->host_port()));
  EXPECT_THAT(away.message(), ::testing::Not(HasSubstr(server_->password())));
  server_->start();
  run({"insert into orders values()"});
  poll_until(task, 3);
  EXPECT_EQ(host_.records()[2].source_offset.text(), "{incrementing=3}");
}

TEST_F(Jdbc, ConnectorDealsTablesToTasks) {
  run({"create table a(id int primary key)", "create table b(id int primary key)",
       "create table c(id int primary key)"});
  ASSERT_EQ(server_->run({"create database if not exists elsewhere",
                          "create table if not exists elsewhere.a(id int primary key)"}),
            "");
  sdk::ConnectorRunner connector(host_, FakeHost::connector(mr_plugin, kSource));
  ASSERT_TRUE(
      connector.start(settings({{"mode", "bulk"}, {"table.whitelist", "a,b,c"}, {"table.poll.interval.ms", "100"}}))
          .ok());
  ASSERT_TRUE(connector.task_configs(2).ok());
  ASSERT_EQ(host_.task_configs().size(), 2U);
  EXPECT_EQ(host_.task_configs()[0].at("tables"), "`shop`.`a`,`shop`.`b`");
  EXPECT_EQ(host_.task_configs()[1].at("tables"), "`shop`.`c`");
  EXPECT_TRUE(connector.stop().ok());
}

TEST_F(Jdbc, SaysThatThereIsNoTableWhenTheFirstListCameLateAndEmpty) {
  server_->stop();
  sdk::ConnectorRunner connector(host_, FakeHost::connector(mr_plugin, kSource));
  ASSERT_TRUE(connector
                  .start(settings({{"mode", "bulk"},
                                   {"table.whitelist", "a"},
                                   {"table.poll.interval.ms", "100"},
                                   {"table.monitoring.startup.polling.limit.ms", "0"},
                                   {"connection.attempts", "1000"},
                                   {"connection.backoff.ms", "20"}}))
                  .ok());
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(connector.task_configs(1).ok());
    EXPECT_EQ(host_.task_configs().back().at("tables.fetched"), "false");
  }
  sdk::TaskRunner idle(host_, FakeHost::connector(mr_plugin, kSource), host_.task_configs().back());
  EXPECT_TRUE(idle.start().ok());
  server_->start();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (host_.reconfiguration_requests() == 0 && std::chrono::steady_clock::now() < deadline)
    std::this_thread::yield();
  ASSERT_EQ(host_.reconfiguration_requests(), 1U);
  ASSERT_TRUE(connector.task_configs(1).ok());
  sdk::TaskRunner task(host_, FakeHost::connector(mr_plugin, kSource), host_.task_configs().back());
  const auto started = task.start();
  EXPECT_EQ(started.code(), sdk::Code::kInvalidConfig);
  EXPECT_THAT(started.message(), HasSubstr("it was not assigned a table"));
  EXPECT_TRUE(connector.stop().ok());
}

TEST_F(Jdbc, InterruptBreaksARunningQuery) {
  run({"create table t(id int primary key)"});
  sdk::TaskRunner task(host_, FakeHost::connector(mr_plugin, kSource),
                       settings({{"mode", "bulk"}, {"query", "SELECT SLEEP(30) AS s"}, {"topic.prefix", "q"}}));
  ASSERT_TRUE(task.start().ok());
  const auto before = std::chrono::steady_clock::now();
  std::thread other([&] {
    while (server_->query("SELECT count(*) FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%'")
               .rows[0][0] == "0")
      std::this_thread::yield();
    host_.stop();
    task.interrupt();
  });
  EXPECT_EQ(task.poll().code(), sdk::Code::kStopped);
  other.join();
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(10));
}

/// A session of its own, without the plugin around it.
class Sessions : public Jdbc {
 protected:
  static std::unique_ptr<Session> open(const std::string& database, const std::string& parameters, bool for_writing) {
    ConnectionSettings settings;
    settings.url = *parse_jdbc_url(server_->url("mariadb", database) + parameters);
    settings.user = server_->user();
    settings.password = server_->password();
    auto opened = open_session(settings, for_writing, [](int64_t) { return true; });
    EXPECT_TRUE(opened.ok()) << opened.status().message();
    return opened.ok() ? std::move(*opened) : nullptr;
  }
  static std::string value(Session& session, const std::string& sql) {
    auto rows = session.query(sql);
    EXPECT_TRUE(rows.ok()) << rows.status().message();
    return rows.ok() ? rows->at(0).at(0).value_or("NULL") : "";
  }
};

TEST_F(Sessions, WriteAtReadCommittedByWordsThatAllServersKnow) {
  ASSERT_EQ(
      server_->run({"set global log_output='TABLE'", "truncate table mysql.general_log", "set global general_log=1"}),
      "");
  auto session = open("shop", "", true);
  ASSERT_EQ(server_->run({"set global general_log=0"}), "");
  ASSERT_NE(session, nullptr);
  EXPECT_EQ(value(*session, "select @@tx_isolation"), "READ-COMMITTED");
  EXPECT_EQ(server_->query("select count(*) from mysql.general_log where argument like 'SET SESSION %tx_isolation%'")
                .rows[0][0],
            "0");
  EXPECT_EQ(value(*open("shop", "?sessionVariables=tx_isolation='SERIALIZABLE'", true), "select @@tx_isolation"),
            "SERIALIZABLE");
}

TEST_F(Sessions, NoticeAServerThatIsGoneWithoutAWord) {
  auto session = open("shop", "", false);
  ASSERT_NE(session, nullptr);
  const std::string address = server_->host_port();
  const int port = std::stoi(address.substr(address.rfind(':') + 1));
  int found = 0;
  for (int fd = 3; fd < 1024; ++fd) {
    sockaddr_in peer{};
    socklen_t size = sizeof(peer);
    if (getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0 || ntohs(peer.sin_port) != port) continue;
    const auto option = [&](int level, int name) {
      int number = -1;
      socklen_t bytes = sizeof(number);
      getsockopt(fd, level, name, &number, &bytes);
      return number;
    };
    if (option(SOL_SOCKET, SO_KEEPALIVE) != 1) continue;  // someone else's
    ++found;
    EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPIDLE), 60);
    EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPINTVL), 10);
    EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPCNT), 6);
    EXPECT_EQ(option(IPPROTO_TCP, TCP_USER_TIMEOUT), 60'000);
  }
  EXPECT_GT(found, 0);
}

TEST_F(Sessions, CreateADatabaseOfAnyName) {
  ASSERT_EQ(server_->run({"drop database if exists `od``d`"}), "");
  auto session = open("od%60d", "?createDatabaseIfNotExist=true", false);
  ASSERT_NE(session, nullptr);
  EXPECT_EQ(value(*session, "select database()"), "od`d");
  ASSERT_EQ(server_->run({"drop database `od``d`"}), "");
}

/// Sink records over schemas of the fake host.
class Sink : public Jdbc {
 protected:
  mr_schema_id plain(mr_kind type, bool optional) {
    mr_schema schema{};
    schema.struct_size = sizeof(schema);
    schema.type = static_cast<uint8_t>(type);
    schema.optional = optional ? 1 : 0;
    return host_.add_schema(schema);
  }
  mr_schema_id row(std::vector<std::pair<std::string, mr_schema_id>> fields) {
    std::vector<mr_field> raw;
    for (const auto& [name, id] : fields) raw.push_back({sdk::to_mr(name), id, 0});
    mr_schema schema{};
    schema.struct_size = sizeof(schema);
    schema.type = MR_STRUCT;
    schema.fields = raw.data();
    schema.field_count = raw.size();
    return host_.add_schema(schema);
  }
  void add(mr_schema_id schema, std::vector<mr_value> fields) {
    auto& kept = values_.emplace_back(std::move(fields));
    mr_record record{};
    record.topic = sdk::to_mr("orders");
    record.value_schema = schema;
    record.value.kind = MR_STRUCT;
    record.value.size = static_cast<uint32_t>(kept.size());
    record.value.u.items = kept.data();
    record.key = kept[0];
    record.key_schema = plain(MR_INT32, false);
    record.offset = static_cast<int64_t>(records_.size());
    record.timestamp_ms = MR_NO_TIMESTAMP;
    records_.push_back(record);
  }
  static mr_value number(int64_t n) { return sdk::int_value(MR_INT32, n); }
  std::deque<std::vector<mr_value>> values_;
  std::vector<mr_record> records_;
};

TEST_F(Sink, CreatesWritesAndEvolves) {
  const auto first = row({{"id", plain(MR_INT32, false)}, {"name", plain(MR_STRING, true)}});
  const auto second =
      row({{"id", plain(MR_INT32, false)}, {"name", plain(MR_STRING, true)}, {"qty", plain(MR_INT32, true)}});
  sdk::TaskRunner task(host_, FakeHost::connector(mr_plugin, kSink),
                       settings({{"auto.create", "true"},
                                 {"auto.evolve", "true"},
                                 {"insert.mode", "upsert"},
                                 {"pk.mode", "record_value"},
                                 {"pk.fields", "id"}}));
  ASSERT_TRUE(task.start().ok());
  std::vector<std::string> names;
  for (int i = 0; i < 5000; ++i) names.push_back("name " + std::to_string(i));
  for (int i = 0; i < 5000; ++i)
    add(first, {number(i), i % 7 == 0 ? mr_value{} : sdk::string_value(names[static_cast<size_t>(i)])});
  add(second, {number(1), sdk::string_value("changed"), number(9)});
  const auto status = task.put(records_);
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(server_->query("select count(*), sum(name is null), max(qty), max(name) from orders", "shop").rows[0],
            (std::vector<std::string>{"5000", "715", "9", "name 999"}));
  EXPECT_EQ(server_->query("select name from orders where id in (1, 4999) order by id", "shop").rows,
            (std::vector<std::vector<std::string>>{{"changed"}, {"name 4999"}}));
}

TEST_F(Sink, ReportsTheBadRecordAndWritesTheOthers) {
  run({"create table orders(id int primary key, name varchar(20))", "insert into orders values(77,'old')"});
  const auto schema = row({{"id", plain(MR_INT32, false)}, {"name", plain(MR_STRING, true)}});
  sdk::TaskRunner task(host_, FakeHost::connector(mr_plugin, kSink), settings({{"max.retries", "0"}}));
  ASSERT_TRUE(task.start().ok());
  for (int i = 0; i < 200; ++i) add(schema, {number(i), sdk::string_value("x")});
  ASSERT_TRUE(task.put(records_).ok());
  ASSERT_EQ(host_.reports().size(), 1U);
  EXPECT_EQ(host_.reports()[0].index, 77U);
  EXPECT_THAT(host_.reports()[0].message, HasSubstr("Duplicate entry '77'"));
  EXPECT_EQ(server_->query("select count(*), max(name = 'old') from orders", "shop").rows[0],
            (std::vector<std::string>{"200", "1"}));
}

TEST_F(Sink, WritesNothingWhenTheReportFailsTheTask) {
  run({"create table orders(id int primary key, name varchar(20))", "insert into orders values(7,'old')"});
  const auto schema = row({{"id", plain(MR_INT32, false)}, {"name", plain(MR_STRING, true)}});
  host_.refuse_reports(true);
  sdk::TaskRunner task(host_, FakeHost::connector(mr_plugin, kSink), settings({{"max.retries", "0"}}));
  ASSERT_TRUE(task.start().ok());
  for (int i = 0; i < 10; ++i) add(schema, {number(i), sdk::string_value("x")});
  EXPECT_FALSE(task.put(records_).ok());
  EXPECT_EQ(server_->query("select count(*) from orders", "shop").rows[0][0], "1");
}

TEST_F(Jdbc, ValidationSaysWhatIsWrongWithTheLogin) {
  const mr_connector_v1* source = FakeHost::connector(mr_plugin, kSource);
  auto config = settings({{"mode", "bulk"}, {"table.whitelist", "t"}});
  config["connection.password"] = "wrong";
  std::vector<mr_pair> pairs;
  for (const auto& [key, value] : config) pairs.push_back({sdk::to_mr(key), sdk::to_mr(value)});
  const mr_config raw{pairs.data(), pairs.size()};
  mr_error error{};
  EXPECT_EQ(source->validate(host_.context(), &raw, &error), MR_OK);
  ASSERT_EQ(host_.config_errors().size(), 1U);
  EXPECT_EQ(host_.config_errors()[0].key, "connection.url");
  EXPECT_THAT(host_.config_errors()[0].message,
              HasSubstr("Could not connect to database. Access denied for user 'root'"));
}

}  // namespace
}  // namespace millrace::jdbc
