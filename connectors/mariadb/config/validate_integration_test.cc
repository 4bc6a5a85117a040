/// validate() and the checks against a real server.
#include "connectors/mariadb/config/validate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <millrace/testing.hpp>

#include <map>

#include "connectors/mariadb/config/connection_settings.h"
#include "connectors/mariadb/config/server_checks.h"
#include "tests/support/mariadb_server.h"

namespace millrace::mariadb {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Settings = std::map<std::string, std::string>;

/// Offers validate() through the plugin's table, as the worker calls it.
struct ValidatedSource {
  class Task final : public sdk::SourceTask {
   public:
    Status start(sdk::SourceContext&) override { return {}; }
    Status poll(sdk::SourceContext&) override { return {}; }
  };
  static constexpr std::string_view kName = kMariaDbConnector, kVersion = "1";
  static std::span<const sdk::ConfigKey> config() { return mariadb_options(); }
  static Status validate(sdk::ConnectorContext& context, const sdk::Config& config) {
    return mariadb::validate(context, Dialect::kMariaDb, config);
  }
};

class ValidateTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    server_ = std::make_unique<testing::MariaDbServer>(std::vector<std::string>{
        "--log-bin=bin", "--server-id=1", "--binlog-format=ROW", "--binlog-row-metadata=FULL"});
  }
  static void TearDownTestSuite() { server_.reset(); }
  void SetUp() override {
    if (!server_->problem().empty()) GTEST_SKIP() << server_->problem();
    ASSERT_EQ(server_->run({"DROP DATABASE IF EXISTS shop", "CREATE DATABASE shop",
                            "CREATE TABLE shop.orders (id INT PRIMARY KEY)", "DROP USER IF EXISTS cdc",
                            "CREATE USER cdc IDENTIFIED BY 'secret'",
                            "GRANT SELECT, REPLICATION SLAVE, BINLOG MONITOR ON *.* TO cdc"}),
              "");
  }
  Settings base() const {
    return {{"connector.class", std::string(kMariaDbConnector)},
            {"topic.prefix", "p"},
            {"database.hostname", "127.0.0.1"},
            {"database.port", std::to_string(server_->port())},
            {"database.user", "cdc"},
            {"database.password", "secret"},
            {"database.server.id", "4711"}};
  }
  Settings with(const Settings& more) const {
    Settings all = base();
    for (const auto& [key, value] : more) all[key] = value;
    return all;
  }
  /// The messages at database.hostname; other keys show as "key!".
  std::string validated(const Settings& settings) {
    host_ = std::make_unique<sdk::FakeHost>();
    const auto entry = [](const mr_host_v1* host) noexcept { return sdk::expose<ValidatedSource>(host); };
    const auto* connector = sdk::FakeHost::connector(+entry, kMariaDbConnector);
    std::vector<mr_pair> pairs;
    for (const auto& [key, value] : settings) pairs.push_back({sdk::to_mr(key), sdk::to_mr(value)});
    const mr_config config{pairs.data(), pairs.size()};
    mr_error error{};
    EXPECT_EQ(connector->validate(host_->context(), &config, &error), MR_OK) << error.message;
    std::string text;
    for (const auto& each : host_->config_errors())
      text += each.key == "database.hostname" ? each.message : each.key + "! ";
    return text;
  }
  std::string findings(const Settings& settings) {
    std::vector<mr_pair> pairs;
    for (const auto& [key, value] : settings) pairs.push_back({sdk::to_mr(key), sdk::to_mr(value)});
    const sdk::Config config({pairs.data(), pairs.size()}, mariadb_options());
    auto connection = Connection::open(*connection_options(config));
    EXPECT_TRUE(connection.ok());
    if (!connection.ok()) return {};
    auto needs = ServerNeeds::parse(config);
    EXPECT_TRUE(needs.ok());
    std::string text;
    for (const auto& finding : check_server(**connection, *needs)) text += to_text(finding) + "\n";
    return text;
  }
  static std::unique_ptr<testing::MariaDbServer> server_;
  std::unique_ptr<sdk::FakeHost> host_;
};
std::unique_ptr<testing::MariaDbServer> ValidateTest::server_;

TEST_F(ValidateTest, AGoodServerAndConfiguration) {
  EXPECT_EQ(validated(base()), "");
  EXPECT_EQ(host_->logged(MR_WARN) + host_->logged(MR_ERROR), 0u) << host_->log().front().text;
}

/// The cases of validation.jsonl that connect.
TEST_F(ValidateTest, ConnectionTroubleIsAnErrorOfTheHostname) {
  EXPECT_THAT(validated(with({{"database.password", "wrong"}})), HasSubstr("Unable to connect: "));
  EXPECT_THAT(validated(with({{"database.password", "wrong"}})), HasSubstr("Access denied for user 'cdc'"));
  Settings no_password = base();
  no_password.erase("database.password");
  EXPECT_THAT(validated(no_password), HasSubstr("using password: NO"));
  EXPECT_THAT(validated(with({{"database.hostname", "127.0.0.2"}, {"database.port", "1"}})),
              HasSubstr("Unable to connect: "));
  for (const char* port : {"0", "-1", "70000"})
    EXPECT_THAT(validated(with({{"database.port", port}})), HasSubstr(std::string("port out of range:") + port));
}

TEST_F(ValidateTest, NoAttemptWithoutHostOrUser) {
  Settings no_user = base();
  no_user.erase("database.user");
  EXPECT_EQ(validated(no_user), "database.user! ");
}

TEST_F(ValidateTest, OtherMistakesDoNotHideTheConnection) {
  EXPECT_THAT(validated(with({{"max.queue.size", "1"}, {"database.password", "wrong"}})),
              ::testing::AllOf(HasSubstr("max.queue.size!"), HasSubstr("Access denied")));
}

TEST_F(ValidateTest, WhatTheServerLacksIsLoggedAndDoesNotFail) {
  ASSERT_EQ(server_->run({"SET GLOBAL binlog_row_image=MINIMAL"}), "");
  EXPECT_EQ(validated(base()), "");
  EXPECT_EQ(host_->logged(MR_ERROR, "server check: The database server is not configured to use a FULL"), 1u);
  const std::string found = findings(base());
  ASSERT_EQ(server_->run({"SET GLOBAL binlog_row_image=FULL"}), "");
  EXPECT_THAT(found, HasSubstr("millrace.partial.row.images"));
  EXPECT_THAT(findings(base()), Not(HasSubstr("FULL")));
}

TEST_F(ValidateTest, Variables) {
  ASSERT_EQ(server_->run({"SET GLOBAL binlog_format=MIXED", "SET GLOBAL binlog_row_metadata=NO_LOG",
                          "SET GLOBAL log_bin_compress=ON", "SET GLOBAL binlog_expire_logs_seconds=600"}),
            "");
  const std::string found = findings(with({{"database.server.id", "1"}}));
  ASSERT_EQ(server_->run({"SET GLOBAL binlog_format=ROW", "SET GLOBAL binlog_row_metadata=FULL",
                          "SET GLOBAL log_bin_compress=OFF", "SET GLOBAL binlog_expire_logs_seconds=0"}),
            "");
  for (const char* part : {"error: The database server is not configured to use a ROW binlog_format",
                           "SET GLOBAL binlog_row_metadata=FULL", "info: log_bin_compress=ON", "for 600 seconds",
                           "the server's own server_id"})
    EXPECT_THAT(found, HasSubstr(part));
}

TEST_F(ValidateTest, TheCureOfAMissingGrantCures) {
  ASSERT_EQ(server_->run({"REVOKE REPLICATION SLAVE, BINLOG MONITOR ON *.* FROM cdc"}), "");
  const std::string found = findings(base());
  for (const char* statement :
       {"GRANT REPLICATION SLAVE ON *.* TO 'cdc'@'%'", "GRANT BINLOG MONITOR ON *.* TO 'cdc'@'%'"}) {
    EXPECT_THAT(found, HasSubstr(statement));
    EXPECT_EQ(server_->run({statement}), "");
  }
  EXPECT_THAT(findings(base()), Not(HasSubstr("may not")));
  EXPECT_THAT(findings(with({{"snapshot.locking.mode", "minimal"}})), HasSubstr("GRANT RELOAD, LOCK TABLES"));
}

TEST_F(ValidateTest, GrantsOfARoleCount) {
  ASSERT_EQ(server_->run({"REVOKE ALL PRIVILEGES, GRANT OPTION FROM cdc", "CREATE OR REPLACE ROLE readers",
                          "GRANT SELECT, REPLICATION SLAVE, BINLOG MONITOR ON *.* TO readers", "GRANT readers TO cdc",
                          "SET DEFAULT ROLE readers FOR cdc"}),
            "");
  const std::string found = findings(base());
  EXPECT_THAT(found, Not(HasSubstr("'cdc'@'%'"))) << "no grant is missing";
  EXPECT_THAT(found, Not(HasSubstr("no table")));
}

TEST_F(ValidateTest, Tables) {
  ASSERT_EQ(
      server_->run(
          {"CREATE TABLE shop.log (a INT, b DECIMAL(5,2), c BIGINT UNSIGNED)",
           "CREATE TABLE shop.half (a INT NOT NULL, b INT NOT NULL, UNIQUE (a, b))",
           "CREATE TABLE shop.maybe (a INT, UNIQUE (a))", "CREATE TABLE shop.old (id INT PRIMARY KEY) ENGINE=MyISAM",
           "CREATE TABLE shop.items (id INT PRIMARY KEY, o INT, FOREIGN KEY (o) REFERENCES orders(id) ON "
           "DELETE CASCADE)"},
          "shop"),
      "");
  const std::string found = findings(base());
  EXPECT_THAT(found, HasSubstr("unique key without NULL: shop.log, shop.maybe;"));
  EXPECT_THAT(found, HasSubstr("MyISAM has no transactions, so a snapshot of shop.old"));
  EXPECT_THAT(found, HasSubstr("rows of shop.items when"));
  EXPECT_THAT(found, HasSubstr("negative: shop.log.c"));
  EXPECT_THAT(found, HasSubstr("base64 in JSON: shop.log.b"));
  const std::string one = findings(with({{"table.include.list", "shop.orders"}}));
  EXPECT_THAT(one, Not(HasSubstr("shop.log")));
  EXPECT_THAT(findings(with({{"table.include.list", "orders"}})), HasSubstr("shop.orders"));
}

TEST(ValidateWithoutBinlog, IsAnError) {
  testing::MariaDbServer server;
  if (!server.problem().empty()) GTEST_SKIP() << server.problem();
  ConnectionOptions options;
  options.host = "127.0.0.1";
  options.port = static_cast<uint16_t>(server.port());
  options.user = server.user();
  options.password = server.password();
  auto connection = Connection::open(options);
  ASSERT_TRUE(connection.ok()) << connection.status().message();
  EXPECT_THAT(first_error(check_server(**connection, {})).message(), HasSubstr("log_bin is off"));
}

}  // namespace
}  // namespace millrace::mariadb
