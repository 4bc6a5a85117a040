#include "connectors/mariadb/config/server_checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace millrace::mariadb {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Severity = ServerFinding::Severity;

SqlRow row(std::initializer_list<const char*> values) {
  SqlRow made;
  for (const char* value : values) made.push_back(value == nullptr ? std::nullopt : std::optional<std::string>(value));
  return made;
}

/// A server that has nothing wrong, until a test changes an answer. Questions are known by a part of their text.
class FakeServer {
 public:
  FakeServer() {
    for (const auto& [name, value] :
         std::initializer_list<std::pair<const char*, const char*>>{{"log_bin", "ON"},
                                                                    {"binlog_format", "ROW"},
                                                                    {"binlog_row_image", "FULL"},
                                                                    {"binlog_row_metadata", "FULL"},
                                                                    {"log_bin_compress", "OFF"},
                                                                    {"binlog_expire_logs_seconds", "864000"},
                                                                    {"gtid_strict_mode", "ON"},
                                                                    {"server_id", "1"},
                                                                    {"binlog_annotate_row_events", "ON"}})
      variables[name] = value;
    answers["SHOW GRANTS"] = {row({"GRANT SELECT, REPLICATION SLAVE, BINLOG MONITOR ON *.* TO `cdc`@`%`"})};
    answers["CURRENT_USER"] = {row({"cdc@%"})};
    answers["information_schema.TABLES"] = {row({"shop", "orders", "InnoDB"})};
    answers["information_schema.STATISTICS"] = {row({"shop", "orders"})};
  }
  std::vector<ServerFinding> check() const {
    return check_server([this](std::string_view sql) { return answer(sql); }, true, needs);
  }
  Result<std::vector<SqlRow>> answer(std::string_view sql) const {
    for (const std::string& each : refused) {
      if (sql.find(each) != std::string_view::npos) return Status(Code::kInvalidConfig, "Access denied");
    }
    if (sql.starts_with("SHOW GLOBAL VARIABLES")) {
      std::vector<SqlRow> rows;
      for (const auto& [name, value] : variables) rows.push_back({name, value});
      return rows;
    }
    for (const auto& [part, rows] : answers) {
      if (sql.find(part) != std::string_view::npos) return rows;
    }
    return std::vector<SqlRow>();
  }
  std::map<std::string, std::string> variables;
  std::map<std::string, std::vector<SqlRow>> answers;
  std::vector<std::string> refused;
  ServerNeeds needs;
};

void expect_one(const FakeServer& server, Severity severity, const std::string& what, const std::string& cure) {
  const auto found = server.check();
  ASSERT_EQ(found.size(), 1u) << (found.empty() ? "nothing found" : to_text(found.back()));
  EXPECT_EQ(found[0].severity, severity) << to_text(found[0]);
  EXPECT_THAT(found[0].what, HasSubstr(what));
  EXPECT_THAT(found[0].cure, HasSubstr(cure));
}

TEST(ServerChecks, NothingToSayOfAGoodServer) { EXPECT_THAT(FakeServer().check(), IsEmpty()); }

TEST(ServerChecks, Variables) {
  struct Case {
    const char *name, *value;
    Severity severity;
    const char *what, *cure;
  };
  for (const Case& each :
       {Case{"log_bin", "OFF", Severity::kError, "log_bin is off", "option file"},
        {"binlog_format", "MIXED", Severity::kError, "binlog_format=MIXED", "binlog_format=ROW"},
        {"binlog_format", "STATEMENT", Severity::kError, "ROW binlog_format", "connect anew"},
        {"binlog_row_image", "MINIMAL", Severity::kError,
         "The database server is not configured to use a FULL binlog_row_image", "millrace.partial"},
        {"binlog_row_image", "NOBLOB", Severity::kError, "NOBLOB", "binlog_row_image=FULL"},
        {"binlog_row_metadata", "NO_LOG", Severity::kWarning, "NO_LOG", "SET GLOBAL binlog_row_metadata=FULL"},
        {"log_bin_compress", "ON", Severity::kInfo, "compressed events are read", ""},
        {"binlog_expire_logs_seconds", "3600", Severity::kWarning, "3600 seconds", "604800"},
        {"max_binlog_total_size", "1000000", Severity::kWarning, "by size", "=0"},
        {"gtid_strict_mode", "OFF", Severity::kInfo, "out of order", "gtid_strict_mode=ON"}}) {
    SCOPED_TRACE(each.name);
    FakeServer server;
    server.variables[each.name] = each.value;
    expect_one(server, each.severity, each.what, each.cure);
  }
}

TEST(ServerChecks, OldServersHaveFewerVariables) {
  FakeServer server;
  server.variables.erase("binlog_row_metadata");
  expect_one(server, Severity::kWarning, "before 10.5", "upgrade");
  server.variables["binlog_row_metadata"] = "FULL";
  server.variables.erase("binlog_expire_logs_seconds");
  server.variables["expire_logs_days"] = "0";  // for ever
  EXPECT_THAT(server.check(), IsEmpty());
}

TEST(ServerChecks, PartialRowImagesCanBeAskedFor) {
  FakeServer server;
  server.variables["binlog_row_image"] = "MINIMAL";
  server.needs.partial_row_images = true;
  expect_one(server, Severity::kWarning, "MINIMAL", "SET GLOBAL binlog_row_image=FULL");
}

TEST(ServerChecks, Statements) {
  FakeServer server;
  server.variables["binlog_annotate_row_events"] = "OFF";
  EXPECT_THAT(server.check(), IsEmpty());
  server.needs.include_query = true;
  expect_one(server, Severity::kWarning, "include.query", "binlog_annotate_row_events=ON");
}

TEST(ServerChecks, ServerIds) {
  FakeServer server;
  server.needs.server_id = 1;
  expect_one(server, Severity::kWarning, "the server's own", "choose");
  server.needs.server_id = 5;
  server.answers["SHOW SLAVE HOSTS"] = {row({"4", "other", "3306"}), row({"5", "replica1", "3306"})};
  expect_one(server, Severity::kWarning, "replica1", "another database.server.id");
}

TEST(ServerChecks, Grants) {
  FakeServer server;
  auto& grants = server.answers["SHOW GRANTS"];
  grants = {row({"GRANT SELECT, BINLOG MONITOR ON *.* TO `cdc`@`%`"})};
  expect_one(server, Severity::kError, "may not read the binlog", "GRANT REPLICATION SLAVE ON *.* TO 'cdc'@'%'");
  grants = {row({"GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO `cdc`@`%`"})};
  expect_one(server, Severity::kError, "may read no table", "GRANT SELECT");
  grants.push_back(row({"GRANT SELECT (a, b), UPDATE ON `shop`.`orders` TO `cdc`@`%`"}));
  EXPECT_THAT(server.check(), IsEmpty());
  grants = {row({"GRANT SELECT, REPLICATION SLAVE ON *.* TO `cdc`@`%`"})};
  expect_one(server, Severity::kError, "which binlog files", "GRANT BINLOG MONITOR");
  grants = {row({"GRANT `reader` TO `cdc`@`%`"}), row({"GRANT ALL PRIVILEGES ON *.* TO `cdc`@`%` WITH GRANT OPTION"})};
  EXPECT_THAT(server.check(), IsEmpty());
}

TEST(ServerChecks, GrantsForLocks) {
  FakeServer server;
  server.needs.locks = true;
  expect_one(server, Severity::kError, "snapshot.locking.mode", "GRANT RELOAD, LOCK TABLES");
  server.answers["SHOW GRANTS"] = {
      row({"GRANT SELECT, LOCK TABLES, REPLICATION SLAVE, BINLOG MONITOR ON *.* TO `cdc`@`%`"})};
  expect_one(server, Severity::kInfo, "each table is locked", "RELOAD");
}

TEST(ServerChecks, TimeZones) {
  FakeServer server;
  server.needs.named_time_zones = true;
  server.answers["CONVERT_TZ"] = {row({nullptr})};
  expect_one(server, Severity::kInfo, "time zones", "mysql_tzinfo_to_sql");
}

TEST(ServerChecks, NoTableMatches) {
  FakeServer server;
  std::vector<mr_pair> pairs = {{sdk::to_mr("table.include.list"), sdk::to_mr("orders")}};
  server.needs.tables = *TableFilter::parse(sdk::Config({pairs.data(), pairs.size()}, {}));
  expect_one(server, Severity::kWarning, "there are shop.orders", "whole of database.table");
  server.answers["information_schema.TABLES"] = {};
  expect_one(server, Severity::kWarning, "no table at all", "GRANT SELECT");
}

TEST(ServerChecks, Tables) {
  FakeServer server;
  auto& tables = server.answers["information_schema.TABLES"];
  tables.push_back(row({"shop", "log", "InnoDB"}));
  expect_one(server, Severity::kWarning, "unique key without NULL: shop.log", "message.key.columns");
  tables.back() = row({"shop", "old", "MyISAM"});
  server.answers["information_schema.STATISTICS"].push_back(row({"shop", "old"}));
  expect_one(server, Severity::kWarning, "MyISAM", "InnoDB");
  tables.pop_back();
  server.answers["KEY_COLUMN_USAGE"] = {row({"shop", "orders"})};
  auto& statement = server.answers["SHOW CREATE TABLE `shop`.`orders`"];
  statement = {row({"orders", "... FOREIGN KEY (`a`) REFERENCES `b` (`a`) ON UPDATE SET NULL)"})};
  expect_one(server, Severity::kWarning, "foreign keys", "RESTRICT");
  statement = {row({"orders", "... FOREIGN KEY (`a`) REFERENCES `b` (`a`) ON DELETE NO ACTION)"})};
  EXPECT_THAT(server.check(), IsEmpty());
  server.answers["unsigned"] = {row({"shop", "orders", "id"}), row({"mysql", "x", "id"})};
  expect_one(server, Severity::kInfo, "negative: shop.orders.id", "precise");
  server.needs.bigint_as_long = false;
  EXPECT_THAT(server.check(), IsEmpty());
  server.answers["'decimal'"] = {row({"shop", "orders", "total"})};
  expect_one(server, Severity::kInfo, "base64", "decimal.handling.mode");
}

TEST(ServerChecks, LongListsAreCut) {
  FakeServer server;
  auto& tables = server.answers["information_schema.TABLES"];
  for (int i = 10; i < 21; ++i) tables.push_back({"shop", "t" + std::to_string(i), "InnoDB"});
  expect_one(server, Severity::kWarning, "shop.t17 and 3 more", "");
}

TEST(ServerChecks, WhatMayNotBeAskedIsSaid) {
  FakeServer server;
  server.refused = {"SHOW GLOBAL VARIABLES"};
  expect_one(server, Severity::kInfo, "cannot tell how the binlog is set up: Access denied", "");
}

TEST(ServerChecks, ErrorsComeFirst) {
  FakeServer server;
  server.variables["binlog_row_metadata"] = "MINIMAL";
  server.answers["SHOW GRANTS"] = {row({"GRANT SELECT, BINLOG MONITOR ON *.* TO `cdc`@`%`"})};
  const auto found = server.check();
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(to_text(found[0]),
            "error: 'cdc'@'%' may not read the binlog. Do: GRANT REPLICATION SLAVE ON *.* TO 'cdc'@'%'");
  EXPECT_EQ(first_error(found).message(),
            "'cdc'@'%' may not read the binlog. Do: GRANT REPLICATION SLAVE ON *.* TO 'cdc'@'%'");
  EXPECT_TRUE(first_error(FakeServer().check()).ok());
}

}  // namespace
}  // namespace millrace::mariadb
