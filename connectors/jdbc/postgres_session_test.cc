/// The PostgreSQL session against a private server: connecting, catalogs, errors by SQLSTATE, interruption.
#include "connectors/jdbc/postgres_session.h"

#include <gtest/gtest.h>

#include <csignal>
#include <future>

#include "connectors/jdbc/postgres_parameters.h"
#include "tests/support/postgres_server.h"

namespace millrace::jdbc {
namespace {

using millrace::testing::PostgresServer;

class PostgresSession : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { server_ = new PostgresServer; }
  static void TearDownTestSuite() {
    delete server_;
    server_ = nullptr;
  }
  void SetUp() override {
    if (!server_->problem().empty()) GTEST_SKIP() << server_->problem();
  }

  static ConnectionSettings settings(const std::string& url) {
    ConnectionSettings settings;
    auto parsed = parse_jdbc_url(url);
    EXPECT_TRUE(parsed.ok()) << parsed.status().message();
    if (parsed.ok()) settings.url = *parsed;
    settings.user = server_->user();
    settings.password = server_->password();
    settings.attempts = 1;
    return settings;
  }
  static Result<std::unique_ptr<Session>> open(const std::string& url, bool for_writing = false) {
    return open_session(settings(url), for_writing, [](int64_t) { return true; });
  }
  static std::unique_ptr<Session> session(bool for_writing = false) {
    auto opened = open(server_->url("postgres"), for_writing);
    EXPECT_TRUE(opened.ok()) << opened.status().message();
    return std::move(*opened);
  }

  static PostgresServer* server_;
};
PostgresServer* PostgresSession::server_ = nullptr;

TEST_F(PostgresSession, ReadsTextsAndNulls) {
  auto rows = session()->query("SELECT 'a''b', NULL, 7");
  ASSERT_TRUE(rows.ok()) << rows.status().message();
  EXPECT_EQ(rows->at(0), (Session::Row{"a'b", std::nullopt, "7"}));
}

TEST_F(PostgresSession, TellsAWrongPasswordFromAMissingServer) {
  ConnectionSettings wrong = settings(server_->url("postgres"));
  wrong.password = "wrong";
  auto refused = open_session(wrong, false, [](int64_t) { return true; });
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.status().code(), Code::kInvalidConfig);
  EXPECT_NE(refused.status().message().find("FATAL: password authentication failed for user \"tester\""),
            std::string::npos)
      << refused.status().message();
  EXPECT_NE(refused.status().message().find("28P01"), std::string::npos);

  auto unknown = open(server_->url("no_such_database"));
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.status().code(), Code::kInvalidConfig);
  EXPECT_NE(unknown.status().message().find("database \"no_such_database\" does not exist"), std::string::npos);

  auto nobody = open("jdbc:postgresql://127.0.0.1:1/postgres");
  ASSERT_FALSE(nobody.ok());
  EXPECT_EQ(nobody.status().code(), Code::kUnavailable);
}

TEST_F(PostgresSession, TakesTheNextHostAndTheSocket) {
  const std::string port = std::to_string(server_->port());
  EXPECT_TRUE(open("jdbc:postgresql://127.0.0.1:1,127.0.0.1:" + port + "/postgres?targetServerType=primary").ok());
  EXPECT_FALSE(open(server_->url("postgres") + "?targetServerType=secondary").ok());
  EXPECT_TRUE(open(server_->url("postgres") + "?targetServerType=preferSecondary").ok());
  std::string folder = server_->socket_folder();
  for (size_t at = 0; (at = folder.find('/', at)) != std::string::npos;) folder.replace(at, 1, "%2F");
  auto socket = open("jdbc:postgresql://" + folder + ":" + port + "/postgres");
  EXPECT_TRUE(socket.ok()) << socket.status().message();
}

TEST_F(PostgresSession, HonoursParametersOfTheUrl) {
  server_->run({"CREATE SCHEMA IF NOT EXISTS elsewhere"});
  auto opened = open(server_->url("postgres") +
                     "?currentSchema=elsewhere&ApplicationName=mill&readOnly=true&options=-c%20work_mem%3D9MB");
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  auto rows = (*opened)->query(
      "SELECT current_schema(), current_setting('application_name'), current_setting('transaction_read_only'), "
      "current_setting('work_mem')");
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ(rows->at(0), (Session::Row{"elsewhere", "mill", "on", "9MB"}));

  auto encrypted = open(server_->url("postgres") + "?ssl=true");
  EXPECT_FALSE(encrypted.ok()) << "the server has no TLS";
  auto unknown = open(server_->url("postgres") + "?sslmode=perhaps");
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.status().code(), Code::kInvalidConfig);
}

TEST_F(PostgresSession, SaysWhatAnErrorMeans) {
  auto open_session = session();
  EXPECT_EQ(open_session->execute("SELECT * FROM no_such_table").code(), Code::kInternal);
  EXPECT_EQ(open_session->last_error().sqlstate, "42P01");
  EXPECT_EQ(open_session->execute("SELECT 1/0").code(), Code::kBadRecord);
  EXPECT_EQ(open_session->execute("SET statement_timeout=1; SELECT pg_sleep(10)").code(), Code::kUnavailable);
  EXPECT_FALSE(open_session->broken());
  EXPECT_EQ(open_session->check_query("SELECT nothing FROM pg_class WHERE oid = 1").code(), Code::kInternal);
  EXPECT_EQ(open_session->last_error().sqlstate, "42703");
  EXPECT_TRUE(open_session->check_query("SELECT oid FROM pg_class WHERE relname = 'a?'").ok());
}

TEST_F(PostgresSession, TakesAQuestionMarkForTheSameWhenItChecksAndWhenItReads) {
  auto opened = session();
  const std::vector<Parameter> one{int64_t{0}};
  for (const std::string sign : {"?", "??", "?|array", "??|array"}) {
    const bool any = sign.ends_with("array");
    const std::string query =
        "SELECT * FROM (SELECT 1 AS id, '{\"a\":1}'::jsonb " + sign + (any ? "['a']" : " 'a'") + " AS has) AS q";
    EXPECT_TRUE(opened->check_query(query).ok()) << query << opened->last_error().text;
    EXPECT_TRUE(opened->read(query, {}, {}).ok()) << query << opened->last_error().text;
    EXPECT_TRUE(opened->read(query + " WHERE id > ?", one, {}).ok()) << query << opened->last_error().text;
  }
  const std::string placeholder = "SELECT oid FROM pg_class WHERE oid = ?";
  EXPECT_EQ(opened->check_query(placeholder).code(), Code::kInternal);
  EXPECT_EQ(opened->read(placeholder, {}, {}).status().code(), Code::kInternal);
  const auto hidden = opened->read("SELECT 1 AS id -- all WHERE id > ?", one, {});
  EXPECT_EQ(hidden.status().code(), Code::kInvalidConfig);
}

TEST_F(PostgresSession, DescribesTables) {
  const std::string error = server_->run(
      {"CREATE TABLE IF NOT EXISTS \"Odd.Name\"(id serial PRIMARY KEY, \"We\"\"ird\" text, n int NOT NULL, "
       "i bigint GENERATED ALWAYS AS IDENTITY)",
       "CREATE OR REPLACE VIEW a_view AS SELECT 1 AS x",
       "CREATE TABLE IF NOT EXISTS parent(a int) PARTITION BY RANGE (a)",
       "CREATE TABLE IF NOT EXISTS child PARTITION OF parent FOR VALUES FROM (1) TO (2)"});
  ASSERT_TRUE(error.empty()) << error;
  auto opened = session();
  auto columns = opened->columns({"", "public", "Odd.Name"});
  ASSERT_TRUE(columns.ok()) << columns.status().message();
  ASSERT_EQ(columns->size(), 4U);
  EXPECT_EQ(columns->at(1).name, "We\"ird");
  EXPECT_TRUE(columns->at(0).auto_increment && !columns->at(0).nullable);
  EXPECT_TRUE(columns->at(1).nullable && !columns->at(1).auto_increment);
  EXPECT_TRUE(columns->at(3).auto_increment);
  auto without_schema = opened->columns({"", "", "Odd.Name"});
  EXPECT_EQ(without_schema->size(), 4U);
  EXPECT_EQ(opened->table_type({"", "public", "a_view"}).value(), "VIEW");
  EXPECT_EQ(opened->table_type({"", "public", "parent"}).value(), "PARTITIONED TABLE");
  EXPECT_EQ(opened->table_type({"", "public", "nowhere"}).value(), "");
  auto tables = opened->tables({}, {"TABLE"});
  EXPECT_EQ(*tables, (std::vector<TableId>{{"", "public", "Odd.Name"}, {"", "public", "child"}}));
  EXPECT_EQ(opened->tables({std::nullopt, "pub%"}, {"view"})->size(), 1U);
  EXPECT_EQ(opened->tables({std::nullopt, "none"}, {"TABLE"})->size(), 0U);
}

TEST_F(PostgresSession, WritesWithinOneTransaction) {
  server_->run({"CREATE TABLE IF NOT EXISTS written(id int)"});
  auto opened = session(true);
  EXPECT_TRUE(opened->execute("INSERT INTO written VALUES (1)").ok());
  EXPECT_TRUE(opened->execute("ROLLBACK").ok());
  EXPECT_TRUE(opened->execute("INSERT INTO written VALUES (2)").ok());
  EXPECT_EQ(server_->query("SELECT id FROM written").rows.size(), 0U);
  EXPECT_TRUE(opened->execute("COMMIT").ok());
  EXPECT_EQ(server_->query("SELECT id FROM written").rows.at(0).at(0), "2");
}

TEST_F(PostgresSession, CommitsDdlThatNoRowsWereWrittenBefore) {
  auto writing = session(true);
  const auto exists = [&](const std::string& table) {
    auto rows = session()->query("SELECT to_regclass('" + table + "') IS NOT NULL");
    return rows.ok() && rows->at(0).at(0) == "t";
  };
  ASSERT_TRUE(writing->change_table({}, "CREATE TABLE ddl_first (i INT)", {}).ok());
  ASSERT_TRUE(writing->execute("INSERT INTO ddl_first VALUES (1)").ok());
  ASSERT_TRUE(writing->change_table({}, "CREATE TABLE ddl_later (i INT)", {}).ok());
  ASSERT_TRUE(writing->execute("ROLLBACK").ok());
  EXPECT_TRUE(exists("ddl_first"));
  EXPECT_FALSE(exists("ddl_later"));
  ASSERT_TRUE(writing->execute("SAVEPOINT part").ok());
  ASSERT_TRUE(writing->change_table({}, "CREATE TABLE ddl_in_part (i INT)", {}).ok());
  ASSERT_TRUE(writing->roll_back_to("part").ok());
  ASSERT_TRUE(writing->execute("COMMIT").ok());
  EXPECT_FALSE(exists("ddl_in_part"));
  EXPECT_EQ(session()->query("SELECT count(*) FROM ddl_first")->at(0).at(0), "0");
}

TEST_F(PostgresSession, InterruptEndsALongQueryHereAndThere) {
  auto opened = session();
  auto waiting = std::async(std::launch::async, [&] { return opened->execute("SELECT pg_sleep(600)"); });
  const std::string running =
      "SELECT 1 FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)' AND state = 'active'";
  while (server_->query(running).rows.empty()) std::this_thread::yield();
  opened->interrupt();
  EXPECT_EQ(waiting.get().code(), Code::kUnavailable);
  EXPECT_TRUE(opened->broken());
  EXPECT_FALSE(opened->alive());
  while (!server_->query(running).rows.empty()) std::this_thread::yield();
}

/// The postmaster takes cancellations; stopped, it stands for a server that is dead.
TEST_F(PostgresSession, InterruptDoesNotWaitForAServerThatIsDead) {
  auto opened = session();
  const int postmaster = std::atoi(server_->query("SELECT pg_read_file('postmaster.pid')").rows.at(0).at(0).c_str());
  ASSERT_GT(postmaster, 1);
  ASSERT_EQ(kill(postmaster, SIGSTOP), 0);
  auto interrupted = std::async(std::launch::async, [&] { opened->interrupt(); });
  const bool came_back = interrupted.wait_for(std::chrono::seconds(20)) == std::future_status::ready;
  kill(postmaster, SIGCONT);
  EXPECT_TRUE(came_back);
}

TEST_F(PostgresSession, NoticesThatItWasCutOff) {
  auto opened = session();
  const std::string pid = opened->query("SELECT pg_backend_pid()")->at(0).at(0).value();
  server_->query("SELECT pg_terminate_backend(" + pid + ", 5000)");
  EXPECT_FALSE(opened->alive());
}

TEST(PostgresParameters, AreNumberedOutsideOfQuotesAndComments) {
  size_t count = 0;
  EXPECT_EQ(numbered_parameters("a = ? AND b = '?' AND \"?\" > ? -- ?\n /* ? */ ??| $$?$$ $x$ ? $x$ E'\\'?' ?", count),
            "a = $1 AND b = '?' AND \"?\" > $2 -- ?\n /* ? */ ?| $$?$$ $x$ ? $x$ E'\\'?' $3");
  EXPECT_EQ(count, 3U);
  EXPECT_EQ(numbered_parameters("a ? b ?? c ?| d '?' WHERE e > ? AND f < ?", count, 2),
            "a ? b ? c ?| d '?' WHERE e > $1 AND f < $2");
  EXPECT_EQ(count, 4U);
}

TEST(PostgresUrl, HasItsOwnGrammar) {
  auto full = parse_jdbc_url("jdbc:postgresql://[::1]:6000,other/a%20b?ssl&user=me&password=x%26y");
  ASSERT_TRUE(full.ok());
  EXPECT_EQ(full->hosts.size(), 2U);
  EXPECT_EQ(full->hosts[0].host, "::1");
  EXPECT_EQ(full->hosts[0].port, 6000);
  EXPECT_EQ(full->hosts[1].port, 5432);
  EXPECT_EQ(full->database, "a b");
  EXPECT_EQ(full->user, "me");
  EXPECT_EQ(full->password, "x&y");
  EXPECT_TRUE(full->parameters.contains("ssl"));
  EXPECT_EQ(parse_jdbc_url("jdbc:postgresql:shop")->database, "shop");
  EXPECT_EQ(parse_jdbc_url("jdbc:postgresql:shop")->host_port(), "localhost:5432");
  EXPECT_EQ(parse_jdbc_url("jdbc:postgresql:/")->database, "");
  EXPECT_FALSE(parse_jdbc_url("jdbc:postgresql://host").ok());
}

}  // namespace
}  // namespace millrace::jdbc
