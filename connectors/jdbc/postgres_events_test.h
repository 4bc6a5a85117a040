/// Debezium's change events, and plain rows, into a private PostgreSQL server through both sinks of the plugin.
#pragma once

#include "connectors/jdbc/jdbc_events_test.h"
#include "tests/support/postgres_server.h"

namespace millrace::jdbc {

class PgEvents : public EventMaker {
 protected:
  void SetUp() override {
    static millrace::testing::PostgresServer server;
    server_ = &server;
    if (!server_->problem().empty()) GTEST_SKIP() << server_->problem();
    ASSERT_EQ(server_->run({"drop database if exists shop", "create database shop"}), "");
    prepare();
  }
  FakeHost::Settings connection() const override {
    return {{"connection.url", server_->url("shop")},
            {"connection.user", server_->user()},
            {"connection.password", server_->password()}};
  }
  void sql(const std::vector<std::string>& statements) const { ASSERT_EQ(server_->run(statements, "shop"), ""); }
  Rows rows(const std::string& sql = "select * from p_shop_orders order by id") const {
    return server_->query(sql, "shop").rows;
  }
  /// Names, types and whether they take nulls.
  Rows columns(const std::string& table) const {
    return rows("select attname, format_type(atttypid, atttypmod), not attnotnull from pg_attribute where attrelid='" +
                table + "'::regclass and attnum > 0 order by attnum");
  }

  inline static millrace::testing::PostgresServer* server_ = nullptr;
};

class PgBothSinks : public PgEvents, public ::testing::WithParamInterface<std::string_view> {};

}  // namespace millrace::jdbc
