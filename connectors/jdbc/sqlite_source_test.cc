/// The source with SQLite files: modes, types, points in time in all their forms, and what goes wrong.
#include <chrono>
#include <concepts>

#include "connectors/jdbc/jdbc_parameters.h"
#include "connectors/jdbc/sqlite_session.h"
#include "connectors/jdbc/sqlite_test.h"

namespace millrace::jdbc {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class SqliteSource : public ::testing::Test {
 protected:
  FakeHost::Settings settings(FakeHost::Settings more) const {
    more.insert({{"connection.url", file_.url()},
                 {"connection.attempts", "1"},
                 {"poll.interval.ms", "1"},
                 {"topic.prefix", "p_"},
                 {"tables", "`t`"}});
    return more;
  }
  sdk::TaskRunner& task(FakeHost::Settings more) {
    auto& made =
        tasks_.emplace_back(host_, FakeHost::connector(mr_plugin, "io.confluent.connect.jdbc.JdbcSourceConnector"),
                            settings(std::move(more)));
    const auto started = made.start();
    EXPECT_TRUE(started.ok()) << started.message();
    return made;
  }
  sdk::Status poll_until(sdk::TaskRunner& task, size_t count) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (host_.records().size() < count && std::chrono::steady_clock::now() < deadline) {
      if (auto s = task.poll(); !s.ok()) return s;
    }
    EXPECT_EQ(host_.records().size(), count);
    return {};
  }
  std::vector<std::string> bulk(FakeHost::Settings more, size_t count) {
    (void)host_.take_records();
    more.insert({{"mode", "bulk"}, {"poll.interval.ms", "3600000"}});
    const auto s = poll_until(task(std::move(more)), count);
    EXPECT_TRUE(s.ok()) << s.message();
    return host_.value_texts();
  }
  std::string bulk_failure(FakeHost::Settings more = {}) {
    more.insert({{"mode", "bulk"}});
    return poll_until(task(std::move(more)), 1'000'000).message();
  }
  Result<std::unique_ptr<Session>> session(const std::string& url, bool for_writing = false) const {
    ConnectionSettings how;
    auto parsed = parse_jdbc_url(url);
    if (!parsed.ok()) return parsed.status();
    how.url = std::move(*parsed);
    how.attempts = 1;
    return open_session(how, for_writing, [](int64_t) { return true; });
  }

  SqliteFile file_;
  FakeHost host_;
  std::deque<sdk::TaskRunner> tasks_;
};

TEST_F(SqliteSource, TypesAreThoseOfTheDeclaration) {
  file_.run(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, tiny TINYINT, small INT2 NOT NULL, big UNSIGNED BIG INT, flag BOOLEAN, "
      "price "
      "DECIMAL(10,2), loose NUMERIC, ratio DOUBLE PRECISION, name VARCHAR(9), doc JSON, raw BLOB, born DATE, at "
      "DATETIME);"
      "INSERT INTO t VALUES (1, -128, 32767, 9223372036854775807, 1, '12.345', 1.5, 3, 42, '{\"a\":1}', x'00FF', "
      "'2024-02-29', '2024-02-29 12:00:00'), (2, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)");
  EXPECT_THAT(bulk({}, 2),
              ElementsAre("Struct{id=1,tiny=-128,small=32767,big=9223372036854775807,flag=true,price=12.35,"
                          "loose=1.5,ratio=3.0,name=42,doc={\"a\":1},raw=AP8=,born=Thu Feb 29 00:00:00 UTC "
                          "2024,at=Thu Feb 29 12:00:00 UTC 2024}",
                          "Struct{id=2,small=0}"));
  const mr_schema* row = host_.describe(host_.records()[0].value_schema);
  std::string shape;
  for (size_t i = 0; i < row->field_count; ++i) {
    const mr_schema* field = host_.describe(row->fields[i].schema);
    shape += std::to_string(field->type) + (field->optional != 0 ? "?" : "") + " ";
  }
  EXPECT_EQ(shape, "5 2? 3 5? 1? 9? 7? 7? 8? 8? 9? 4? 5? ");
}

TEST_F(SqliteSource, ExpressionsHaveTheTypeOfTheFirstRow) {
  file_.run("CREATE TABLE t(a INTEGER NOT NULL, b); INSERT INTO t VALUES (1, 'x'), (2, x'61')");
  EXPECT_THAT(bulk({{"tables", ""}, {"query", "SELECT a+1 AS n, a/2.0 AS h, upper(b) AS u FROM t WHERE a=1"}}, 1),
              ElementsAre("Struct{n=2,h=0.5,u=X}"));
  EXPECT_THAT(bulk_failure(), HasSubstr("column 'b' of table 't' has the value a BLOB in row number 2 of the result"));
}

TEST_F(SqliteSource, AJoinMayHaveNullsWhereTheTableHasNone) {
  file_.run(
      "CREATE TABLE t(a INTEGER NOT NULL); CREATE TABLE u(b INTEGER NOT NULL); INSERT INTO t VALUES (1); "
      "CREATE VIEW v AS SELECT a, b FROM t LEFT JOIN u ON a=b");
  EXPECT_THAT(bulk({{"tables", ""}, {"query", "SELECT a, b FROM t LEFT JOIN u ON a=b"}}, 1),
              ElementsAre("Struct{a=1}"));
  EXPECT_THAT(bulk({{"tables", "`v`"}}, 1), ElementsAre("Struct{a=1}"));
  // A view whose name begins with that of its table.
  file_.run("CREATE VIEW t_twice AS SELECT x.a, y.a AS b FROM t AS x LEFT JOIN t AS y ON y.a > x.a");
  EXPECT_THAT(bulk({{"tables", "`t_twice`"}}, 1), ElementsAre("Struct{a=1}"));
  EXPECT_THAT(bulk({{"tables", "`t_twice`"}, {"quote.sql.identifiers", "never"}}, 1), ElementsAre("Struct{a=1}"));
}

TEST_F(SqliteSource, AValueThatDoesNotFitIsNamedWithItsRow) {
  file_.run("CREATE TABLE t(id INTEGER PRIMARY KEY, n INTEGER, at TIMESTAMP); INSERT INTO t VALUES (7, 'seven', NULL)");
  EXPECT_THAT(bulk_failure(),
              HasSubstr("Reading table `t` failed: column 'n' of table 't' has the value 'seven' (TEXT) in "
                        "row id=7, which does not fit its type INTEGER"));
  file_.run("UPDATE t SET n=1, at='yesterday'");
  EXPECT_THAT(bulk_failure(), HasSubstr("column 'at' of table 't' has the value 'yesterday' (TEXT) in row id=7"));
  file_.run("CREATE TABLE s(id INTEGER PRIMARY KEY, n SMALLINT); INSERT INTO s VALUES (1, 32768)");
  EXPECT_THAT(bulk_failure({{"tables", "`s`"}}), HasSubstr("does not fit its type SMALLINT"));
  EXPECT_THAT(bulk_failure({{"mode", "timestamp"}, {"timestamp.column.name", "at"}, {"validate.non.null", "false"}}),
              HasSubstr("'yesterday', which is no point in time"));
}

TEST_F(SqliteSource, IncrementingFindsTheAutoincrementColumnAndGoesOn) {
  file_.run("CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT, v TEXT); INSERT INTO t(v) VALUES ('a'),('b')");
  auto& reading = task({{"mode", "incrementing"}});
  EXPECT_TRUE(poll_until(reading, 2).ok());
  file_.run("INSERT INTO t(v) VALUES ('c')");
  EXPECT_TRUE(poll_until(reading, 3).ok());
  EXPECT_EQ(host_.records()[2].source_partition.text(), "{protocol=1, table=t}");
  EXPECT_EQ(host_.records()[2].source_offset.text(), "{incrementing=3}");
}

/// One table for all forms, as programs of different ages leave them.
TEST_F(SqliteSource, TimestampsInAnyFormAreOneOrder) {
  for (const char* type : {"TIMESTAMP", "TEXT", "INTEGER", ""}) {
    (void)host_.take_records();
    const std::string declared = type;
    file_.run("DROP TABLE IF EXISTS t; CREATE TABLE t(id INTEGER PRIMARY KEY, at " + declared +
              " NOT NULL);"
              "INSERT INTO t VALUES (1, '2024-05-06 07:08:09')");
    if (declared != "INTEGER")
      file_.run("INSERT INTO t VALUES (3, '2024-05-06T09:08:11+02:00'), (4, '2024-05-06 07:08:11.000001')");
    if (declared != "TEXT" && !declared.empty()) file_.run("INSERT INTO t VALUES (2, 1714979290000)");  // …:10
    if (declared == "INTEGER") file_.run("DELETE FROM t WHERE id=1");
    const size_t rows = static_cast<size_t>(std::stoi(file_.rows("SELECT count(*) FROM t")[0][0]));
    auto& reading = task({{"mode", "timestamp"}, {"timestamp.column.name", "at"}});
    EXPECT_TRUE(poll_until(reading, rows).ok());
    std::string order;
    for (const auto& record : host_.records()) order += host_.text(record.value, record.value_schema).substr(10, 1);
    EXPECT_EQ(order, declared == "INTEGER" ? "2" : declared == "TIMESTAMP" ? "1234" : "134") << declared;
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(reading.poll().ok());
    EXPECT_EQ(host_.records().size(), rows) << "nothing comes again";
    file_.run("INSERT INTO t VALUES (9, " +
              std::string(declared == "INTEGER" ? "1714979300000" : "'2024-05-06 07:08:20'") + ")");
    EXPECT_TRUE(poll_until(reading, rows + 1).ok());
    EXPECT_EQ(host_.records().back().source_offset.entry("timestamp").u.i64 / 10'000, 171497930) << declared;
  }
}

TEST_F(SqliteSource, TimestampAndIdPageThroughRowsOfOneMoment) {
  file_.run(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, at INTEGER NOT NULL); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT "
      "i+1 FROM n WHERE i<25) INSERT INTO t SELECT i, 1714979 FROM n");
  auto& reading = task({{"mode", "timestamp+incrementing"},
                        {"incrementing.column.name", "id"},
                        {"timestamp.column.name", "at"},
                        {"connection.url", file_.url("date_precision=SECONDS")},
                        {"poll.interval.ms", "3600000"},
                        {"millrace.page.rows", "10"}});
  EXPECT_TRUE(poll_until(reading, 25).ok());
  EXPECT_EQ(host_.records()[24].source_offset.entry("incrementing").u.i64, 25);
  EXPECT_EQ(host_.records()[24].source_offset.entry("timestamp").u.i64, 1714979000);
}

TEST_F(SqliteSource, TablesAndViewsAreListedWithoutSqlitesOwn) {
  file_.run(
      "CREATE TABLE b(id INTEGER PRIMARY KEY AUTOINCREMENT); CREATE TABLE `a.x`(k TEXT, l TEXT, PRIMARY KEY(k,l)); "
      "CREATE VIEW v AS SELECT 1 AS one");
  auto opened = session(file_.url());
  ASSERT_TRUE(opened.ok());
  Session& reading = **opened;
  EXPECT_THAT(*reading.tables({}, {"TABLE"}), ElementsAre(TableId{"", "", "a.x"}, TableId{"", "", "b"}));
  EXPECT_THAT(*reading.tables({}, {"view"}), ElementsAre(TableId{"", "", "v"}));
  EXPECT_EQ(*reading.table_type({"", "", "B"}), "TABLE");
  EXPECT_EQ(*reading.table_type({"", "", "nope"}), "");
  const auto columns = *reading.columns({"", "", "b"});
  ASSERT_EQ(columns.size(), 1U);
  EXPECT_TRUE(columns[0].auto_increment && columns[0].primary_key && !columns[0].nullable);
  EXPECT_TRUE(reading.columns({"", "", "a.x"})->at(0).nullable) << "SQLite's keys may be null";
  EXPECT_THAT(reading.execute("DELETE FROM b").message(), HasSubstr("attempt to write a readonly database"));
}

TEST_F(SqliteSource, AReaderKeepsNoWriterOutInWalMode) {
  file_.run("PRAGMA journal_mode=WAL; CREATE TABLE t(id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1),(2),(3)");
  auto& reading = task({{"mode", "incrementing"}, {"incrementing.column.name", "id"}, {"batch.max.rows", "1"}});
  EXPECT_TRUE(poll_until(reading, 1).ok());  // in the middle of its result
  file_.run("INSERT INTO t VALUES (4)");
  EXPECT_TRUE(poll_until(reading, 4).ok());
}

TEST_F(SqliteSource, AFileThatWasReplacedIsOpenedAnew) {
  file_.run("CREATE TABLE t(id INTEGER PRIMARY KEY)");
  auto opened = session(file_.url());
  ASSERT_TRUE(opened.ok());
  EXPECT_TRUE((*opened)->alive());
  std::filesystem::rename(file_.path(), file_.path() + ".old");
  EXPECT_FALSE((*opened)->alive());
}

TEST_F(SqliteSource, WhatCannotBeOpenedSaysWhy) {
  EXPECT_THAT(session(file_.url() + "x").status().message(), HasSubstr("shop.dbx' does not exist"));
  EXPECT_THAT(session("jdbc:sqlite:/tmp").status().message(), HasSubstr("is a folder"));
  EXPECT_THAT(session("jdbc:sqlite::memory:").status().message(),
              HasSubstr("in memory is seen by one connection only"));
  EXPECT_THAT(session("jdbc:sqlite:").status().message(), HasSubstr("in memory"));
  EXPECT_THAT(session("jdbc:sqlite:file:x?mode=memory").status().message(), HasSubstr("in memory"));
  EXPECT_THAT(session(file_.url("journal_mode=WAL;DROP")).status().message(), HasSubstr("is no journal_mode"));
  file_.run("CREATE TABLE t(id INTEGER PRIMARY KEY); BEGIN EXCLUSIVE");
  const auto locked = session(file_.url("busy_timeout=20")).status();
  EXPECT_EQ(locked.code(), Code::kUnavailable);
  EXPECT_THAT(locked.message(), HasSubstr("another process holds the lock for longer than busy_timeout"));
  file_.run("COMMIT");
  std::filesystem::copy_file("/proc/self/exe", file_.path() + "x");
  const auto other = session(file_.url() + "x").status();
  EXPECT_EQ(other.code(), Code::kInvalidConfig);
  EXPECT_THAT(other.message(), HasSubstr("file is not a database"));
  EXPECT_EQ(classify_sqlite(SQLITE_FULL), Code::kUnavailable);
  EXPECT_EQ(classify_sqlite(SQLITE_READONLY), Code::kInvalidConfig);
  EXPECT_EQ(classify_sqlite(SQLITE_CONSTRAINT_UNIQUE), Code::kBadRecord);
}

TEST_F(SqliteSource, AnInterruptedQueryEnds) {
  auto opened = session(file_.url());
  ASSERT_TRUE(opened.ok());
  (*opened)->interrupt();
  const auto endless =
      (*opened)->query("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT max(i) FROM n");
  EXPECT_EQ(endless.status().code(), Code::kUnavailable);
  EXPECT_TRUE((*opened)->broken());
}

TEST_F(SqliteSource, UrlsAreThoseOfXerialsDriver) {
  auto url = parse_jdbc_url("jdbc:sqlite:data/my%20shop.db?Busy_Timeout=5&journal_mode=WAL&jornal_mode=x&sslMode=x");
  ASSERT_TRUE(url.ok());
  EXPECT_EQ(url->database, "data/my%20shop.db");
  EXPECT_EQ(url->parameter("busy_timeout"), "5");
  EXPECT_EQ(parse_jdbc_url("jdbc:sqlite:file:///srv/my%20shop.db?mode=ro")->database, "/srv/my shop.db");
  EXPECT_THAT(ignored_parameters(*url), ElementsAre(HasSubstr("jornal_mode (did you mean journal_mode"),
                                                    HasSubstr("sslmode (a parameter of MariaDB")));
}

}  // namespace
}  // namespace millrace::jdbc
