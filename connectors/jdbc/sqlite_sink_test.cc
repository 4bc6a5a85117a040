/// The sinks with SQLite files: statements, tables made and changed, bad records, locks, exactly once.
#include "connectors/jdbc/sql.h"
#include "connectors/jdbc/sqlite_session.h"
#include "connectors/jdbc/sqlite_test.h"

namespace millrace::jdbc {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view kTopic = "p.shop.orders";

class SqliteSink : public EventMaker {
 protected:
  void SetUp() override {
    prepare();
    plain_ = schema(row_of({{"id", spec(MR_INT32, "", false)}, {"name", spec(MR_STRING)}}, "", false));
    wider_ = schema(row_of({{"id", spec(MR_INT32, "", false)},
                            {"name", spec(MR_STRING)},
                            {"more", spec(MR_STRING)},
                            {"most", spec(MR_FLOAT64)}},
                           "", false));
  }
  FakeHost::Settings connection() const override { return {{"connection.url", file_.url("busy_timeout=30")}}; }
  sdk::TaskRunner& task(FakeHost::Settings more, std::string_view sink = kSink) {
    more.insert({{"connection.attempts", "1"}, {"table.name.format", "orders"}});
    auto& made = tasks_.emplace_back(host_, FakeHost::connector(mr_plugin, sink), settings(sink, std::move(more)));
    const auto started = made.start();
    EXPECT_TRUE(started.ok()) << started.message();
    return made;
  }
  mr_record row(int64_t id, std::vector<mr_value> rest, mr_schema_id schema) {
    mr_record one = record(static_cast<int>(id));
    one.value_schema = schema;
    rest.insert(rest.begin(), number(id));
    one.value = structure(std::move(rest));
    one.offset = id;
    return one;
  }
  std::vector<mr_record> plain(int64_t begin, int64_t end) {
    std::vector<mr_record> out;
    for (int64_t i = begin; i < end; ++i) out.push_back(row(i, {text("n")}, plain_));
    return out;
  }
  static void open_at(sdk::TaskRunner& task, int64_t position) {
    const mr_topic_partition partition{sdk::to_mr(kTopic), 0, 0, position};
    ASSERT_TRUE(task.open({&partition, 1}).ok());
  }
  static void expect_ok(const sdk::Status& status) { EXPECT_TRUE(status.ok()) << status.message(); }

  SqliteFile file_;
  mr_schema_id plain_ = 0, wider_ = 0;
  std::deque<sdk::TaskRunner> tasks_;
};

const FakeHost::Settings kInsert = {{"insert.mode", "insert"}, {"pk.mode", "none"}};

TEST_F(SqliteSink, StatementsAreConfluentsButUpsertsKeepColumns) {
  const auto dialect = make_dialect(*parse_jdbc_url(file_.url()), true);
  const TableId table{"", "", "t"};
  EXPECT_EQ(dialect->insert(table, {"k"}, {"a"}), "INSERT INTO `t`(`k`,`a`) VALUES(?,?)");
  EXPECT_EQ(dialect->upsert(table, {"k", "l"}, {"a"}, {"a"}),
            "INSERT INTO `t`(`k`,`l`,`a`) VALUES(?,?,?) ON CONFLICT(`k`,`l`) DO UPDATE SET `a`=excluded.`a`");
  EXPECT_EQ(dialect->upsert(table, {"k"}, {}, {}), "INSERT INTO `t`(`k`) VALUES(?) ON CONFLICT(`k`) DO NOTHING");
  EXPECT_EQ(dialect->create(table, {{"k", "INTEGER", false, "", true}, {"a", "TEXT", true, "", false}}),
            "CREATE TABLE `t` (\n`k` INTEGER NOT NULL,\n`a` TEXT NULL,\nPRIMARY KEY(`k`))");
  EXPECT_EQ(dialect->alter(table, {{"c", "TEXT", true, "", false}, {"d", "REAL", false, "1.5", false}}),
            "ALTER TABLE `t` ADD `c` TEXT NULL;\nALTER TABLE `t` ADD `d` REAL DEFAULT 1.5");
  EXPECT_EQ(dialect->truncate(table), "DELETE FROM `t`");
  EXPECT_EQ(dialect->table_id("main.t", {})->table, "t");
  EXPECT_THAT(dialect->table_id("a.b", {}).status().message(), HasSubstr("put a name with dots in `quotes`"));
}

TEST_F(SqliteSink, UpsertsDeletesAndWidens) {
  auto& sink = task({{"delete.enabled", "true"}});
  expect_ok(sink.put(plain(1, 4)));
  EXPECT_EQ(file_.rows("SELECT sql FROM sqlite_master")[0][0],
            "CREATE TABLE `orders` (\n`id` INTEGER NOT NULL,\n`name` TEXT NULL,\nPRIMARY KEY(`id`))");
  file_.run("ALTER TABLE orders ADD ours TEXT; UPDATE orders SET ours='kept'");
  expect_ok(sink.put({{row(2, {text("two"), text("m"), real(0.5)}, wider_), record(3)}}));
  EXPECT_EQ(file_.rows("SELECT * FROM orders"),
            (Rows{{"1", "n", "kept", "NULL", "NULL"}, {"2", "two", "kept", "m", "0.5"}}));
}

TEST_F(SqliteSink, ColumnsFollowTheSchemaAndSoDoValues) {
  const std::string logical = "org.apache.kafka.connect.data.";
  use({{"id", spec(MR_INT32, "", false)}});
  const mr_schema_id types = schema(row_of({{"id", spec(MR_INT32, "", false)},
                                            {"b", spec(MR_BOOLEAN)},
                                            {"f", spec(MR_FLOAT64)},
                                            {"x", spec(MR_BYTES)},
                                            {"d", with(spec(MR_BYTES, logical + "Decimal"), "scale", "2")},
                                            {"day", spec(MR_INT32, logical + "Date")},
                                            {"at", spec(MR_INT64, logical + "Timestamp")}},
                                           "", false));
  mr_value amount{};
  amount.kind = MR_DECIMAL;
  amount.scale = 2;
  amount.size = 2;
  amount.u.bytes = "\x04\xd2";  // 12.34
  for (const std::string dates : {"integer", "text"}) {
    auto& sink = task({{"connection.url", file_.url("date_class=" + dates)}, {"table.name.format", dates}});
    expect_ok(sink.put(
        {{row(1, {number(1, MR_BOOLEAN), real(1.5), bytes("ab"), amount, number(2), number(1001, MR_INT64)}, types)}}));
    EXPECT_EQ(file_.rows("SELECT group_concat(type) FROM pragma_table_info('" + dates + "')")[0][0],
              "INTEGER,INTEGER,REAL,BLOB,NUMERIC,NUMERIC,NUMERIC");
  }
  EXPECT_EQ(file_.rows("SELECT b, f, hex(x), d, typeof(d), day, at FROM integer"),
            (Rows{{"1", "1.5", "6162", "12.34", "real", "172800000", "1001"}}));
  EXPECT_EQ(file_.rows("SELECT day, at FROM text"), (Rows{{"1970-01-03", "1970-01-01 00:00:01.001"}}));
}

TEST_F(SqliteSink, DecimalsAreNeverRounded) {
  const mr_schema_id amounts =
      schema(row_of({{"id", spec(MR_INT32, "", false)},
                     {"d", with(spec(MR_BYTES, "org.apache.kafka.connect.data.Decimal"), "scale", "4")}},
                    "", false));
  const auto amount = [&](int64_t id, std::string_view unscaled) {
    mr_value value = bytes(unscaled);
    value.kind = MR_DECIMAL;
    value.scale = 4;
    return row(id, {value}, amounts);
  };
  const std::string_view wide = "\x7f\xff\xff\xff\xff\xff\xff\xff";     // 922337203685477.5807
  const std::string_view whole("\x01\x63\x45\x78\x5d\x8a\x00\x00", 8);  // 10000000000000.0000
  expect_ok(task({}).put({{amount(1, wide), amount(2, whole)}}));
  EXPECT_EQ(file_.rows("SELECT id, d FROM orders"), (Rows{{"2", "10000000000000"}}));
  ASSERT_EQ(host_.reports().size(), 1U);
  EXPECT_THAT(host_.reports()[0].message, HasSubstr("922337203685477.5807 has more than 15 digits"));
  file_.run("DROP TABLE orders; CREATE TABLE orders(id INTEGER PRIMARY KEY, d TEXT)");
  expect_ok(task({}).put({{amount(1, wide)}}));
  EXPECT_EQ(file_.rows("SELECT id, d FROM orders"), (Rows{{"1", "922337203685477.5807"}}));
}

TEST_F(SqliteSink, AFileThatIsGoneIsNotWrittenInto) {
  auto& sink = task({});
  expect_ok(sink.put(plain(0, 1)));
  std::filesystem::rename(file_.path(), file_.path() + ".old");
  EXPECT_THAT(sink.put(plain(1, 2)).message(), HasSubstr("was moved, removed or replaced"));
  expect_ok(sink.put(plain(1, 2)));  // into a new one
  EXPECT_TRUE(std::filesystem::exists(file_.path()));
}

TEST_F(SqliteSink, ABadRecordIsFoundAndTheOthersAreWritten) {
  file_.run("CREATE TABLE orders(id INTEGER PRIMARY KEY, name TEXT NOT NULL)");
  auto& sink = task({});
  auto records = plain(0, 9);
  records[5] = row(5, {mr_value{}}, plain_);
  expect_ok(sink.put(records));
  ASSERT_EQ(host_.reports().size(), 1U);
  EXPECT_EQ(host_.reports()[0].index, 5U);
  EXPECT_THAT(host_.reports()[0].message, HasSubstr("NOT NULL constraint failed: orders.name"));
  EXPECT_EQ(file_.rows("SELECT count(*) FROM orders"), (Rows{{"8"}}));
}

TEST_F(SqliteSink, AnUpsertWithoutAnIndexSaysWhatItNeeds) {
  file_.run("CREATE TABLE orders(id INTEGER, name TEXT)");
  host_.refuse_reports(true);
  EXPECT_THAT(task({}).put(plain(0, 1)).message(), HasSubstr("upsert needs a primary key or unique index"));
}

TEST_F(SqliteSink, ALockIsWaitedForAndNothingIsLost) {
  auto& sink = task({{"max.retries", "5"}, {"retry.backoff.ms", "1"}});
  expect_ok(sink.put(plain(0, 1)));
  file_.run("BEGIN IMMEDIATE");
  const auto busy = sink.put(plain(1, 3));
  EXPECT_EQ(busy.code(), sdk::Code::kUnavailable);
  EXPECT_THAT(busy.message(), HasSubstr("database is locked"));
  file_.run("COMMIT");
  expect_ok(sink.put(plain(1, 3)));
  EXPECT_EQ(file_.rows("SELECT count(*) FROM orders"), (Rows{{"3"}}));
}

TEST_F(SqliteSink, AFullDatabaseSaysSoAndPasses) {
  file_.run("CREATE TABLE orders(id INTEGER, name TEXT)");
  ConnectionSettings how;
  how.url = *parse_jdbc_url(file_.url());
  auto session = open_session(how, true, [](int64_t) { return true; });
  ASSERT_TRUE(session.ok());
  ASSERT_TRUE((*session)->query("PRAGMA max_page_count=2").ok());
  const auto full = (*session)->execute("INSERT INTO orders VALUES (2, hex(zeroblob(100000)))");
  EXPECT_EQ(full.code(), Code::kUnavailable);
  EXPECT_THAT(full.message(), HasSubstr("database or disk is full"));
  EXPECT_THAT(full.message(), HasSubstr("make room on the disk"));
}

TEST_F(SqliteSink, ExactlyOnceGoesOnWhereItsTableSays) {
  FakeHost::Settings exactly = kInsert;
  exactly.insert({"millrace.exactly.once", "true"});
  auto& first = task(exactly);
  open_at(first, 0);
  expect_ok(first.put(plain(0, 5)));
  auto records = plain(5, 7);
  records.push_back(row(7, {text("n"), text("m"), real(1)}, wider_));  // DDL in the middle of the transaction
  expect_ok(first.put(records));
  EXPECT_EQ(file_.rows("SELECT connector, topic, `offset`, epoch FROM millrace_offsets"),
            (Rows{{"test-connector", std::string(kTopic), "8", "1"}}));
  auto& second = task(exactly);
  open_at(second, 3);  // the group's offsets are older
  expect_ok(second.put(plain(3, 8)));
  EXPECT_EQ(host_.seeks().back().offset, 8);
  expect_ok(second.put(plain(8, 9)));
  EXPECT_EQ(file_.rows("SELECT count(*), count(DISTINCT id) FROM orders"), (Rows{{"9", "9"}}));
  EXPECT_THAT(first.put(plain(8, 9)).message(), HasSubstr("has taken over"));
}

TEST_F(SqliteSink, ChangeEventsOfDebezium) {
  use({{"id", spec(MR_INT32, "", false)},
       {"at", spec(MR_INT64, "io.debezium.time.MicroTimestamp")},
       {"day", spec(MR_INT32, "io.debezium.time.Date")},
       {"bits", with(spec(MR_BYTES, "io.debezium.data.Bits"), "length", "16")}});
  event("c", 1, {{number(1), number(1'000'001, MR_INT64), number(1), bytes(std::string_view("\x01\x02"))}});
  event("c", 2, {{number(2), mr_value{}, mr_value{}, mr_value{}}});
  event("d", 2, std::nullopt);
  auto& sink = task({{"delete.enabled", "true"}, {"collection.name.format", "orders"}}, kDebezium);
  expect_ok(sink.put(records_));
  EXPECT_EQ(file_.rows("SELECT * FROM orders"), (Rows{{"1", "1970-01-01 00:00:01.000001", "1970-01-02", "513"}}));
  records_.clear();
  event("t", std::nullopt, std::nullopt);
  expect_ok(task({{"truncate.enabled", "true"}, {"collection.name.format", "orders"}}, kDebezium).put(records_));
  EXPECT_EQ(file_.rows("SELECT count(*) FROM orders"), (Rows{{"0"}}));
}

TEST_F(SqliteSink, ATrialMakesNoFile) {
  ConnectionSettings how;
  how.url = *parse_jdbc_url(file_.url());
  how.url.database += ".new";
  how.trial = true;
  const auto stop = [](int64_t) { return true; };
  EXPECT_TRUE(open_session(how, true, stop).ok());
  EXPECT_FALSE(std::filesystem::exists(how.url.database));
  EXPECT_FALSE(open_session(how, false, stop).ok());
  how.url.database = "/proc/no/such.db";
  EXPECT_THAT(open_session(how, true, stop).status().message(), HasSubstr("cannot be created"));
  how.url.database = file_.path() + ".new";
  how.trial = false;
  EXPECT_TRUE(open_session(how, true, stop).ok());
  EXPECT_TRUE(std::filesystem::exists(how.url.database));
}

}  // namespace
}  // namespace millrace::jdbc
