// What is read beside the stream and before it, against a real server.
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>

#include "connectors/mariadb/capture/initial_snapshot.h"
#include "connectors/mariadb/capture/mariadb_task.h"
#include "connectors/mariadb/capture/streaming.h"
#include "connectors/mariadb/events/events_testing.h"
#include "tests/support/mariadb_server.h"

namespace millrace::mariadb::testing {
namespace {

std::function<void(std::string_view)> on_log;  // what the task under test writes to its log

class Capture : public ::testing::Test {
 protected:
  static millrace::testing::MariaDbServer& server() {
    static millrace::testing::MariaDbServer server(
        {"--log-bin=bin", "--server-id=1", "--binlog-format=ROW", "--binlog-row-metadata=FULL"});
    return server;
  }
  static void run(const std::vector<std::string>& statements) { ASSERT_EQ(server().run(statements), ""); }

  void SetUp() override {
    ASSERT_EQ(server().problem(), "");
    run({"DROP DATABASE IF EXISTS cap", "CREATE DATABASE cap", "CREATE TABLE cap.a (id INT PRIMARY KEY)",
         "INSERT INTO cap.a VALUES (1)", "CREATE TABLE cap.b (id INT PRIMARY KEY)", "INSERT INTO cap.b VALUES (1)"});
    host_table_ = sdk::FakeHost::table();
    host_table_.log = [](mr_context* context, int32_t level, mr_str text) {
      sdk::FakeHost::table().log(context, level, text);
      if (on_log) on_log(sdk::view(text));
    };
    largest_emit = 0;
    host_table_.emit = [](mr_context* context, const mr_record* records, size_t count, mr_error* error) {
      largest_emit = std::max(largest_emit, count);
      return sdk::FakeHost::table().emit(context, records, count, error);
    };
    sdk::detail::host = &host_table_;
    config_.connection.host = "127.0.0.1";
    config_.connection.port = static_cast<uint16_t>(server().port());
    config_.connection.user = server().user();
    config_.connection.password = server().password();
    config_.events = events_of({{"notification.enabled.channels", "sink"}, {"notification.sink.topic.name", "notes"}});
    config_.back_fill = true;
    choose("cap.a,cap.b");
    session_ = connect();
  }
  void TearDown() override { on_log = nullptr; }

  void choose(const std::string& tables) {
    const Settings settings = {{"table.include.list", tables}, {"topic.prefix", "srv"}};
    auto filter = TableFilter::parse(config_of(settings));
    ASSERT_TRUE(filter.ok()) << filter.status().message();
    config_.tables = std::move(*filter);
    config_.table_lists = R"({"table.include.list":")" + tables + R"("})";
  }
  std::unique_ptr<Connection> connect() {
    auto opened = Connection::open(config_.connection);
    EXPECT_TRUE(opened.ok()) << opened.status().message();
    return opened.ok() ? std::move(opened.value()) : nullptr;
  }
  std::string stored(std::string_view key) const { return offset_.current.extra.get(key); }
  /// The entry of a record's offset.
  static std::string stored(const sdk::OwnedRecord& record, std::string_view key) {
    auto offset = SourceOffset::parse(record.source_offset.get());
    EXPECT_TRUE(offset.ok());
    return offset.ok() ? offset->extra.get(key) : "";
  }
  std::unique_ptr<InitialSnapshot> snapshot() {
    return std::make_unique<InitialSnapshot>(config_, context_, schemas_, history_, writer_, offset_, incremental());
  }
  IncrementalCapture& incremental() {
    if (incremental_ == nullptr)
      incremental_ = std::make_unique<IncrementalCapture>(config_, context_, schemas_, writer_, offset_);
    return *incremental_;
  }

  static inline size_t largest_emit = 0;
  mr_host_v1 host_table_{};
  sdk::FakeHost host_;
  CaptureConfig config_;
  sdk::Config settings_;
  std::unique_ptr<Connection> session_;
  sdk::SourceContext context_{host_.context(), &settings_};
  OffsetState offset_{"srv"};
  SchemaTracker schemas_{[this] { return Result<Connection*>(session_.get()); }, [](std::string_view) {}};
  HistoryWriter history_{context_, {}, "srv"};
  EventWriter writer_{context_,
                      events_of({{"notification.enabled.channels", "sink"}, {"notification.sink.topic.name", "notes"}}),
                      {},
                      offset_};
  std::unique_ptr<IncrementalCapture> incremental_;
};

TEST_F(Capture, ASnapshotStoresItsTableLists) {
  auto first = snapshot();
  ASSERT_TRUE(first->start({}).ok());
  EXPECT_EQ(stored(kCapturedKey), config_.table_lists);
  while (!first->done()) ASSERT_TRUE(first->poll().ok());
  const auto records = host_.take_records();
  ASSERT_FALSE(records.empty());
  EXPECT_EQ(stored(records.back(), kCapturedKey), config_.table_lists);
}

TEST_F(Capture, AddedTablesAreReadOnceTheTablesCanBeListed) {
  const std::string before = R"({"table.include.list":"cap.a"})";
  offset_.current.extra.set(kCapturedKey, before);
  auto lost = connect();
  lost->interrupt();
  EXPECT_FALSE(incremental().work(*lost).ok());
  EXPECT_EQ(stored(kCapturedKey), before);
  EXPECT_FALSE(incremental().running());

  ASSERT_TRUE(incremental().work(*session_).ok());
  EXPECT_TRUE(incremental().running());
  ASSERT_TRUE(writer_.flush().ok());
  const auto records = host_.take_records();
  ASSERT_FALSE(records.empty());
  EXPECT_EQ(records.front().topic, "notes");  // STARTED
  // The lists are stored with the work they brought, neither before nor after.
  EXPECT_EQ(stored(records.back(), kCapturedKey), config_.table_lists);
  EXPECT_NE(stored(records.back(), "incremental_snapshot_collections").find("cap.b"), std::string::npos);
}

TEST_F(Capture, ASignalThatComesBeforeThereIsASessionIsNotLost) {
  const std::vector<Cell> row = {text("s1"), text("execute-snapshot"),
                                 text(R"x({"data-collections":["cap\\.(a|b)"]})x")};
  EXPECT_EQ(incremental().signal_row(row, {}).code(), Code::kUnavailable);
  EXPECT_FALSE(incremental().running());
  incremental().attach(*session_);
  ASSERT_TRUE(incremental().signal_row(row, {}).ok());  // the stream gives it again
  EXPECT_TRUE(incremental().running());
  const std::string collections = stored("incremental_snapshot_collections");
  EXPECT_NE(collections.find("cap.a"), std::string::npos) << collections;
  EXPECT_NE(collections.find("cap.b"), std::string::npos) << collections;
  EXPECT_EQ(collections.find("cap.b"), collections.rfind("cap.b")) << "once";
}

TEST_F(Capture, TablesThatTheViewCannotReadAreLeftToTheStreamAlsoWithoutRows) {
  config_.snapshot.locking = SnapshotLocking::kNone;
  on_log = [](std::string_view text) {
    if (text.starts_with("snapshot of "))
      run({"ALTER TABLE cap.a ADD x INT, ALGORITHM=COPY", "ALTER TABLE cap.b ADD x INT, ALGORITHM=COPY"});
  };
  auto first = snapshot();
  ASSERT_TRUE(first->start({}).ok());
  while (!first->done()) {
    const Status polled = first->poll();
    ASSERT_TRUE(polled.ok()) << polled.message();
  }
  const auto records = host_.take_records();
  ASSERT_FALSE(records.empty());
  auto ledger = SnapshotLedger::parse(stored(records.back(), kSnapshotLedgerKey));
  ASSERT_TRUE(ledger.ok()) << ledger.status().message();
  ASSERT_EQ(ledger->tables.size(), 2u);
  for (const SnapshotLedger::Table& table : ledger->tables) EXPECT_FALSE(table.done) << table.id.full();
  ASSERT_TRUE(incremental().restore().ok());
  EXPECT_TRUE(incremental().running());
}

TEST_F(Capture, TablesWithoutKeyAreReadInBatches) {
  run({"CREATE TABLE cap.c (v INT)", "INSERT INTO cap.c SELECT seq FROM cap.seq_1_to_5000"});
  choose("cap.c");
  config_.back_fill = false;
  auto gtids = session_->scalar("SELECT @@gtid_binlog_pos");
  ASSERT_TRUE(gtids.ok());
  offset_.current.gtids = GtidList::parse(gtids->value_or("")).value();
  SnapshotLedger ledger;
  ledger.cut = {"bin.000001", 4, offset_.current.gtids, 0};
  ledger.tables = {{{"cap", "c"}, false, "", 0}};
  offset_.current.extra.set(kSnapshotLedgerKey, ledger.text());
  ASSERT_TRUE(incremental().restore().ok());
  const Status worked = incremental().work(*session_);
  ASSERT_TRUE(worked.ok()) << worked.message();
  EXPECT_FALSE(incremental().running());
  EXPECT_EQ(writer_.counters().read, 5000);
  EXPECT_LE(largest_emit, 2048u);  // max.batch.size
}

TEST_F(Capture, APreparedTransactionThatCannotBeReadIsForgotten) {
  config_.on_bad_event = FailureMode::kWarn;
  config_.stream.server_id = 78;
  ASSERT_TRUE(schemas_.read_server_settings().ok());
  const auto master = server().query("SHOW MASTER STATUS");
  ASSERT_EQ(master.rows.size(), 1u);
  offset_.current.file = master.rows[0][0];
  offset_.current.position = std::stoull(master.rows[0][1]);
  offset_.render();
  Streaming streaming(config_, context_, schemas_, history_, writer_, offset_);
  const auto stream_until = [&](auto reached) {
    for (int i = 0; i < 1000 && !reached(); ++i) {
      if (Status s = streaming.poll(20); !s.ok()) return s;
    }
    return reached() ? sdk::ok() : Status(Code::kInternal, "not reached");
  };
  ASSERT_TRUE(streaming.start().ok());
  run({"XA START 'lost'", "INSERT INTO cap.a VALUES (7)", "XA END 'lost'", "XA PREPARE 'lost'"});
  const std::string_view key = "millrace_prepared_xa";
  Status status = stream_until([&] { return !stored(key).empty() && !streaming.in_transaction(); });
  ASSERT_TRUE(status.ok()) << status.message();
  std::string prepared = stored(key);
  const size_t file = prepared.find("bin.");
  ASSERT_NE(file, std::string::npos) << prepared;
  offset_.current.extra.set(key, prepared.replace(file, 10, "bin.999999"));
  ASSERT_TRUE(streaming.start().ok());
  run({"XA COMMIT 'lost'", "INSERT INTO cap.b VALUES (7)"});
  const int64_t created = writer_.counters().created;
  status = stream_until([&] { return writer_.counters().created > created; });
  EXPECT_TRUE(status.ok()) << status.message();
  EXPECT_GT(host_.logged(MR_WARN, "cannot be read again"), 0u);
  EXPECT_EQ(stored(key), "");
}

TEST_F(Capture, AFileOfSignalsIsKeptUntilAnOffsetTellsOfThem) {
  const std::filesystem::path folder = ::testing::TempDir() + "/capture-signals-" + std::to_string(getpid());
  std::filesystem::remove_all(folder);
  std::filesystem::create_directory(folder);
  const auto files = [&] { return std::distance(std::filesystem::directory_iterator(folder), {}); };
  config_.back_fill = false;
  config_.signals.file = true;
  config_.signals.file_path = folder / "signals.txt";
  std::ofstream(config_.signals.file_path) << R"({"id":"s","type":"log","data":{"message":"hello"}})"
                                           << "\n"
                                           << R"({"id":"t","type":"stop-snapshot"})"
                                           << "\n";
  ASSERT_TRUE(incremental().work(*session_).ok());
  EXPECT_GT(host_.logged(MR_INFO, "hello"), 0u);
  incremental().committed();
  incremental().committed();
  EXPECT_EQ(files(), 1) << "no record has told of them";
  ASSERT_TRUE(writer_.notification("n", "x", "y", {}, 1).ok());
  ASSERT_TRUE(writer_.flush().ok());
  const auto records = host_.take_records();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_TRUE(stored(records[0], "millrace_signal_file").ends_with(":2"));
  incremental().committed();
  EXPECT_EQ(files(), 1) << "that may have been the offset before";

  incremental_.reset();  // killed; the record's offset is stored
  ASSERT_TRUE(incremental().restore().ok());
  ASSERT_TRUE(incremental().work(*session_).ok());
  EXPECT_EQ(host_.logged(MR_INFO, "hello"), 1u) << "not again";
  EXPECT_EQ(files(), 0);
  std::filesystem::remove_all(folder);
}

TEST_F(Capture, TheWaitBeforeTheStreamHoldsUpNoInterrupt) {
  const ConnectionOptions& to = config_.connection;
  const Settings settings = {
      {"topic.prefix", "srv"},         {"database.hostname", to.host},     {"database.port", std::to_string(to.port)},
      {"database.user", to.user},      {"database.password", to.password}, {"database.server.id", "77"},
      {"table.include.list", "cap.a"}, {"snapshot.mode", "no_data"},       {"streaming.delay.ms", "12345"}};
  settings_ = config_of(settings);
  MariaDbTask task;
  std::future<void> interrupted;
  host_.on_wait([&](int64_t ms) {
    if (ms != 12345) return;
    interrupted = std::async(std::launch::async, [&] { task.interrupt(); });
    EXPECT_EQ(interrupted.wait_for(std::chrono::seconds(10)), std::future_status::ready);
    host_.stop();
  });
  ASSERT_TRUE(task.start(context_).ok());
  Status polled = sdk::ok();
  while (polled.ok() && !interrupted.valid()) polled = task.poll(context_);
  EXPECT_TRUE(interrupted.valid()) << polled.message();
  EXPECT_TRUE(task.stop(context_).ok());
}

}  // namespace
}  // namespace millrace::mariadb::testing
