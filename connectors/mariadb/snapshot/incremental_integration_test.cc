// What incremental snapshots read from a real server: chunks, the place of a view, marks, purged positions.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "connectors/mariadb/snapshot/cell_text.h"
#include "connectors/mariadb/snapshot/chunk_source.h"
#include "connectors/mariadb/snapshot/field_reader.h"
#include "connectors/mariadb/snapshot/snapshot_plan.h"
#include "tests/support/mariadb_server.h"

namespace millrace::mariadb {
namespace {

class ChunkSourceTest : public ::testing::Test {
 protected:
  static millrace::testing::MariaDbServer& server() {
    static millrace::testing::MariaDbServer server(
        {"--log-bin=bin", "--server-id=1", "--binlog-format=ROW", "--binlog-row-metadata=FULL"});
    return server;
  }
  void SetUp() override {
    ASSERT_EQ(server().problem(), "");
    ConnectionOptions options;
    options.host = "127.0.0.1";
    options.port = static_cast<uint16_t>(server().port());
    options.user = server().user();
    options.password = server().password();
    auto opened = Connection::open(options);
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    session_ = std::move(opened.value());
    ASSERT_EQ(server().run({"CREATE DATABASE IF NOT EXISTS inc"}), "");
    source_ = make_chunk_source(*session_, {"inc", "signals"});
  }
  static void run(const std::vector<std::string>& statements) { ASSERT_EQ(server().run(statements, "inc"), ""); }
  static TableDefinition table(std::string name, std::vector<std::string> key) {
    TableDefinition definition;
    definition.id = {"inc", std::move(name)};
    for (const char* name_of : {"k", "v"}) {
      ColumnDefinition column;
      column.name = name_of;
      column.type_name = "INT";
      definition.columns.push_back(column);
    }
    definition.primary_key = std::move(key);
    return definition;
  }
  std::vector<std::string> read(const ChunkRequest& request) {
    std::vector<std::string> rows;
    const Status s = source_->read(request, [&](std::span<const Cell> row) {
      rows.push_back(text_of_cell(row[0]) + ":" + text_of_cell(row[1]));
      return sdk::ok();
    });
    EXPECT_TRUE(s.ok()) << s.message();
    return rows;
  }
  std::unique_ptr<Connection> session_;
  std::unique_ptr<ChunkSource> source_;
};

TEST_F(ChunkSourceTest, ReadsKeysThatRepeatAndNulls) {
  run({"CREATE OR REPLACE TABLE t (k INT, v INT)",
       "INSERT INTO t VALUES (1,1),(2,1),(2,2),(2,3),(NULL,1),(NULL,2),(3,1)"});
  const TableDefinition t = table("t", {});
  ChunkRequest request;
  request.table = &t;
  request.key = {"k"};
  request.unique = false;
  EXPECT_EQ(source_->maximum_key(request).value(), "[3]");
  request.up_to = source_->key_at(request, 2).value().value();
  EXPECT_EQ(request.up_to, "[2]");
  EXPECT_EQ(read(request).size(), 6u);  // the NULLs, 1 and all of 2
  request.after = request.up_to;
  request.up_to = "[3]";
  EXPECT_EQ(read(request), std::vector<std::string>{"3:1"});
  request.filter = "v > 1 OR 1=0";
  EXPECT_TRUE(read(request).empty());
  EXPECT_FALSE(source_->key_at(request, 1).value());
}

TEST_F(ChunkSourceTest, AViewIsExactlyWhereItSays) {
  run({"CREATE OR REPLACE TABLE w (k INT PRIMARY KEY AUTO_INCREMENT, v INT)"});
  const uint64_t base =
      GtidList::parse(server().query("SELECT @@gtid_binlog_pos").rows[0][0])->by_domain().at(0).sequence;
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    while (!stop) (void)server().run(std::vector<std::string>(50, "INSERT INTO inc.w (v) VALUES (1)"));
  });
  const TableDefinition w = table("w", {"k"});
  ChunkRequest request;
  request.table = &w;
  request.key = {"k"};
  size_t last = 0;
  for (int i = 0; i < 30 || last < 500; ++i) {
    auto view = source_->open_view();
    ASSERT_TRUE(view.ok()) << view.status().message();
    const auto rows = read(request);
    last = rows.size();
    EXPECT_EQ(last, (*view)->by_domain().at(0).sequence - base);
    EXPECT_TRUE(source_->close_view().ok());
  }
  stop = true;
  writer.join();
}

TEST_F(ChunkSourceTest, MarksAndAlteredTables) {
  run({"CREATE OR REPLACE TABLE signals (id VARCHAR(64) PRIMARY KEY, type VARCHAR(32) NOT NULL, data VARCHAR(2048))"});
  ASSERT_TRUE(source_->write_mark("a-open", "snapshot-window-open", "it's {\"x\": 1}").ok());
  EXPECT_EQ(server().query("SELECT data FROM inc.signals").rows[0][0], "it's {\"x\": 1}");
  ASSERT_TRUE(source_->remove_mark("a-open").ok());
  EXPECT_TRUE(server().query("SELECT data FROM inc.signals").rows.empty());
  const TableDefinition gone = table("gone", {"k"});
  ChunkRequest request;
  request.table = &gone;
  request.key = {"k"};
  EXPECT_FALSE(source_->maximum_key(request).ok());
  EXPECT_TRUE(source_->altered());
}

TEST_F(ChunkSourceTest, WrongConditionsAreRefused) {
  run({"CREATE OR REPLACE TABLE f (k INT PRIMARY KEY, v INT)", "INSERT INTO f VALUES (1,1),(2,2)"});
  const TableDefinition f = table("f", {"k"});
  ChunkRequest request;
  request.table = &f;
  request.key = {"k"};
  for (const char* filter : {"v >", "v > (SELECT v FROM f)"}) {
    request.filter = filter;
    EXPECT_FALSE(source_->maximum_key(request).ok()) << filter;
    EXPECT_TRUE(source_->refused()) << filter;
    EXPECT_FALSE(source_->altered()) << filter;
  }
  request.filter = "";
  const Status stopped = source_->read(request, [](std::span<const Cell>) { return Status(Code::kBadRecord, "mine"); });
  EXPECT_EQ(stopped.message(), "mine");
  EXPECT_FALSE(source_->refused());
  EXPECT_EQ(read(request).size(), 2u);
}

TEST_F(ChunkSourceTest, PurgedPositionsAreSeen) {
  const auto at = [&](const char* what) {
    auto log = read_server_log(*session_);
    EXPECT_TRUE(log.ok()) << what << log.status().message();
    return log.value();
  };
  const ServerLog before = at("before");
  const StoredPosition stored{before.files.back(), 4, before.newest, 1};
  EXPECT_EQ(why_lost(stored, before), "");
  run({"CREATE OR REPLACE TABLE p (k INT)", "FLUSH BINARY LOGS"});
  EXPECT_EQ(why_lost(stored, at("flushed")), "");
  const std::string newest = at("newest").files.back();
  run({"FLUSH BINARY LOGS", "PURGE BINARY LOGS TO '" + newest + "'"});
  EXPECT_NE(why_lost(stored, at("purged")).find("no longer on the server"), std::string::npos);
  EXPECT_NE(why_lost({stored.file, 4, {}, 0}, at("purged")), "");
}

}  // namespace
}  // namespace millrace::mariadb
