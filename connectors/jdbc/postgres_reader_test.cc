/// Reading from a private PostgreSQL: the cursor's bounds, its transactions and parameters; types that recorded cases
/// do not have.
#include <gtest/gtest.h>

#include "connectors/jdbc/postgres_session.h"
#include "tests/support/postgres_server.h"

namespace millrace::jdbc {
namespace {

using millrace::testing::PostgresServer;

class PostgresReader : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { server_ = new PostgresServer; }
  static void TearDownTestSuite() {
    delete server_;
    server_ = nullptr;
  }
  void SetUp() override {
    if (!server_->problem().empty()) GTEST_SKIP() << server_->problem();
    session_ = open("");
  }

  static std::unique_ptr<Session> open(const std::string& parameters) {
    ConnectionSettings settings;
    settings.url = *parse_jdbc_url(server_->url("postgres") + parameters);
    settings.user = server_->user();
    settings.password = server_->password();
    auto opened = open_session(settings, false, [](int64_t) { return true; });
    EXPECT_TRUE(opened.ok()) << opened.status().message();
    return opened.ok() ? std::move(*opened) : nullptr;
  }
  void sql(const std::vector<std::string>& statements) {
    const std::string error = server_->run(statements);
    ASSERT_TRUE(error.empty()) << error;
  }
  std::unique_ptr<RowReader> read(const std::string& text, std::vector<Parameter> parameters = {},
                                  const ReadOptions& options = {}) {
    auto reader = session_->read(text, parameters, options);
    EXPECT_TRUE(reader.ok()) << reader.status().message();
    return reader.ok() ? std::move(*reader) : nullptr;
  }
  /// All rows, each as its values joined by "|".
  static std::vector<std::string> rows_of(RowReader& reader, size_t rows_max = 1000) {
    std::vector<std::string> out;
    while (!reader.done()) {
      RowBatch batch;
      const Status s = reader.fetch(batch, rows_max, 1 << 20);
      EXPECT_TRUE(s.ok()) << s.message();
      EXPECT_LE(batch.rows, rows_max);
      for (size_t row = 0; row < batch.rows; ++row) {
        std::string line;
        for (size_t i = 0; i < batch.width; ++i) {
          const mr_value& value = batch.values[row * batch.width + i];
          line += (i == 0 ? "" : "|") + (value.kind == MR_NULL ? std::string("null")
                                         : value.kind == MR_STRING || value.kind == MR_BYTES
                                             ? std::string(value.u.bytes, value.size)
                                             : std::to_string(value.u.i64));
        }
        out.push_back(line);
      }
      if (!s.ok()) break;
    }
    return out;
  }

  static PostgresServer* server_;
  std::unique_ptr<Session> session_;
};
PostgresServer* PostgresReader::server_ = nullptr;

TEST_F(PostgresReader, HandsOnEveryRowOnceWhateverTheBounds) {
  for (const size_t rows : {1U, 7U, 100U, 20'000U}) {
    auto reader = read("SELECT i, repeat('x', i % 50) FROM generate_series(1,5000) i");
    const auto lines = rows_of(*reader, rows);
    ASSERT_EQ(lines.size(), 5000U) << rows;
    EXPECT_EQ(lines[4999], "5000|");
    EXPECT_EQ(lines[51], "52|xx");
  }
}

TEST_F(PostgresReader, StopsAtTheBytesToo) {
  auto reader = read("SELECT repeat('x', 100000) FROM generate_series(1,300)");
  RowBatch batch;
  ASSERT_TRUE(reader->fetch(batch, 1000, 1'000'000).ok());
  EXPECT_EQ(batch.rows, 10U);
  EXPECT_FALSE(reader->done());
}

TEST_F(PostgresReader, KnowsTheEndOnlyWithTrackedColumns) {
  auto reader = read("SELECT TIMESTAMP '2024-01-01 00:00:00.000001' AS t FROM generate_series(1,100)");
  reader->track_instants({0});
  RowBatch batch;
  ASSERT_TRUE(reader->fetch(batch, 99, 1 << 20).ok());
  EXPECT_FALSE(reader->done());
  ASSERT_TRUE(reader->fetch(batch, 100, 1 << 20).ok());
  EXPECT_TRUE(reader->done());
  EXPECT_EQ(batch.instants.at(99), (Instant{1704067200, 1000}));
}

TEST_F(PostgresReader, LeavesNoTransactionBehind) {
  const auto idle = [&] {
    return session_->query("SELECT now() = statement_timestamp()")->at(0).at(0) == "t" && !session_->broken();
  };
  {
    auto reader = read("SELECT generate_series(1,100000)");
    RowBatch batch;
    ASSERT_TRUE(reader->fetch(batch, 10, 1 << 20).ok());
  }
  EXPECT_TRUE(idle()) << "given up half-way";
  rows_of(*read("SELECT 1"));
  EXPECT_TRUE(idle()) << "read to the end";
  auto broken = session_->read("SELECT nothing", {}, {});
  ASSERT_FALSE(broken.ok());
  EXPECT_EQ(session_->last_error().sqlstate, "42703");
  EXPECT_NE(broken.status().message().find("position 8"), std::string::npos) << broken.status().message();
  EXPECT_TRUE(idle()) << "refused";
  {
    auto reader = read("SELECT 1 / (5 - i) FROM generate_series(1,10) i");
    RowBatch batch;
    EXPECT_EQ(reader->fetch(batch, 100, 1 << 20).code(), Code::kBadRecord);
  }
  EXPECT_TRUE(idle()) << "failed on the way";
}

TEST_F(PostgresReader, ReadsWithTheIsolationAskedFor) {
  ASSERT_TRUE(session_->set_isolation("REPEATABLE READ").ok());
  EXPECT_EQ(rows_of(*read("SELECT current_setting('transaction_isolation')")).at(0), "repeatable read");
}

TEST_F(PostgresReader, BindsNumbersAndPointsInTime) {
  sql({"CREATE TABLE bound(id numeric(18), ts timestamp, tz timestamptz)",
       "INSERT INTO bound VALUES (1,'2024-07-01 12:00:00.123456','2024-07-01 12:00:00.123456+00')"});
  ReadOptions berlin;
  berlin.clock.zone = *TimeZone::load("Europe/Berlin");
  const Instant noon{1719835200, 123'456'000};
  const std::string by_zone = "SELECT id FROM bound WHERE id > ? AND tz = ?";
  EXPECT_EQ(rows_of(*read(by_zone, {int64_t{0}, noon}, berlin)).size(), 1U);
  EXPECT_EQ(rows_of(*read(by_zone, {int64_t{1}, noon}, berlin)).size(), 0U);
  // The wall clock showed noon two hours earlier.
  const Instant wall{noon.seconds - 7200, noon.nanos};
  EXPECT_EQ(rows_of(*read("SELECT id FROM bound WHERE ts = ?", {wall}, berlin)).size(), 1U);
  EXPECT_EQ(session_->read("SELECT ? AS x", std::vector<Parameter>{int64_t{1}, int64_t{2}}, {}).status().code(),
            Code::kInvalidConfig);
  EXPECT_EQ(rows_of(*read("SELECT ('{\"a\":1}'::jsonb ? 'a')::int")).at(0), "1") << "an operator";
}

TEST_F(PostgresReader, TimestampsShowTheWallClock) {
  ReadOptions options;
  options.clock.zone = *TimeZone::load("America/New_York");
  options.granularity = TimestampGranularity::kMicrosIso;
  auto reader = read("SELECT TIMESTAMP '2024-01-01 01:02:03.5', TIMESTAMPTZ '2024-01-01 01:02:03.5+00'", {}, options);
  EXPECT_EQ(rows_of(*reader).at(0), "2024-01-01T01:02:03.500000|2023-12-31T20:02:03.500000");
  reader.reset();
  options.granularity = TimestampGranularity::kMicrosLong;
  reader = read("SELECT TIMESTAMPTZ '1960-01-01 00:00:00.25+00', TIMESTAMP 'infinity'", {}, options);
  EXPECT_EQ(rows_of(*reader).at(0), "-315619199750000|9223372036854775807");
}

TEST_F(PostgresReader, LeavesOutWhatRecordsCannotHold) {
  sql({"CREATE TYPE mood AS ENUM ('sad','ok')", "CREATE DOMAIN checked AS mood",
       "CREATE TABLE odd(a int[], m mood NOT NULL, ms mood[], c checked, i inet, t text)",
       "INSERT INTO odd VALUES ('{1}','ok','{ok}','sad','1.2.3.4','kept')"});
  auto reader = read("SELECT * FROM odd");
  ASSERT_EQ(reader->columns().size(), 3U);
  EXPECT_EQ(reader->columns()[0].label, "m");
  EXPECT_FALSE(reader->columns()[0].optional);
  EXPECT_TRUE(reader->columns()[2].optional);
  EXPECT_EQ(std::vector<std::string>(reader->skipped().begin(), reader->skipped().end()),
            (std::vector<std::string>{"a (integer[])", "ms (mood[])", "i (inet)"}));
  EXPECT_EQ(rows_of(*reader).at(0), "ok|sad|kept");
}

TEST_F(PostgresReader, NumericsOfAnySize) {
  ReadOptions options;
  options.numeric = NumericMapping::kBestFit;
  auto reader = read("SELECT 12345::numeric(5,-2), 9.99::numeric(3,2)::numeric(9,0), 'NaN'::numeric", {}, options);
  EXPECT_EQ(reader->columns()[0].type, MR_INT32);
  EXPECT_EQ(reader->columns()[1].type, MR_INT32);
  EXPECT_EQ(reader->columns()[2].type, MR_FLOAT64);
  EXPECT_EQ(rows_of(*reader).at(0).substr(0, 9), "12300|10|");

  reader.reset();
  auto exact = read("SELECT (10::numeric ^ 200)::numeric(210,4) AS n");
  RowBatch batch;
  ASSERT_TRUE(exact->fetch(batch, 1, 1 << 20).ok());
  EXPECT_EQ(batch.values[0].kind, MR_DECIMAL);
  EXPECT_EQ(batch.values[0].scale, 4);
  EXPECT_EQ(batch.values[0].size, 85U) << "10^204 has 678 bits";

  exact.reset();
  auto nan = read("SELECT 'NaN'::numeric(5,2) AS n");
  RowBatch none;
  const Status s = nan->fetch(none, 1, 1 << 20);
  EXPECT_EQ(none.rows, 0U);
  EXPECT_NE(s.message().find("Bad value for type BigDecimal : NaN"), std::string::npos) << s.message();
}

TEST_F(PostgresReader, MoneyFollowsTheLocalesUnit) {
  auto reader = read("SELECT 1234.56::money");
  RowBatch batch;
  ASSERT_TRUE(reader->fetch(batch, 1, 1 << 20).ok());
  EXPECT_EQ(batch.values[0].u.f64, 1234.56);
}

TEST_F(PostgresReader, MoneyIsTheSameBesideATypeReadAsText) {
  ReadOptions options;
  options.others_as_text = true;
  auto reader = read("SELECT 1234.56::money AS m, '1.2.3.4'::inet AS i", {}, options);
  RowBatch batch;
  ASSERT_TRUE(reader->fetch(batch, 1, 1 << 20).ok());
  EXPECT_EQ(batch.values[0].u.f64, 1234.56);
  EXPECT_EQ(std::string_view(batch.values[1].u.bytes, batch.values[1].size), "1.2.3.4/32");
}

TEST_F(PostgresReader, FetchesFewRowsUntilItKnowsTheirSize) {
  sql({"CREATE SEQUENCE fetched"});
  const auto fetched = [&] { return server_->query("SELECT last_value FROM fetched").rows.at(0).at(0); };
  RowBatch batch;
  auto small = read("SELECT nextval('fetched')::text FROM generate_series(1,100000)");
  ASSERT_TRUE(small->fetch(batch, 1000, 1).ok());
  EXPECT_EQ(fetched(), "10");
  batch.clear();
  ASSERT_TRUE(small->fetch(batch, 11, 1 << 20).ok());
  EXPECT_EQ(fetched(), "21") << "no more than the batch takes";
  small.reset();

  sql({"ALTER SEQUENCE fetched RESTART"});
  batch.clear();
  auto large = read(
      "SELECT CASE WHEN nextval('fetched') <= 10 THEN 'x' ELSE repeat('x', 1000000) END "
      "FROM generate_series(1,1000)");
  ASSERT_TRUE(large->fetch(batch, 1000, 1).ok());
  ASSERT_TRUE(large->fetch(batch, 1000, 100).ok());
  EXPECT_EQ(fetched(), "50") << "four times as many as before";
  ASSERT_TRUE(large->fetch(batch, 51, size_t{1} << 30).ok());
  EXPECT_EQ(fetched(), "54") << "as many as fit into four MiB";
}

}  // namespace
}  // namespace millrace::jdbc
