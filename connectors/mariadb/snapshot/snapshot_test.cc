// The parts of a snapshot that need no server: decisions, options, cells, keys, the ledger, signals.
#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "connectors/mariadb/snapshot/field_reader.h"
#include "connectors/mariadb/snapshot/signal_file.h"
#include "connectors/mariadb/snapshot/signals.h"
#include "connectors/mariadb/snapshot/snapshot_ledger.h"
#include "connectors/mariadb/snapshot/snapshot_plan.h"
#include "connectors/mariadb/snapshot/snapshot_reader.h"
#include "connectors/mariadb/snapshot/table_key.h"

namespace millrace::mariadb {
namespace {

sdk::Config config(const std::vector<std::pair<std::string, std::string>>& values) {
  std::vector<mr_pair> pairs;
  for (const auto& [key, value] : values) pairs.push_back({sdk::to_mr(key), sdk::to_mr(value)});
  const mr_config given{pairs.data(), pairs.size()};
  return {given, {}};
}

GtidList gtids(std::string_view text) { return GtidList::parse(text).value(); }

SnapshotPlan plan(SnapshotMode mode, const SnapshotFacts& facts) {
  SnapshotOptions options;
  options.mode = mode;
  return plan_snapshot(options, facts);
}

std::string shown(const SnapshotPlan& plan) {
  if (!plan.error.empty()) return "error";
  return std::string(plan.read_schema ? "S" : "-") + (plan.read_data ? "D" : "-") + (plan.stream ? "T" : "-") +
         (plan.from_oldest ? "0" : "") + (plan.keep_position ? "k" : "");
}

TEST(SnapshotPlan, ByModeAndWhatIsStored) {
  const SnapshotFacts fresh;
  SnapshotFacts stored, running, no_schema, lost;
  stored.stored = running.stored = no_schema.stored = lost.stored = StoredPosition{"bin.000001", 4, gtids("0-1-5"), 1};
  running.snapshot_running = true;
  no_schema.schema_known = false;
  lost.lost = "the stored position is gone";
  using enum SnapshotMode;
  const std::vector<std::pair<SnapshotMode, std::string>> expected = {
      {kAlways, "SDT SDT SDT SDT SDT"},           {kInitial, "SDT --T SDT error error"},
      {kInitialOnly, "SD- --- SD- --- ---"},      {kNoData, "S-T --T S-T error error"},
      {kRecovery, "error S-Tk error S-Tk error"}, {kWhenNeeded, "SDT --T SDT SDT SDT"},
      {kNever, "--T0 --T --T error error"},       {kConfigurationBased, "---0 --- ---0 error error"},
  };
  for (const auto& [mode, text] : expected) {
    std::string got;
    for (const SnapshotFacts& facts : {fresh, stored, running, no_schema, lost})
      got += (got.empty() ? "" : " ") + shown(plan(mode, facts));
    EXPECT_EQ(got, text) << static_cast<int>(mode);
  }
  running.resumable = true;
  EXPECT_TRUE(plan(kInitial, running).resume);
  EXPECT_EQ(shown(plan(kInitial, running)), "--T");
  EXPECT_EQ(shown(plan(kInitialOnly, running)), "---");
  EXPECT_EQ(shown(plan(kAlways, running)), "SDT");
  running.lost = "gone";  // the cut is no longer in the binlog: all over again
  EXPECT_EQ(shown(plan(kInitial, running)), "SDT");
  EXPECT_NE(plan(kInitial, lost).error.find("snapshot.mode=when_needed"), std::string::npos);
  EXPECT_NE(plan(kInitial, no_schema).error.find("snapshot.mode=recovery"), std::string::npos);
}

TEST(SnapshotPlan, ConfigurationBased) {
  SnapshotOptions options;
  options.mode = SnapshotMode::kConfigurationBased;
  options.based = {true, true, false, true, true};
  SnapshotFacts facts;
  EXPECT_EQ(shown(plan_snapshot(options, facts)), "SD-");
  facts.stored = StoredPosition{"bin.000001", 4, {}, 0};
  EXPECT_EQ(shown(plan_snapshot(options, facts)), "---");
  facts.schema_known = false;
  EXPECT_EQ(shown(plan_snapshot(options, facts)), "S--k");
  facts.lost = "gone";
  EXPECT_EQ(shown(plan_snapshot(options, facts)), "SD-");
}

TEST(SnapshotPlan, LostPositions) {
  const ServerLog log{{"bin.000003", "bin.000004"}, gtids("0-1-100,1-2-7"), gtids("0-1-200,1-2-9")};
  EXPECT_EQ(why_lost({"bin.000001", 4, gtids("0-1-100,1-2-8"), 0}, log), "");  // the file's name does not matter
  const std::string purged = why_lost({"bin.000003", 4, gtids("0-1-99,1-2-8"), 1'795'228'602}, log);
  EXPECT_NE(purged.find("0-1-100"), std::string::npos) << purged;
  EXPECT_NE(purged.find("2026-11-21T02:36:42Z"), std::string::npos) << purged;
  EXPECT_NE(why_lost({"", 0, gtids("0-1-150"), 0}, log).find("domain 1"), std::string::npos);
  EXPECT_NE(why_lost({"", 0, gtids("0-1-300,1-2-8"), 0}, log).find("RESET MASTER"), std::string::npos);
  EXPECT_EQ(why_lost({"bin.000004", 4, {}, 0}, log), "");
  EXPECT_NE(why_lost({"bin.000002", 4, {}, 0}, log).find("bin.000003 to bin.000004"), std::string::npos);
  EXPECT_NE(why_lost({"bin.000002", 4, {}, 0}, {}), "");
}

TEST(SnapshotOptions, NamesOldAndNew) {
  auto options = SnapshotOptions::parse(config({}));
  ASSERT_TRUE(options.ok());
  EXPECT_EQ(options->mode, SnapshotMode::kInitial);
  EXPECT_EQ(options->locking, SnapshotLocking::kLockFree);
  options = SnapshotOptions::parse(config({{"snapshot.mode", "schema_only_recovery"},
                                           {"snapshot.locking.mode", "minimal"},
                                           {"snapshot.max.threads", "4"},
                                           {"snapshot.tables.order.by.row.count", "Descending"},
                                           {"snapshot.include.collection.list", "a.b"},
                                           {"snapshot.select.statement.overrides", "a.b, a.c"},
                                           {"snapshot.select.statement.overrides.a.b", "SELECT 1"},
                                           {"snapshot.select.statement.overrides.a.c", "SELECT 2"}}));
  ASSERT_TRUE(options.ok()) << options.status().message();
  EXPECT_EQ(options->mode, SnapshotMode::kRecovery);
  EXPECT_EQ(options->locking, SnapshotLocking::kMinimal);
  EXPECT_EQ(options->max_threads, 4);
  EXPECT_EQ(options->overrides.at("a.c"), "SELECT 2");
  EXPECT_TRUE(options->include.matches("a.b"));
  for (const auto& [key, value] :
       std::vector<std::pair<std::string, std::string>>{{"snapshot.mode", "custom"},
                                                        {"snapshot.locking.mode", "some"},
                                                        {"snapshot.max.threads", "0"},
                                                        {"snapshot.lock.timeout.ms", "-1"},
                                                        {"snapshot.select.statement.overrides", "a.x"}}) {
    const auto refused = SnapshotOptions::parse(config({{key, value}}));
    ASSERT_FALSE(refused.ok()) << key;
    EXPECT_EQ(refused.status().code(), Code::kInvalidConfig);
    EXPECT_NE(refused.status().message().find(key), std::string::npos) << refused.status().message();
  }
}

ColumnDefinition column(std::string name, std::string type, std::optional<int32_t> length = {},
                        std::optional<int32_t> scale = {}) {
  ColumnDefinition definition;
  definition.name = std::move(name);
  definition.type_name = std::move(type);
  definition.length = length;
  definition.scale = scale;
  return definition;
}

Cell cell(const ColumnDefinition& column, std::string_view text) {
  Cell cell;
  const Status s = cell_of_text(column, text.data(), text.size(), cell);
  EXPECT_TRUE(s.ok()) << s.message();
  return cell;
}
Status cell_of_text(const ColumnDefinition& column, std::string_view text) {
  Cell cell;
  return cell_of_text(column, text.data(), text.size(), cell);
}

TEST(FieldReader, TextsToCells) {
  EXPECT_EQ(cell(column("c", "TINYINT"), "-128").i64, -128);
  EXPECT_EQ(cell(column("c", "BIGINT"), "-9223372036854775808").i64, INT64_MIN);
  EXPECT_TRUE(cell(column("c", "BIGINT UNSIGNED"), "18446744073709551615").is_unsigned);
  EXPECT_EQ(cell(column("c", "BOOLEAN"), "1").kind, Cell::Kind::kInteger);
  EXPECT_EQ(cell(column("c", "DECIMAL", 38, 38), "-0.99999999999999999999999999999999999999").scale, 38);
  EXPECT_EQ(cell(column("c", "NUMERIC", 10, 2), "7").i128, 700);
  EXPECT_EQ(cell(column("c", "FLOAT", 53), "0.1").kind, Cell::Kind::kDouble);
  EXPECT_EQ(cell(column("c", "DATE"), "0000-00-00").time, WallTime{});
  EXPECT_EQ(cell(column("c", "TIMESTAMP"), "0000-00-00 00:00:00").i64, 0);
  EXPECT_EQ(cell(column("c", "TIMESTAMP"), "1970-01-01 00:00:01").i64, 1'000'000);
  EXPECT_EQ(cell(column("c", "TIMESTAMP", 3), "2038-01-19 03:14:07.999").i64, 2'147'483'647'999'000);
  EXPECT_EQ(cell(column("c", "TIME"), "-00:00:01").i64, -1'000'000);
  EXPECT_EQ(cell(column("c", "BIT", 9), std::string_view("\1\1", 2)).i64, 257);
  EXPECT_EQ(cell(column("c", "INET4"), "1.2.3.4").kind, Cell::Kind::kText);
  ColumnDefinition labels = column("c", "SET");
  labels.enum_values = {"a", "b", "c"};
  EXPECT_EQ(cell(labels, "a,c").i64, 5);
  labels.type_name = "ENUM";
  EXPECT_EQ(cell(labels, "b").i64, 2);
  EXPECT_EQ(cell(labels, "").i64, 0);
  for (const auto& [type, text] : std::vector<std::pair<std::string, std::string>>{{"INT", "x"},
                                                                                   {"INT", ""},
                                                                                   {"DATE", "2020-1-1"},
                                                                                   {"TIME", "10"},
                                                                                   {"DOUBLE", "1,5"},
                                                                                   {"DECIMAL", "1e5"},
                                                                                   {"DATETIME", "2020-01-01T00:00:00"},
                                                                                   {"BIT", "123456789"}})
    EXPECT_FALSE(cell_of_text(column("c", type), text).ok()) << type;
}

TEST(TableKey, ConditionsAndLiterals) {
  TableDefinition table;
  table.columns = {column("a", "INT"), column("v", "LONGTEXT"), column("b`x", "VARCHAR", 9), column("c", "BINARY", 2)};
  table.primary_key = {"a", "b`x", "c"};
  const TableKey key(table, table.primary_key);
  std::vector<Cell> row(4);
  row[0] = cell(table.columns[0], "-7");
  row[2] = cell(table.columns[2], "it's \\");
  row[3] = cell(table.columns[3], "'\x01");
  const std::string json = key.json_of_row(row);
  EXPECT_EQ(json, R"([-7,"it's \\","2701"])");
  EXPECT_EQ(key.after(json).value(),
            "((`a` > -7) OR (`a` = -7 AND `b``x` > _utf8mb4 X'69742773205C') OR (`a` = -7 AND `b``x` = _utf8mb4 "
            "X'69742773205C' AND `c` > X'2701'))");
  EXPECT_EQ(key.up_to(json).value().find("(`a` < -7)"), 1u);
  EXPECT_NE(key.up_to(json).value().find("`c` <= X'2701'"), std::string::npos);
  EXPECT_EQ(key_for_people(json), "-7,it's \\,2701");
  for (const char* bad : {"", "7", "[1]", R"(["1 OR 1=1","x","00"])", R"([1,"x","0' OR '1"])", "[1,\"x\",7]"})
    EXPECT_FALSE(key.after(bad).ok()) << bad;
  EXPECT_TRUE(TableKey(table, std::vector<std::string>{"nope"}).empty());
}

TEST(SnapshotLedger, SurvivesAsText) {
  SnapshotLedger ledger;
  ledger.cut = {"bin.000007", 1234, gtids("0-1-5,3-4-9"), 99};
  ledger.tables = {{{"d", "a"}, true, "[1]", 5}, {{"d", "b`\"x"}, false, R"(["é",2])", 7}, {{"d", "c"}, false, "", 0}};
  auto read = SnapshotLedger::parse(ledger.text());
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_EQ(read->text(), ledger.text());
  EXPECT_EQ(read->tables[1].last_key, R"(["é",2])");
  EXPECT_EQ(read->cut.gtids, ledger.cut.gtids);
  EXPECT_FALSE(read->done());
  for (const char* bad : {"", "[]", "{}", R"({"file":1})", R"({"file":"f","pos":4,"tables":[{"db":"d"}]})"})
    EXPECT_FALSE(SnapshotLedger::parse(bad).ok()) << bad;
}

class Signals : public ::testing::Test {
 protected:
  std::vector<std::string> warnings_;
  SignalQueue queue_{[this](const std::string& text) { warnings_.push_back(text); }};
};

TEST_F(Signals, AreReadFromRowsAndDocuments) {
  queue_.offer("s1", "execute-snapshot",
               R"({"type":"INCREMENTAL","data-collections":["d.a","d.b.*"],"surrogate-key":"x",
                   "additional-conditions":[{"data-collection":"d.a","filter":"id > 5"}]})");
  queue_.offer_document(
      R"({"id":"k1","type":"execute-snapshot","data":{"type":"blocking","data-collections":["d.a"]}})");
  queue_.offer_document(R"({"type":"stop-snapshot","data":"{}"})");
  queue_.offer("p", "set-binlog-position", R"({"binlog_filename":"bin.1","binlog_position":4})");
  queue_.offer("p", "set-binlog-position", R"({"gtid_set":"0-1-2"})");
  std::vector<Cell> row(3);
  const ColumnDefinition text = column("c", "VARCHAR", 99);
  row[0] = cell(text, "r");
  row[1] = cell(text, "log");
  row[2] = cell(text, R"({"message":"hello {}"})");
  queue_.offer_row(row);
  auto signal = queue_.take();
  EXPECT_EQ(signal->collections, (std::vector<std::string>{"d.a", "d.b.*"}));
  EXPECT_EQ(signal->conditions.at("d.a"), "id > 5");
  EXPECT_EQ(signal->surrogate_key, "x");
  EXPECT_FALSE(signal->blocking);
  EXPECT_TRUE(queue_.take()->blocking);
  EXPECT_EQ(queue_.take()->type, Signal::Type::kStopSnapshot);
  EXPECT_EQ(queue_.take()->position, 4u);
  EXPECT_EQ(queue_.take()->gtids, gtids("0-1-2"));
  EXPECT_EQ(queue_.take()->message, "hello {}");
  EXPECT_FALSE(queue_.take());
  EXPECT_TRUE(warnings_.empty());
}

TEST_F(Signals, MalformedOnesAreToldWithTheirText) {
  queue_.offer("sig-6", "bogus-type", "{}");
  queue_.offer("sig-7", "execute-snapshot", "not json");
  queue_.offer("sig-8", "execute-snapshot", R"({"data-collections":[]})");
  queue_.offer_document("42");
  queue_.offer_row({});
  EXPECT_FALSE(queue_.take());
  ASSERT_EQ(warnings_.size(), 5u);
  EXPECT_NE(warnings_[0].find("bogus-type"), std::string::npos);
  EXPECT_NE(warnings_[1].find("not json"), std::string::npos);
}

class SignalFiles : public Signals {
 protected:
  void SetUp() override {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directory(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  void write(std::string_view lines) const { std::ofstream(path_) << lines; }
  size_t files() const {
    const std::filesystem::directory_iterator all(folder_);
    return static_cast<size_t>(std::distance(begin(all), end(all)));
  }
  /// What a look at the file brings, as "id" each.
  std::string poll(SignalFile& file) {
    EXPECT_TRUE(file.poll(queue_).ok());
    std::string ids;
    while (auto signal = queue_.take()) {
      ids += signal->id;
      last_ = signal->place.value_or(SignalPlace{});
    }
    return ids;
  }

  const std::string folder_ = ::testing::TempDir() + "/signals-" + std::to_string(getpid());
  const std::string path_ = folder_ + "/signals.txt";
  SignalPlace last_;
};

constexpr std::string_view kA = "{\"id\":\"a\",\"type\":\"pause-snapshot\"}\n",
                           kB = "{\"id\":\"b\",\"type\":\"resume-snapshot\"}\n";

TEST_F(SignalFiles, AreReadOnceAndRemovedWhenTheirEffectIsStored) {
  SignalFile file(path_);
  EXPECT_EQ(poll(file), "");
  write(std::string(kA) + "\nnonsense\n" + std::string(kB));
  EXPECT_EQ(poll(file), "ab");
  EXPECT_EQ(warnings_.size(), 1u);
  EXPECT_EQ(poll(file), "");
  EXPECT_EQ(files(), 1u) << "kept";
  const SignalPlace first = last_;
  write(kA);
  EXPECT_EQ(poll(file), "a");
  EXPECT_LT(first, last_);
  file.stored({first.stamp, first.line - 1});
  EXPECT_EQ(files(), 2u);
  file.stored(first);
  EXPECT_EQ(files(), 1u);
  file.stored(last_);
  EXPECT_EQ(files(), 0u);
  EXPECT_TRUE(file.empty());
  write("nonsense\n");
  EXPECT_EQ(poll(file), "");
  EXPECT_EQ(files(), 0u);
}

TEST_F(SignalFiles, AreReadAgainAfterAKillAsFarAsTheOffsetDoesNotTellOfThem) {
  write(std::string(kA) + std::string(kB));
  SignalFile killed(path_);
  EXPECT_EQ(poll(killed), "ab");
  const SignalPlace all = last_;
  {
    SignalFile next(path_);
    EXPECT_EQ(poll(next), "ab");
    EXPECT_EQ(last_, all);
  }
  {
    SignalFile next(path_);
    next.restore(SignalPlace::parse(SignalPlace{all.stamp, all.line - 1}.text()));
    write(kA);
    EXPECT_EQ(poll(next), "ba");
    EXPECT_EQ(files(), 2u);
  }
  SignalFile next(path_);
  next.restore(last_);
  EXPECT_EQ(poll(next), "");
  EXPECT_EQ(files(), 0u);
  EXPECT_EQ(SignalPlace::parse("x"), SignalPlace{});
}

TEST_F(Signals, OnlyDocumentsOfOurKeyCount) {
  struct Topic final : TopicReader {
    Result<std::vector<TopicDocument>> read_to_end() override { return std::vector<TopicDocument>{}; }
    Result<std::vector<TopicDocument>> poll(int64_t) override {
      const std::string pause = R"({"id":"x","type":"pause-snapshot"})";
      return std::vector<TopicDocument>{{0, 0, "other", pause}, {1, 0, {}, pause}, {2, 0, "srv", pause}};
    }
    int64_t place() const override { return 0; }
    Status commit() override { return sdk::ok(); }
  } topic;
  EXPECT_TRUE(poll_topic(topic, "srv", 0, queue_).ok());
  EXPECT_TRUE(queue_.take());
  EXPECT_FALSE(queue_.take());
}

}  // namespace
}  // namespace millrace::mariadb
