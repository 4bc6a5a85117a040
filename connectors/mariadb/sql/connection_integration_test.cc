#include "connectors/mariadb/sql/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <future>

#include "connectors/mariadb/sql/sql_error.h"
#include "tests/support/mariadb_server.h"

namespace millrace::mariadb {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Tls = ConnectionOptions::Tls;

class ConnectionTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    server_ = std::make_unique<testing::MariaDbServer>(std::vector<std::string>{"--sql-mode=ANSI_QUOTES"});
  }
  static void TearDownTestSuite() { server_.reset(); }
  void SetUp() override {
    if (!server_->problem().empty()) GTEST_SKIP() << server_->problem();
    ASSERT_EQ(server_->run({"CREATE DATABASE IF NOT EXISTS test"}), "");
  }
  static ConnectionOptions options() {
    ConnectionOptions out;
    out.host = "127.0.0.1";
    out.port = static_cast<uint16_t>(server_->port());
    out.user = server_->user();
    out.password = server_->password();
    return out;
  }
  static std::unique_ptr<Connection> open(const ConnectionOptions& with) {
    auto opened = Connection::open(with);
    EXPECT_TRUE(opened.ok()) << (opened.ok() ? "" : opened.status().message());
    return opened.ok() ? std::move(*opened) : nullptr;
  }
  static Status refused(const ConnectionOptions& with) {
    auto opened = Connection::open(with);
    return opened.ok() ? sdk::ok() : opened.status();
  }
  static std::unique_ptr<testing::MariaDbServer> server_;
};
std::unique_ptr<testing::MariaDbServer> ConnectionTest::server_;

TEST_F(ConnectionTest, SessionReadsUtcAndUtf8) {
  ConnectionOptions with = options();
  with.initial_statements = {"SET @a = 'x;y'"};
  const auto db = open(with);
  ASSERT_NE(db, nullptr);
  EXPECT_TRUE(db->is_mariadb());
  EXPECT_THAT(db->server_version(), HasSubstr("MariaDB"));
  auto rows = db->query("SELECT @@time_zone, @@character_set_client, \"text\", @a, NULL");
  ASSERT_TRUE(rows.ok()) << rows.status().message();
  EXPECT_THAT(rows.value(), ElementsAre(SqlRow{"+00:00", "utf8mb4", "text", "x;y", std::nullopt}));
  auto nothing = db->scalar("SELECT 1 FROM DUAL WHERE 1 = 0");
  ASSERT_TRUE(nothing.ok());
  EXPECT_FALSE(nothing->has_value());
  EXPECT_EQ(db->escaped("a'b\\c"), "a\\'b\\\\c");
  EXPECT_EQ(quoted("a`b"), "`a``b`");
}

TEST_F(ConnectionTest, ErrorsSayWhatToDo) {
  ConnectionOptions with = options();
  with.password = "wrong";
  Status s = refused(with);
  EXPECT_EQ(s.code(), Code::kInvalidConfig);
  EXPECT_THAT(s.message(), HasSubstr("database.password"));
  EXPECT_THAT(s.message(), Not(HasSubstr("wrong")));
  with = options();
  with.port = 1;
  s = refused(with);
  EXPECT_EQ(s.code(), Code::kUnavailable);
  EXPECT_THAT(s.message(), HasSubstr("database.port"));
  with = options();
  with.initial_statements = {"SET nonsense"};
  EXPECT_THAT(refused(with).message(), HasSubstr("database.initial.statements"));

  const auto db = open(options());
  s = db->execute("SELECT * FROM nowhere.nothing");
  EXPECT_EQ(s.code(), Code::kInternal);
  EXPECT_EQ(db->last_error(), 1146U);
  EXPECT_FALSE(db->broken());
  EXPECT_EQ(classify_error(1040, true), Code::kUnavailable);
  EXPECT_EQ(classify_error(1927, false), Code::kUnavailable);
  EXPECT_TRUE(breaks_connection(1927));
}

TEST_F(ConnectionTest, TlsModesWithAServerThatHasNone) {
  ConnectionOptions with = options();
  with.tls = Tls::kPrefer;
  EXPECT_NE(open(with), nullptr);
  for (const Tls mode : {Tls::kTrust, Tls::kVerifyFull}) {
    with.tls = mode;
    const Status s = refused(with);
    EXPECT_EQ(s.code(), Code::kInvalidConfig);
    EXPECT_THAT(s.message(), HasSubstr("database.ssl.mode"));
  }
  with.tls = Tls::kVerifyCa;
  EXPECT_THAT(refused(with).message(), HasSubstr("PEM"));
}

TEST_F(ConnectionTest, StreamsRowsAndSurvivesAShortRest) {
  const auto db = open(options());
  auto rows = db->stream("SELECT seq, NULL FROM test.seq_1_to_100");
  ASSERT_TRUE(rows.ok()) << rows.status().message();
  EXPECT_STREQ((*rows)->columns()[0].name, "seq");
  for (int i = 1; i <= 10; ++i) {
    auto row = (*rows)->next();
    ASSERT_TRUE(row.ok());
    ASSERT_EQ(row->size(), 2U);
    EXPECT_EQ(std::string((*row)[0].data, (*row)[0].size), std::to_string(i));
    EXPECT_EQ((*row)[1].data, nullptr);
  }
  rows->reset();
  EXPECT_TRUE(db->execute("SELECT 1").ok());
  rows = db->stream("SELECT seq FROM test.seq_1_to_100000000");
  ASSERT_TRUE(rows.ok());
  rows->reset();
  EXPECT_TRUE(db->broken());
}

TEST_F(ConnectionTest, InterruptEndsABlockedStatement) {
  const auto db = open(options());
  auto id = db->scalar("SELECT CONNECTION_ID()");
  auto blocked = std::async(std::launch::async, [&] { return db->execute("DO SLEEP(60)"); });
  const auto watcher = open(options());
  for (std::string state; state != "User sleep";) {
    auto now = watcher->scalar("SELECT STATE FROM information_schema.PROCESSLIST WHERE ID = " + **id);
    state = now.ok() ? now->value_or("") : "User sleep";
  }
  db->interrupt();
  EXPECT_EQ(blocked.get().code(), Code::kStopped);
  EXPECT_EQ(db->execute("SELECT 1").code(), Code::kStopped);
}

TEST_F(ConnectionTest, ReadTimeoutAndKill) {
  const auto db = open(options());
  db->set_read_timeout(50);
  EXPECT_EQ(db->execute("DO SLEEP(60)").code(), Code::kUnavailable);
  EXPECT_TRUE(db->broken());
  const auto killed = open(options());
  auto id = killed->scalar("SELECT CONNECTION_ID()");
  ASSERT_TRUE(open(options())->execute("KILL " + **id).ok());
  EXPECT_EQ(killed->execute("SELECT 1").code(), Code::kUnavailable);
}

}  // namespace
}  // namespace millrace::mariadb
