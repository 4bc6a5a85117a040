// Snapshots of a real server: the cut agrees with the binlog, chunks lose nothing, cells are what was inserted.
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <set>
#include <thread>

#include "connectors/mariadb/snapshot/cell_text.h"
#include "connectors/mariadb/snapshot/field_reader.h"
#include "connectors/mariadb/snapshot/snapshot_reader.h"
#include "connectors/mariadb/snapshot/table_key.h"
#include "tests/support/mariadb_server.h"

namespace millrace::mariadb {
namespace {

using testing_server = millrace::testing::MariaDbServer;

testing_server& server() {
  static testing_server server({"--log-bin=bin", "--server-id=1", "--binlog-format=ROW", "--binlog-row-metadata=FULL"});
  return server;
}

ConnectionOptions connection_options() {
  ConnectionOptions options;
  options.host = "127.0.0.1";
  options.port = static_cast<uint16_t>(server().port());
  options.user = server().user();
  options.password = server().password();
  return options;
}

ColumnDefinition column(std::string name, std::string type, std::optional<int32_t> length = {},
                        std::optional<int32_t> scale = {}, std::vector<std::string> labels = {}) {
  ColumnDefinition definition;
  definition.name = std::move(name);
  definition.type_name = std::move(type);
  definition.length = length;
  definition.scale = scale;
  definition.enum_values = std::move(labels);
  return definition;
}

TableDefinition table(std::string name, std::vector<ColumnDefinition> columns, std::vector<std::string> key) {
  TableDefinition definition;
  definition.id = {"snap", std::move(name)};
  definition.columns = std::move(columns);
  definition.primary_key = std::move(key);
  return definition;
}

using Rows = std::vector<std::string>;
struct Read {
  std::vector<Rows> tables;
  std::vector<std::vector<std::pair<std::string, size_t>>> keys;  // last_key of each batch, and rows up to it
  std::vector<std::string> flags;                                 // "0F", "0L", "1FL." …
  std::set<size_t> deferred;
  Status status;
};

std::string row_text(std::span<const Cell> row) {
  std::string text;
  for (const Cell& cell : row) text += (text.empty() ? "" : "|") + text_of_cell(cell);
  return text;
}

Read read_all(SnapshotReader& reader, const std::vector<const TableDefinition*>& definitions,
              const std::vector<std::string>& after = {}, std::vector<std::string> selects = {}) {
  Read read;
  read.tables.resize(definitions.size());
  read.keys.resize(definitions.size());
  selects.resize(definitions.size());
  std::vector<SnapshotTable> tables;
  for (size_t i = 0; i < definitions.size(); ++i) tables.push_back({definitions[i], selects[i], 0});
  read.status = reader.start(tables, after);
  while (read.status.ok()) {
    auto batch = reader.next();
    if (!batch.ok()) {
      read.status = batch.status();
      break;
    }
    if (!*batch) break;
    const size_t columns = definitions[(*batch)->table]->columns.size();
    for (size_t i = 0; i < (*batch)->rows; ++i)
      read.tables[(*batch)->table].push_back(row_text((*batch)->cells.subspan(i * columns, columns)));
    read.keys[(*batch)->table].emplace_back((*batch)->last_key, read.tables[(*batch)->table].size());
    if ((*batch)->deferred) read.deferred.insert((*batch)->table);
    read.flags.push_back(std::to_string((*batch)->table) + ((*batch)->first_of_table ? "F" : "") +
                         ((*batch)->last_of_table ? "L" : "") + ((*batch)->last ? "." : ""));
  }
  return read;
}

Read snapshot_of(const SnapshotOptions& options, const std::vector<const TableDefinition*>& definitions,
                 const std::vector<std::string>& after = {}, std::vector<std::string> selects = {}) {
  std::vector<TableId> ids;
  for (const auto* definition : definitions) ids.push_back(definition->id);
  auto reader = SnapshotReader::open(connection_options(), options, ids);
  if (!reader.ok()) return {{}, {}, {}, {}, reader.status()};
  return read_all(*reader.value(), definitions, after, std::move(selects));
}

class Snapshot : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(server().problem(), "");
    ASSERT_EQ(server().run({"CREATE DATABASE IF NOT EXISTS snap"}), "");
  }
  static void run(const std::vector<std::string>& statements) { ASSERT_EQ(server().run(statements, "snap"), ""); }
};

TEST_F(Snapshot, CutAgreesWithTheBinlogBesideAWriter) {
  run({"CREATE OR REPLACE TABLE snap.counter (id INT AUTO_INCREMENT PRIMARY KEY, v INT) ENGINE=InnoDB"});
  const std::string before = server().query("SELECT @@gtid_binlog_pos").rows[0][0];
  const uint64_t base = GtidList::parse(before)->by_domain().at(0).sequence;
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    while (!stop) (void)server().run(std::vector<std::string>(50, "INSERT INTO snap.counter (v) VALUES (1)"));
  });
  const TableDefinition counter = table("counter", {column("id", "INT"), column("v", "INT")}, {"id"});
  for (int threads : {1, 4, 1, 4}) {
    SnapshotOptions options;
    options.max_threads = threads;
    options.chunk_rows = 37;
    auto reader = SnapshotReader::open(connection_options(), options, {counter.id});
    ASSERT_TRUE(reader.ok()) << reader.status().message();
    const uint64_t sequence = reader.value()->position().gtids.by_domain().at(0).sequence;
    EXPECT_FALSE(reader.value()->position().file.empty());
    EXPECT_GT(reader.value()->position().time_us, 1'600'000'000'000'000);
    const Read read = read_all(*reader.value(), {&counter});
    EXPECT_TRUE(read.status.ok()) << read.status.message();
    EXPECT_EQ(read.tables[0].size(), sequence - base) << threads << " threads";
  }
  stop = true;
  writer.join();
}

TEST_F(Snapshot, ChunksOfAnyKeyEqualAPlainSelect) {
  struct Case {
    std::string type, values;
    ColumnDefinition column;
  };
  const std::vector<Case> cases = {
      {"INT", "(-5),(0),(7),(2147483647)", column("k", "INT")},
      {"BIGINT UNSIGNED", "(0),(18446744073709551615),(9223372036854775808)", column("k", "BIGINT UNSIGNED")},
      {"VARCHAR(20) CHARACTER SET latin1", "('a'),('ä'),('it''s'),('back\\\\slash'),('z'),('ß'),(' ')",
       column("k", "VARCHAR", 20)},
      {"VARCHAR(20) CHARACTER SET utf8mb4", "('😀'),('B'),('a'),('c'),(''),('%_')", column("k", "VARCHAR", 20)},
      {"VARBINARY(8)", "(x''),(x'00'),(x'0000'),(x'ff27'),(x'5c')", column("k", "VARBINARY", 8)},
      {"BINARY(3)", "(x'00'),(x'0001'),(x'ff27'),(x'5c')", column("k", "BINARY", 3)},
      {"DECIMAL(20,4)", "(-99999.1),(0),(0.0001),(1234567890123456.7891)", column("k", "DECIMAL", 20, 4)},
      {"DATE", "('2020-01-01'),('1000-01-01'),('9999-12-31'),('1970-01-01')", column("k", "DATE")},
      {"DATETIME(3)", "('2020-01-01 00:00:00.123'),('2020-01-01'),('2019-01-01 01:02:03')", column("k", "DATETIME", 3)},
      {"TIMESTAMP(6)", "('2020-01-01 00:00:00.123'),('2037-01-01'),('1971-01-01 01:02:03')",
       column("k", "TIMESTAMP", 6)},
      {"TIME(2)", "('-838:59:59'),('00:00:00'),('12:00:00.25'),('100:00:00')", column("k", "TIME", 2)},
      {"FLOAT", "(0.1),(16777216),(-3.4e38),(1e-30)", column("k", "FLOAT")},
      {"DOUBLE", "(0.1),(1e308),(-2.5),(3)", column("k", "DOUBLE")},
      {"ENUM('z','y','10','2')", "('z'),('y'),('10'),('2')", column("k", "ENUM", {}, {}, {"z", "y", "10", "2"})},
      {"BIT(12)", "(b'1'),(b'111111111111'),(b'0'),(b'101')", column("k", "BIT", 12)},
      {"UUID",
       "('00000000-0000-0000-0000-000000000001'),('ffffffff-0000-1111-8111-000000000000'),"
       "('123e4567-e89b-12d3-a456-426655440000')",
       column("k", "UUID")},
  };
  for (const Case& c : cases) {
    run({"CREATE OR REPLACE TABLE snap.keys1 (k " + c.type + " PRIMARY KEY)",
         "CREATE OR REPLACE TABLE snap.keys2 (k " + c.type + ", n INT, v VARCHAR(9), PRIMARY KEY (k, n))",
         "INSERT INTO snap.keys1 VALUES " + c.values,
         "INSERT INTO snap.keys2 SELECT k, seq, CONCAT('v', seq) FROM snap.keys1, seq_1_to_5"});
    const TableDefinition one = table("keys1", {c.column}, {"k"});
    const TableDefinition two = table("keys2", {c.column, column("n", "INT"), column("v", "VARCHAR", 9)}, {"k", "n"});
    SnapshotOptions plain;  // one chunk
    const Read expected = snapshot_of(plain, {&one, &two});
    ASSERT_TRUE(expected.status.ok()) << expected.status.message();
    const size_t rows = server().query("SELECT * FROM snap.keys1").rows.size();
    EXPECT_EQ(expected.tables[0].size(), rows) << c.type;
    EXPECT_EQ(expected.tables[1].size(), rows * 5) << c.type;
    for (int threads : {1, 3}) {
      SnapshotOptions options;
      options.chunk_rows = 3;
      options.max_threads = threads;
      const Read chunked = snapshot_of(options, {&one, &two});
      ASSERT_TRUE(chunked.status.ok()) << c.type << ": " << chunked.status.message();
      EXPECT_EQ(chunked.tables, expected.tables) << c.type << ", " << threads << " threads";
      // From any chunk's end the rest comes.
      for (const auto& [key, done] : chunked.keys[1]) {
        const Read rest = snapshot_of(options, {&two}, {key});
        ASSERT_TRUE(rest.status.ok()) << key << ": " << rest.status.message();
        const Rows& all = expected.tables[1];
        EXPECT_EQ(rest.tables[0], Rows(all.begin() + static_cast<long>(done), all.end())) << c.type << " after " << key;
      }
    }
  }
}

TEST_F(Snapshot, CellsAreWhatWasInserted) {
  run({"SET sql_mode=''",
       "CREATE OR REPLACE TABLE snap.types (id INT PRIMARY KEY, f FLOAT, f74 FLOAT(7,4), d DOUBLE, "
       "dz DECIMAL(8,2) ZEROFILL, big DECIMAL(65,30), e ENUM('x,y','','b'), s SET('a','b','c'), b BIT(9), bin "
       "BINARY(4), "
       "t TIME(6), dt DATETIME(3), ts TIMESTAMP(2) NULL, y YEAR, p POINT, j JSON, u UUID, i6 INET6, txt TEXT CHARACTER "
       "SET latin1, zi INT(5) UNSIGNED ZEROFILL)",
       "INSERT INTO snap.types VALUES (1, 16777217, 123.4567, 1e-7, 12.3, -1.5, 'x,y', 'a,c', b'100000001', x'0102', "
       "'-838:59:59.000001', '2020-02-29 12:34:56.789', '2001-09-09 01:46:40.25', 0, ST_GeomFromText('POINT(1 2)', "
       "4326), "
       "'{\"a\":1}', '123e4567-e89b-12d3-a456-426655440000', '::1', 'größe', 42)",
       "INSERT INTO snap.types (id) VALUES (2)"});
  const TableDefinition types = table("types",
                                      {column("id", "INT"),
                                       column("f", "FLOAT"),
                                       column("f74", "FLOAT", 7, 4),
                                       column("d", "DOUBLE"),
                                       column("dz", "DECIMAL UNSIGNED ZEROFILL", 8, 2),
                                       column("big", "DECIMAL", 65, 30),
                                       column("e", "ENUM", 1, {}, {"x,y", "", "b"}),
                                       column("s", "SET", 5, {}, {"a", "b", "c"}),
                                       column("b", "BIT", 9),
                                       column("bin", "BINARY", 4),
                                       column("t", "TIME", 6),
                                       column("dt", "DATETIME", 3),
                                       column("ts", "TIMESTAMP", 2),
                                       column("y", "YEAR"),
                                       column("p", "POINT"),
                                       column("j", "LONGTEXT"),
                                       column("u", "UUID"),
                                       column("i6", "INET6"),
                                       column("txt", "TEXT"),
                                       column("zi", "INT UNSIGNED ZEROFILL", 5)},
                                      {"id"});
  auto reader = SnapshotReader::open(connection_options(), {}, {types.id});
  ASSERT_TRUE(reader.ok()) << reader.status().message();
  ASSERT_TRUE(reader.value()->start({{&types, "", 0}}, {}).ok());
  auto batch = reader.value()->next();
  ASSERT_TRUE(batch.ok()) << batch.status().message();
  const auto cells = (*batch)->cells;
  ASSERT_EQ((*batch)->rows, 2u);
  EXPECT_EQ(cells[1].f64, 16777216.0);
  EXPECT_EQ(cells[2].f64, static_cast<double>(123.4567f));
  EXPECT_EQ(cells[3].f64, 1e-7);
  EXPECT_EQ(cells[4].i128, 1230);
  EXPECT_EQ(cells[5].text(), "-1.500000000000000000000000000000");
  EXPECT_EQ(cells[6].i64, 1);
  EXPECT_EQ(cells[7].i64, 5);
  EXPECT_EQ(cells[8].i64, 257);
  EXPECT_EQ(cells[9].text(), std::string_view("\1\2\0\0", 4));
  EXPECT_EQ(cells[10].i64, -3'020'399'000'001);
  EXPECT_EQ(cells[11].time, (WallTime{2020, 2, 29, 12, 34, 56, 789'000}));
  EXPECT_EQ(cells[12].i64, 1'000'000'000'250'000);
  EXPECT_EQ(cells[13].i64, 0);
  ASSERT_EQ(cells[14].size, 25u);
  EXPECT_EQ(cells[14].text().substr(0, 5), std::string_view("\xe6\x10\0\0\1", 5));
  EXPECT_EQ(cells[15].text(), "{\"a\":1}");
  EXPECT_EQ(cells[16].text(), "123e4567-e89b-12d3-a456-426655440000");
  EXPECT_EQ(cells[17].text(), "::1");
  EXPECT_EQ(cells[18].text(), "größe");
  EXPECT_EQ(cells[19].i64, 42);
  for (size_t i = 1; i < types.columns.size(); ++i) EXPECT_EQ(cells[types.columns.size() + i].kind, Cell::Kind::kNull);
}

TEST_F(Snapshot, MarksFirstAndLastAndReadsOverridesAndKeylessTables) {
  run({"CREATE OR REPLACE TABLE snap.a (id INT PRIMARY KEY, v VARCHAR(9))",
       "INSERT INTO snap.a SELECT seq, 'x' FROM seq_1_to_5", "CREATE OR REPLACE TABLE snap.nokey (x INT)",
       "INSERT INTO snap.nokey VALUES (1),(1),(2)", "CREATE OR REPLACE TABLE snap.nothing (id INT PRIMARY KEY)"});
  const TableDefinition a = table("a", {column("id", "INT"), column("v", "VARCHAR", 9)}, {"id"});
  const TableDefinition nokey = table("nokey", {column("x", "INT")}, {});
  const TableDefinition nothing = table("nothing", {column("id", "INT")}, {"id"});
  SnapshotOptions options;
  options.chunk_rows = 2;
  const Read read = snapshot_of(options, {&a, &nokey, &nothing});
  ASSERT_TRUE(read.status.ok()) << read.status.message();
  EXPECT_EQ(read.flags, (std::vector<std::string>{"0F", "0", "0L", "1FL.", "2FL."}));
  EXPECT_EQ(read.tables[1], (Rows{"1", "1", "2"}));
  const Read chosen =
      snapshot_of(options, {&a}, {}, {"SELECT UPPER(v) AS v, id FROM snap.a WHERE id > 3 ORDER BY id DESC; "});
  EXPECT_EQ(chosen.tables[0], (Rows{"5|X", "4|X"}));
}

TEST_F(Snapshot, AnAlteredTableIsDeferredAndTheOthersAreRead) {
  run({"CREATE OR REPLACE TABLE snap.gone (id INT PRIMARY KEY)", "INSERT INTO snap.gone VALUES (1)",
       "CREATE OR REPLACE TABLE snap.stays (id INT PRIMARY KEY)", "INSERT INTO snap.stays VALUES (1)"});
  const TableDefinition gone = table("gone", {column("id", "INT")}, {"id"});
  const TableDefinition stays = table("stays", {column("id", "INT")}, {"id"});
  for (const char* ddl : {"ALTER TABLE snap.gone ADD v INT, ALGORITHM=COPY", "DROP TABLE snap.gone"}) {
    auto reader = SnapshotReader::open(connection_options(), {}, {gone.id, stays.id});
    ASSERT_TRUE(reader.ok()) << reader.status().message();
    run({ddl});
    const Read read = read_all(*reader.value(), {&gone, &stays});
    EXPECT_TRUE(read.status.ok()) << read.status.message();
    EXPECT_EQ(read.deferred, std::set<size_t>{0}) << ddl;
    EXPECT_EQ(read.tables[1], Rows{"1"});
  }
}

TEST_F(Snapshot, LocksAreHeldAsLongAsTheirModeSays) {
  run({"CREATE OR REPLACE TABLE snap.locked (id INT PRIMARY KEY)",
       "CREATE OR REPLACE TABLE snap.isam (id INT PRIMARY KEY) ENGINE=MyISAM", "INSERT INTO snap.locked VALUES (1)"});
  const std::vector<std::string> write = {"SET lock_wait_timeout=1, innodb_lock_wait_timeout=1",
                                          "REPLACE INTO snap.locked VALUES (2)"};
  const TableDefinition locked = table("locked", {column("id", "INT")}, {"id"});
  for (const auto mode : {SnapshotLocking::kLockFree, SnapshotLocking::kMinimal, SnapshotLocking::kExtended}) {
    SnapshotOptions options;
    options.locking = mode;
    auto reader = SnapshotReader::open(connection_options(), options, {locked.id, {"snap", "isam"}});
    ASSERT_TRUE(reader.ok()) << reader.status().message();
    EXPECT_EQ(server().run(write) == "", mode == SnapshotLocking::kLockFree);
    EXPECT_EQ(reader.value()->warnings().empty(), mode == SnapshotLocking::kExtended);
    ASSERT_TRUE(reader.value()->schemas_read().ok());
    EXPECT_EQ(server().run(write) == "", mode != SnapshotLocking::kExtended);
    EXPECT_TRUE(read_all(*reader.value(), {&locked}).status.ok());
    EXPECT_EQ(server().run(write), "");
  }
}

TEST_F(Snapshot, WithoutReloadTheCapturedTablesAreLocked) {
  run({"CREATE OR REPLACE TABLE snap.one (id INT PRIMARY KEY)",
       "CREATE OR REPLACE TABLE snap.other (id INT PRIMARY KEY)", "INSERT INTO snap.one VALUES (1)",
       "CREATE OR REPLACE USER poor@'%' IDENTIFIED BY 'p'", "GRANT SELECT, LOCK TABLES ON snap.* TO poor@'%'",
       "GRANT REPLICATION SLAVE, BINLOG MONITOR ON *.* TO poor@'%'"});
  ConnectionOptions poor = connection_options();
  poor.user = "poor";
  poor.password = "p";
  SnapshotOptions options;
  const TableDefinition one = table("one", {column("id", "INT")}, {"id"});
  for (const auto mode : {SnapshotLocking::kLockFree, SnapshotLocking::kMinimal}) {
    options.locking = mode;
    auto reader = SnapshotReader::open(poor, options, {one.id});
    ASSERT_TRUE(reader.ok()) << reader.status().message();
    const bool locked = mode == SnapshotLocking::kMinimal;
    EXPECT_EQ(reader.value()->warnings().size(), locked ? 1u : 0u);
    const std::vector<std::string> write = {"SET lock_wait_timeout=1", "REPLACE INTO snap.one VALUES (1)"};
    EXPECT_EQ(server().run(write) == "", !locked);
    EXPECT_EQ(server().run({"REPLACE INTO snap.other VALUES (1)"}), "");
    EXPECT_TRUE(reader.value()->schemas_read().ok());
    EXPECT_EQ(server().run(write), "");
    EXPECT_EQ(read_all(*reader.value(), {&one}).tables[0], Rows{"1"});
  }
}

TEST_F(Snapshot, InterruptionEndsAWaitingRead) {
  run({"CREATE OR REPLACE TABLE snap.slow (id INT PRIMARY KEY)", "INSERT INTO snap.slow VALUES (1)"});
  const TableDefinition slow = table("slow", {column("id", "INT")}, {"id"});
  auto reader = SnapshotReader::open(connection_options(), {}, {slow.id});
  ASSERT_TRUE(reader.ok()) << reader.status().message();
  ASSERT_TRUE(reader.value()->start({{&slow, "SELECT id, SLEEP(60) FROM snap.slow", 10}}, {}).ok());
  std::thread other([&] {
    while (server().query("SELECT 1 FROM information_schema.PROCESSLIST WHERE STATE = 'User sleep'").rows.empty()) {
    }
    reader.value()->interrupt();
  });
  const auto batch = reader.value()->next();
  other.join();
  ASSERT_FALSE(batch.ok());
  EXPECT_EQ(batch.status().code(), Code::kStopped);
  EXPECT_EQ(reader.value()->progress().rows_estimated, 10u);
}

}  // namespace
}  // namespace millrace::mariadb
