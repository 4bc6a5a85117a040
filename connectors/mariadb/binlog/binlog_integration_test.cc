// A real server's binlog through transport, stream and decoder: what was written with SQL must come back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "connectors/mariadb/binlog/cell_text.h"
#include "connectors/mariadb/binlog/rows.h"
#include "connectors/mariadb/binlog/stream.h"
#include "tests/support/mariadb_server.h"

namespace millrace::mariadb {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Change {
  RowOperation operation;
  std::vector<std::string> before, after;
};

std::vector<std::string> texts(std::span<const Cell> cells) {
  std::vector<std::string> out;
  for (const Cell& cell : cells) out.push_back(text_of(cell));
  return out;
}

class BinlogTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    server_ = std::make_unique<testing::MariaDbServer>(std::vector<std::string>{
        "--log-bin=binlog", "--server-id=7", "--binlog-format=ROW", "--binlog-row-metadata=FULL",
        "--binlog-checksum=CRC32", "--max-allowed-packet=64M", "--binlog-row-image=FULL"});
  }
  static void TearDownTestSuite() { server_.reset(); }
  void SetUp() override {
    if (!server_->problem().empty()) GTEST_SKIP() << server_->problem();
    run({"CREATE DATABASE IF NOT EXISTS shop", "DROP TABLE IF EXISTS shop.t"});
    mark_start();
  }
  static void run(const std::vector<std::string>& sql) { ASSERT_EQ(server_->run(sql, ""), ""); }
  void mark_start() {
    const auto status = server_->query("SHOW MASTER STATUS").rows.at(0);
    start_.file = status.at(0);
    start_.position = std::stoull(status.at(1));
  }
  static std::unique_ptr<Connection> connect() {
    ConnectionOptions with;
    with.host = "127.0.0.1";
    with.port = static_cast<uint16_t>(server_->port());
    with.user = server_->user();
    with.password = server_->password();
    auto opened = Connection::open(with);
    EXPECT_TRUE(opened.ok()) << (opened.ok() ? "" : opened.status().message());
    return std::move(*opened);
  }
  static StreamOptions stream_options() {
    StreamOptions options;
    options.server_id = 4711;
    options.heartbeat_ms = 2000;
    return options;
  }
  static std::unique_ptr<BinlogStream> open(const StreamStart& start, const StreamOptions& options = stream_options()) {
    auto transport = open_transport(connect(), start, options);
    EXPECT_TRUE(transport.ok()) << (transport.ok() ? "" : transport.status().message());
    return std::make_unique<BinlogStream>(std::move(*transport), options.queue_bytes_max);
  }

  /// Reads until the QUERY that creates the database `end_mark`; gives all row changes of shop.*.
  std::vector<Change> read_to_mark(BinlogStream& stream) {
    std::vector<Change> changes;
    read(stream, [&](const Event& event) {
      if (event.header.type == EventType::kTableMap) {
        auto map = parse_table_map(event);
        EXPECT_TRUE(map.ok()) << (map.ok() ? "" : map.status().message());
        if (adjust_map) adjust_map(*map);
        maps_[map->table_id] = std::move(*map);
        return true;
      }
      if (is_rows(event.header.type)) add_rows(event, changes);
      if (event.header.type != EventType::kQuery && event.header.type != EventType::kQueryCompressed) return true;
      std::string inflated;
      auto query = parse_query(event, inflated);
      EXPECT_TRUE(query.ok());
      queries_.emplace_back(query->sql);
      return query->sql.find("end_mark") == std::string_view::npos;
    });
    return changes;
  }

  void read(BinlogStream& stream, const std::function<bool(const Event&)>& use) {
    for (;;) {
      auto block = stream.take(30'000);
      ASSERT_TRUE(block.ok()) << block.status().message();
      ASSERT_FALSE((*block)->empty()) << "nothing came";
      for (Bytes raw; (*block)->next(raw);) {
        auto event = parser_.parse(raw);
        ASSERT_TRUE(event.ok()) << event.status().message();
        types_[event->header.type]++;
        if (!use(*event)) return;
      }
    }
  }

  static bool is_rows(EventType type) {
    return (type >= EventType::kWriteRowsV1 && type <= EventType::kDeleteRowsV1) ||
           type >= EventType::kWriteRowsCompressed;
  }

  void add_rows(const Event& event, std::vector<Change>& changes) {
    auto id = RowsReader::table_id_of(event);
    ASSERT_TRUE(id.ok());
    ASSERT_TRUE(maps_.contains(*id));
    if (maps_[*id].table.database != "shop") return;
    const Status opened = rows_.open(event, maps_[*id]);
    ASSERT_TRUE(opened.ok()) << opened.message();
    while (rows_.more()) {
      const Status s = rows_.next();
      ASSERT_TRUE(s.ok()) << s.message();
      changes.push_back({rows_.operation(), texts(rows_.before()), texts(rows_.after())});
    }
  }

  /// Runs `sql` and gives the changes it makes, read from where this test began.
  std::vector<Change> changes_of(std::vector<std::string> sql) {
    sql.insert(sql.end(), {"CREATE DATABASE end_mark", "DROP DATABASE end_mark"});
    const std::string problem = server_->run(sql);
    EXPECT_EQ(problem, "");
    return problem.empty() ? read_to_mark(*open(start_)) : std::vector<Change>{};
  }

  static std::unique_ptr<testing::MariaDbServer> server_;
  StreamStart start_;
  EventParser parser_;
  RowsReader rows_;
  std::map<uint64_t, TableMap> maps_;
  std::map<EventType, int> types_;
  std::vector<std::string> queries_;
  std::function<void(TableMap&)> adjust_map;
};
std::unique_ptr<testing::MariaDbServer> BinlogTest::server_;

constexpr const char* kAllTypes =
    "CREATE TABLE shop.t (id INT PRIMARY KEY, t1 TINYINT, t1u TINYINT UNSIGNED, s2 SMALLINT, s2u SMALLINT UNSIGNED, "
    "m3 MEDIUMINT, m3u MEDIUMINT UNSIGNED, i4u INT UNSIGNED, b8 BIGINT, b8u BIGINT UNSIGNED, f FLOAT, d DOUBLE, "
    "d0 DECIMAL(10,0), d1 DECIMAL(38,10), d2 DECIMAL(65,30), d3 DECIMAL(5,5), d4 DECIMAL(18,2), da DATE, "
    "dt DATETIME, dt3 DATETIME(3), dt6 DATETIME(6), ts TIMESTAMP NULL, ts1 TIMESTAMP(1) NULL, ts6 TIMESTAMP(6) NULL, "
    "ti TIME, ti2 TIME(2), ti4 TIME(4), ti6 TIME(6), y YEAR, c CHAR(10), cl CHAR(255) CHARACTER SET utf8mb4, "
    "v VARCHAR(50), vl VARCHAR(1000), bi BINARY(8), vb VARBINARY(20), tx TINYTEXT, te TEXT, mt MEDIUMTEXT, "
    "lo LONGTEXT, bl BLOB, e ENUM('a','ü','c'), se SET('x','y','z'), bt1 BIT(1), bt BIT(20), bt64 BIT(64), u UUID, "
    "i6 INET6, i4 INET4, g POINT, j JSON, vc VARCHAR(300) COMPRESSED, tc TEXT COMPRESSED, bc BLOB COMPRESSED)";

TEST_F(BinlogTest, EveryTypeComesBack) {
  const std::string row =
      "-128, 255, -32768, 65535, -8388608, 16777215, 4294967295, -9223372036854775808, 18446744073709551615, 1.5, "
      "-1234.5, -1234567890, -1234567890123456789012345678.0123456789, "
      "-12345678901234567890123456789012345.123456789012345678901234567890, -0.00001, 1234567890123456.78, "
      "'2024-02-29', '9999-12-31 23:59:59', '2024-01-02 03:04:05.678', '1000-01-01 00:00:00.000001', "
      "'2024-01-02 03:04:05', '2024-01-02 03:04:05.6', '2024-01-02 03:04:05.678901', '-838:59:59', '-00:00:00.01', "
      "'12:34:56.7891', '-12:34:56.789012', 1901, 'abc  ', REPEAT('ü', 200), 'varchar', REPEAT('x', 700), "
      "X'0102000300000000', X'0100', 'tiny', 'text', 'medium', 'long', X'00FF00', 'ü', 'x,z', b'1', b'10101', "
      "X'8000000000000001', '00112233-4455-6677-8899-aabbccdd0000', '2001:db8::', '10.0.0.0', "
      "ST_GeomFromText('POINT(1 2)', 4326), '{\"a\":1}', REPEAT('compress me ', 20), REPEAT('z', 60000), 'q'";
  std::string nulls = "NULL", zeros;
  for (int i = 1; i < 52; ++i) nulls += ", NULL";
  const auto changes = changes_of(
      {kAllTypes, "INSERT INTO shop.t VALUES (1, " + row + "), (2, " + nulls + ")", "SET sql_mode=''",
       "INSERT INTO shop.t (id, y, da, dt6, ts6, ti6, e, se, tc, vc, d1, bt, v, bi, u) VALUES (3, 0, '0000-00-00', "
       "'0000-00-00', 0, 0, 'bad', '', '', '', 0, 0, '', '', '00000000-0000-0000-0000-000000000000')",
       "DELETE FROM shop.t WHERE id = 1"});
  ASSERT_EQ(changes.size(), 4U);
  const std::string uuid("\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\x00\x00", 16);
  const std::string inet6("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\0", 16);
  std::string umlauts;
  for (int i = 0; i < 200; ++i) umlauts += "ü";
  std::string squeezed;
  for (int i = 0; i < 20; ++i) squeezed += "compress me ";
  const auto& v = changes[0].after;
  const TableMap& map = maps_.rbegin()->second;
  ASSERT_TRUE(map.has_names && map.has_charsets && map.has_signs);
  std::map<std::string, std::string> by_name;
  for (size_t i = 0; i < v.size(); ++i) by_name[map.columns[i].name] = v[i];
  const std::map<std::string, std::string> expected = {
      {"id", "1"},
      {"t1", "-128"},
      {"t1u", "255"},
      {"s2", "-32768"},
      {"s2u", "65535"},
      {"m3", "-8388608"},
      {"m3u", "16777215"},
      {"i4u", "4294967295"},
      {"b8", "-9223372036854775808"},
      {"b8u", "18446744073709551615"},
      {"f", "1.5"},
      {"d", "-1234.5"},
      {"d0", "-1234567890"},
      {"d1", "-1234567890123456789012345678.0123456789"},
      {"d2", "-12345678901234567890123456789012345.123456789012345678901234567890"},
      {"d3", "-0.00001"},
      {"d4", "1234567890123456.78"},
      {"da", "2024-02-29"},
      {"dt", "9999-12-31 23:59:59.000000"},
      {"dt3", "2024-01-02 03:04:05.678000"},
      {"dt6", "1000-01-01 00:00:00.000001"},
      {"ts", "1704164645000000"},
      {"ts1", "1704164645600000"},
      {"ts6", "1704164645678901"},
      {"ti", "-838:59:59.000000"},
      {"ti2", "-00:00:00.010000"},
      {"ti4", "12:34:56.789100"},
      {"ti6", "-12:34:56.789012"},
      {"y", "1901"},
      {"c", "abc"},
      {"cl", umlauts},
      {"v", "varchar"},
      {"vl", std::string(700, 'x')},
      {"bi", std::string("\1\2\0\3\0\0\0\0", 8)},
      {"vb", std::string("\1\0", 2)},
      {"tx", "tiny"},
      {"te", "text"},
      {"mt", "medium"},
      {"lo", "long"},
      {"bl", std::string("\0\xff\0", 3)},
      {"e", "2"},
      {"se", "5"},
      {"bt1", "1"},
      {"bt", "21"},
      {"bt64", "9223372036854775809"},
      {"u", uuid},
      {"i6", inet6},
      {"i4", std::string("\x0a\0\0\0", 4)},
      {"g", by_name["g"]},
      {"j", "{\"a\":1}"},
      {"vc", squeezed},
      {"tc", std::string(60'000, 'z')},
      {"bc", "q"},
  };
  EXPECT_EQ(by_name, expected);
  EXPECT_EQ(by_name["g"].size(), 25U);
  EXPECT_EQ(changes[3].operation, RowOperation::kDelete);
  EXPECT_EQ(changes[3].before, v);
  std::vector<std::string> all_null(53, "NULL");
  all_null[0] = "2";
  EXPECT_EQ(changes[1].after, all_null);

  std::map<std::string, std::string> zero_row;
  for (size_t i = 0; i < v.size(); ++i) zero_row[map.columns[i].name] = changes[2].after[i];
  EXPECT_EQ(zero_row["y"], "0");
  EXPECT_EQ(zero_row["da"], "0000-00-00");
  EXPECT_EQ(zero_row["dt6"], "0000-00-00 00:00:00.000000");
  EXPECT_EQ(zero_row["ts6"], "0");
  EXPECT_EQ(zero_row["ti6"], "00:00:00.000000");
  EXPECT_EQ(zero_row["e"], "0");
  EXPECT_EQ(zero_row["se"], "0");
  EXPECT_EQ(zero_row["tc"], "");
  EXPECT_EQ(zero_row["vc"], "");
  EXPECT_EQ(zero_row["bi"], std::string(8, '\0'));
  EXPECT_EQ(zero_row["u"], std::string(16, '\0'));
  for (const WireColumn& column : map.columns) {
    if (column.name == "e") {
      EXPECT_THAT(column.labels, ElementsAre("a", "ü", "c"));
    }
    if (column.name == "g") {
      EXPECT_EQ(column.geometry, 1);
    }
  }
  EXPECT_THAT(map.primary_key, ElementsAre(0U));
}

constexpr const char* kNarrow = "CREATE TABLE shop.t (id INT PRIMARY KEY, n INT, v VARCHAR(20), b TEXT)";

TEST_F(BinlogTest, PartialImagesHaveAbsentCells) {
  auto changes = changes_of({kNarrow, "SET binlog_row_image=MINIMAL", "INSERT INTO shop.t (id, v) VALUES (1, 'a')",
                             "UPDATE shop.t SET n = 5", "DELETE FROM shop.t", "SET binlog_row_image=NOBLOB",
                             "INSERT INTO shop.t VALUES (2, 2, 'b', 'text')", "UPDATE shop.t SET n = 6"});
  ASSERT_EQ(changes.size(), 5U);
  EXPECT_THAT(changes[1].before, ElementsAre("1", "(absent)", "(absent)", "(absent)"));
  EXPECT_THAT(changes[1].after, ElementsAre("(absent)", "5", "(absent)", "(absent)"));
  EXPECT_THAT(changes[2].before, ElementsAre("1", "(absent)", "(absent)", "(absent)"));
  EXPECT_THAT(changes[4].before, ElementsAre("2", "2", "b", "(absent)"));
  EXPECT_THAT(changes[4].after, ElementsAre("2", "6", "b", "(absent)"));
}

TEST_F(BinlogTest, CompressedEvents) {
  const std::string wide(3000, 'w');
  run({"SET GLOBAL log_bin_compress=1"});
  const auto changes = changes_of({kNarrow, "INSERT INTO shop.t VALUES (1, 1, 'a', '" + wide + "'), (2, 2, 'b', NULL)",
                                   "UPDATE shop.t SET n = 9 WHERE id = 1", "DELETE FROM shop.t WHERE id = 1"});
  run({"SET GLOBAL log_bin_compress=0"});
  ASSERT_EQ(changes.size(), 4U);
  EXPECT_THAT(changes[2].after, ElementsAre("1", "9", "a", wide));
  EXPECT_EQ(types_[EventType::kWriteRowsCompressed], 1);
  EXPECT_EQ(types_[EventType::kUpdateRowsCompressed], 1);
  EXPECT_EQ(types_[EventType::kDeleteRowsCompressed], 1);
}

TEST_F(BinlogTest, ChecksumsComeAndGo) {
  run({"SET GLOBAL binlog_checksum=NONE"});
  mark_start();
  auto changes = changes_of({kNarrow, "INSERT INTO shop.t VALUES (1, 1, 'a', 'b')", "SET GLOBAL binlog_checksum=CRC32",
                             "INSERT INTO shop.t VALUES (2, 1, 'a', 'b')", "FLUSH BINARY LOGS",
                             "INSERT INTO shop.t VALUES (3, 1, 'a', 'b')"});
  EXPECT_EQ(changes.size(), 3U);
}

TEST_F(BinlogTest, StartByGtidAndGtidEvents) {
  run({kNarrow, "INSERT INTO shop.t VALUES (1, 1, 'a', 'b')"});
  auto position = GtidList::parse(server_->query("SELECT @@gtid_binlog_pos").rows[0][0]);
  ASSERT_TRUE(position.ok());
  run({"SET gtid_domain_id=3", "INSERT INTO shop.t VALUES (2, 1, 'a', 'b')", "CREATE DATABASE end_mark",
       "DROP DATABASE end_mark"});
  run({"XA START 'x','y',9", "INSERT INTO shop.t VALUES (3, 1, 'a', 'b')", "XA END 'x','y',9", "XA PREPARE 'x','y',9",
       "XA COMMIT 'x','y',9"});
  StreamStart start;
  start.gtids = *position;
  auto stream = open(start);
  std::vector<GtidEvent> gtids;
  GtidList at_start;
  std::string xid;
  read(*stream, [&](const Event& event) {
    if (event.header.type == EventType::kGtidList && (event.header.flags & kArtificialEvent) != 0)
      at_start = *parse_gtid_list(event);
    if (event.header.type != EventType::kGtid) return true;
    auto gtid = parse_gtid(event);
    EXPECT_TRUE(gtid.ok());
    gtids.push_back(*gtid);
    xid = std::string(gtid->xid);
    return !gtid->completed_xa;
  });
  EXPECT_EQ(at_start, *position);
  ASSERT_EQ(gtids.size(), 5U);
  EXPECT_EQ(gtids[0].id.domain, 3U);
  EXPECT_EQ(gtids[0].id.server, 7U);
  EXPECT_TRUE(gtids[0].transactional);
  EXPECT_FALSE(gtids[0].standalone);
  EXPECT_TRUE(gtids[1].standalone && gtids[1].ddl);
  EXPECT_TRUE(gtids[3].prepared_xa);
  EXPECT_EQ(xid, std::string("\x09\0\0\0\1\1xy", 8));
  EXPECT_THAT(parser_.server_version(), HasSubstr("MariaDB"));
}

TEST_F(BinlogTest, ARowOfTwentyMegabytes) {
  StreamOptions options = stream_options();
  options.queue_bytes_max = 1 << 20;
  run({kNarrow, "ALTER TABLE shop.t MODIFY b LONGTEXT",
       "INSERT INTO shop.t VALUES (1, 1, 'a', REPEAT('0123456789', 2000000)), (2, 2, 'b', 'after')",
       "CREATE DATABASE end_mark", "DROP DATABASE end_mark"});
  const auto changes = read_to_mark(*open(start_, options));
  ASSERT_EQ(changes.size(), 2U);
  EXPECT_EQ(changes[0].after[3].size(), 20'000'000U);
  EXPECT_EQ(changes[1].after[3], "after");
}

TEST_F(BinlogTest, OldTemporalTypes) {
  run({"SET GLOBAL mysql56_temporal_format=OFF"});
  adjust_map = [](TableMap& map) {
    for (WireColumn& column : map.columns) {
      if (column.name.size() == 2) column.metadata = static_cast<uint16_t>(column.name[1] - '0');
    }
  };
  const auto changes = changes_of(
      {"CREATE TABLE shop.t (id INT PRIMARY KEY, a0 TIMESTAMP NULL, a3 TIMESTAMP(3) NULL, b0 TIME, b2 TIME(2), b6 "
       "TIME(6), c0 DATETIME, c1 DATETIME(1), c6 DATETIME(6))",
       "INSERT INTO shop.t VALUES (1, '2024-01-02 03:04:05', '2024-01-02 03:04:05.678', '-12:34:56', "
       "'-12:34:56.78', '838:59:59.999999', '2024-01-02 03:04:05', '2024-01-02 03:04:05.6', '1000-01-01 "
       "00:00:00.000001')"});
  run({"SET GLOBAL mysql56_temporal_format=ON"});
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(maps_.rbegin()->second.columns[1].type, 7);
  EXPECT_THAT(changes[0].after, ElementsAre("1", "1704164645000000", "1704164645678000", "-12:34:56.000000",
                                            "-12:34:56.780000", "838:59:59.999999", "2024-01-02 03:04:05.000000",
                                            "2024-01-02 03:04:05.600000", "1000-01-01 00:00:00.000001"));
}

TEST_F(BinlogTest, AnnotationsAndQueriesOfOtherCharacterSets) {
  StreamOptions options = stream_options();
  options.annotate = true;
  run({kNarrow, "INSERT INTO shop.t VALUES (1, 1, 'a', 'b')", "SET NAMES latin1", "CREATE DATABASE end_mark",
       "DROP DATABASE end_mark"});
  auto stream = open(start_, options);
  std::string annotation;
  uint16_t charset = 0;
  read(*stream, [&](const Event& event) {
    if (event.header.type == EventType::kAnnotateRows)
      annotation.assign(reinterpret_cast<const char*>(event.body.data()), event.body.size());
    if (event.header.type != EventType::kQuery) return true;
    std::string inflated;
    auto query = parse_query(event, inflated);
    EXPECT_TRUE(query.ok());
    charset = query->client_charset;
    return query->sql.find("end_mark") == std::string_view::npos;
  });
  EXPECT_EQ(annotation, "INSERT INTO shop.t VALUES (1, 1, 'a', 'b')");
  EXPECT_EQ(charset, 8);  // latin1_swedish_ci
}

TEST_F(BinlogTest, HeartbeatsOnAnIdleServer) {
  StreamOptions options = stream_options();
  options.heartbeat_ms = 50;
  auto stream = open(start_, options);
  read(*stream, [&](const Event& event) {
    if (event.header.type != EventType::kHeartbeat) return true;
    auto heartbeat = parse_heartbeat(event);
    EXPECT_EQ(heartbeat->file, start_.file);
    EXPECT_EQ(heartbeat->position, start_.position);
    return false;
  });
}

TEST_F(BinlogTest, RefusalsNameTheServersNumber) {
  StreamStart start;
  start.file = "nonsense.000001";
  auto stream = open(start);
  Result<EventBlock*> block = stream->take(10'000);
  while (block.ok()) block = stream->take(10'000);
  EXPECT_EQ(block.status().code(), Code::kInternal);
  EXPECT_EQ(stream->server_error(), 1236U);
  EXPECT_THAT(block.status().message(), HasSubstr("snapshot"));
}

TEST_F(BinlogTest, InterruptEndsABlockedRead) {
  auto transport = open_transport(connect(), start_, stream_options());
  ASSERT_TRUE(transport.ok());
  BinlogTransport& raw = **transport;
  BinlogStream stream(std::move(*transport), 1 << 20);
  ASSERT_TRUE(stream.take(10'000).ok());
  stream.interrupt();
  Result<EventBlock*> block = stream.take(10'000);
  while (block.ok()) block = stream.take(10'000);
  EXPECT_EQ(block.status().code(), Code::kStopped);
  EXPECT_EQ(raw.server_error() == 1236U, false);
}

TEST_F(BinlogTest, AKilledDumpAndATakenServerIdAreSaid) {
  auto first = open(start_);
  ASSERT_TRUE(first->take(10'000).ok());
  const auto dump = server_->query("SELECT ID FROM information_schema.PROCESSLIST WHERE COMMAND = 'Binlog Dump'").rows;
  ASSERT_FALSE(dump.empty());
  for (const auto& row : dump) run({"KILL " + row[0]});
  Result<EventBlock*> block = first->take(10'000);
  while (block.ok()) block = first->take(10'000);
  EXPECT_EQ(block.status().code(), Code::kUnavailable) << block.status().message();

  auto one = open(start_);
  ASSERT_TRUE(one->take(10'000).ok());
  auto two = open(start_);
  ASSERT_TRUE(two->take(10'000).ok());
  block = one->take(10'000);
  while (block.ok()) block = one->take(10'000);
  EXPECT_EQ(one->server_error(), 4052U) << block.status().message();
  EXPECT_THAT(block.status().message(), HasSubstr("database.server.id"));
}

}  // namespace
}  // namespace millrace::mariadb
