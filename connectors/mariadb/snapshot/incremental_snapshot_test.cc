// The state machine of incremental snapshots, without a server: what is read, taken out, given out, told and stored.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "connectors/mariadb/snapshot/incremental_snapshot.h"

namespace millrace::mariadb {
namespace {

using Json = nlohmann::json;
using Texts = std::vector<std::string>;

GtidList gtids(std::string_view text) { return GtidList::parse(text).value(); }

/// Tables of two INT columns, k and v; the server's place is a number.
class FakeSource final : public ChunkSource {
 public:
  struct Row {
    int k, v;
  };
  Result<std::optional<GtidList>> open_view() override {
    ++views_open;
    return tells_place ? std::optional(gtids("0-1-" + std::to_string(sequence))) : std::nullopt;
  }
  Status close_view() override {
    --views_open;
    return sdk::ok();
  }
  Result<std::optional<std::string>> maximum_key(const ChunkRequest& request) override {
    wrong = request.filter == "nonsense";
    if (wrong) return Status(Code::kInternal, "You have an error in your SQL syntax");
    const auto rows = matching(request);
    return rows.empty() ? std::optional<std::string>{} : std::optional(key(rows.back()));
  }
  Result<std::optional<std::string>> key_at(const ChunkRequest& request, uint64_t distance) override {
    const auto rows = matching(request);
    return rows.size() < distance ? std::optional<std::string>{} : std::optional(key(rows[distance - 1]));
  }
  Status read(const ChunkRequest& request, const RowSink& sink) override {
    if (failing > 0) {
      --failing;
      return {Code::kInternal, "Unknown column"};
    }
    auto rows = matching(request);
    if (request.limit != 0 && rows.size() > request.limit) rows.resize(request.limit);
    for (const Row& row : rows) {
      Cell cells[2];
      cells[0].kind = cells[1].kind = Cell::Kind::kInteger;
      cells[0].i64 = row.k;
      cells[1].i64 = row.v;
      if (Status s = sink(cells); !s.ok()) return s;
    }
    return sdk::ok();
  }
  bool altered() const override { return !wrong; }
  bool refused() const override { return true; }
  Status write_mark(const std::string& id, std::string_view type, std::string_view) override {
    marks.push_back(id + " " + std::string(type));
    return sdk::ok();
  }
  Status remove_mark(const std::string& id) override {
    marks.push_back(id + " removed");
    return sdk::ok();
  }

  std::map<std::string, std::vector<Row>> tables;
  Texts marks;
  int sequence = 10, views_open = 0, failing = 0;
  bool tells_place = true, wrong = false;

 private:
  static std::string key(const Row& row) { return "[" + std::to_string(row.k) + "]"; }
  static int number(const std::string& key) { return Json::parse(key)[0].get<int>(); }
  std::vector<Row> matching(const ChunkRequest& request) {
    std::vector<Row> rows;
    for (const Row& row : tables[request.table->id.table]) {
      if (!request.after.empty() && row.k <= number(request.after)) continue;
      if (!request.up_to.empty() && row.k > number(request.up_to)) continue;
      if (!request.filter.empty() && row.k <= std::stoi(request.filter)) continue;
      rows.push_back(row);
    }
    if (!request.key.empty())
      std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.k < b.k; });
    return rows;
  }
};

class FakeHost final : public IncrementalHost {
 public:
  const TableDefinition* table(const TableId& id) override {
    const auto at = definitions.find(id.table);
    return at == definitions.end() ? nullptr : &at->second;
  }
  Result<std::vector<TableId>> captured_tables() override {
    if (!listing) return Status(Code::kUnavailable, "no list");
    std::vector<TableId> tables;
    for (const auto& [name, definition] : definitions) tables.push_back(definition.id);
    return tables;
  }
  Status key_of(const TableDefinition&, std::span<const Cell> row, std::string& key) override {
    key = "k" + std::to_string(row[0].i64);
    return sdk::ok();
  }
  Status emit(const TableDefinition& table, std::span<const Cell> row, SnapshotMarker marker) override {
    emitted.push_back(table.id.table + std::to_string(row[0].i64) + ":" + std::to_string(row[1].i64) +
                      (marker == SnapshotMarker::kIncremental ? "" : "!"));
    return sdk::ok();
  }
  void notify(const Notification& n) override {
    std::string text = n.id + " " + n.type;
    for (const char* key : {"data_collections", "last_processed_key", "maximum_key", "total_rows_scanned", "status"}) {
      for (const auto& [name, value] : n.additional_data) {
        if (name == key) text += " " + value;
      }
    }
    told.push_back(text);
  }
  void warn(const std::string& text) override { warnings.push_back(text); }
  std::string new_id() override { return "id" + std::to_string(++ids); }
  std::string now_text() override { return "now"; }
  Texts take() { return std::exchange(emitted, {}); }

  void add(const std::string& name, bool keyed) {
    TableDefinition definition;
    definition.id = {"d", name};
    for (const char* column : {"k", "v"}) {
      ColumnDefinition c;
      c.name = column;
      c.type_name = "INT";
      c.optional = !keyed;
      definition.columns.push_back(c);
    }
    if (keyed) definition.primary_key = {"k"};
    definitions[name] = definition;
  }

  std::map<std::string, TableDefinition> definitions;
  Texts emitted, told, warnings;
  int ids = 0;
  bool listing = true;
};

class Incremental : public ::testing::Test {
 protected:
  void SetUp() override {
    options_.chunk_rows = options_.resumed_chunk_rows = 3;
    host_.add("a", true);
    host_.add("b", true);
    host_.add("nokey", false);
    for (int i = 1; i <= 7; ++i) source_.tables["a"].push_back({i, i * 10});
    source_.tables["b"] = {{1, 1}};
    source_.tables["nokey"] = {{1, 1}, {2, 1}, {2, 2}, {2, 3}, {2, 4}, {3, 1}, {3, 1}};
  }
  IncrementalSnapshot make() {
    IncrementalSnapshot snapshot(options_, host_);
    snapshot.set_source(&source_);
    return snapshot;
  }
  static Signal signal(std::string_view type, std::string_view data) {
    auto parsed = parse_signal("sig", type, data);
    EXPECT_TRUE(parsed.ok()) << parsed.status().message();
    return parsed.value();
  }
  static Signal execute(const std::string& tables, const std::string& more = "") {
    return signal("execute-snapshot", R"({"data-collections":[)" + tables + "]" + more + "}");
  }
  static void handle(IncrementalSnapshot& snapshot, const Signal& signal) { EXPECT_TRUE(snapshot.handle(signal).ok()); }
  /// The stream is where the server is.
  void run(IncrementalSnapshot& snapshot) {
    for (int i = 0; i < 100; ++i) {
      auto more = snapshot.advance(gtids("0-1-" + std::to_string(source_.sequence)));
      ASSERT_TRUE(more.ok()) << more.status().message();
      if (!*more) return;
    }
    FAIL() << "does not end";
  }

  IncrementalOptions options_;
  FakeHost host_;
  FakeSource source_;
};

TEST_F(Incremental, ReadsChunkByChunkAndTellsOfIt) {
  auto snapshot = make();
  handle(snapshot, execute(R"("d.a","d.b")"));
  run(snapshot);
  EXPECT_EQ(host_.emitted, (Texts{"a1:10", "a2:20", "a3:30", "a4:40", "a5:50", "a6:60", "a7:70", "b1:1"}));
  EXPECT_EQ(host_.told,
            (Texts{"sig STARTED d.a,d.b", "sig IN_PROGRESS d.a,d.b 3 7", "sig IN_PROGRESS d.a,d.b 6 7",
                   "sig IN_PROGRESS d.a,d.b 7 7", "sig TABLE_SCAN_COMPLETED d.a,d.b 7 SUCCEEDED",
                   "sig IN_PROGRESS d.b 1 1", "sig TABLE_SCAN_COMPLETED d.b 1 SUCCEEDED", "sig COMPLETED"}));
  EXPECT_FALSE(snapshot.running());
  EXPECT_TRUE(snapshot.offset_state().empty());
  EXPECT_EQ(source_.views_open, 0);
  EXPECT_TRUE(source_.marks.empty());
}

TEST_F(Incremental, TheStreamWinsUntilItHasPassedTheView) {
  auto snapshot = make();
  handle(snapshot, execute(R"("d.a")"));
  source_.sequence = 12;
  EXPECT_TRUE(*snapshot.advance(gtids("0-1-10")));   // read at 12
  EXPECT_FALSE(*snapshot.advance(gtids("0-1-11")));  // not there yet
  EXPECT_TRUE(snapshot.waits(gtids("0-1-11")));
  EXPECT_FALSE(snapshot.waits(gtids("0-1-12")));
  EXPECT_TRUE(snapshot.watches({"d", "a"}));
  EXPECT_FALSE(snapshot.watches({"d", "b"}));
  snapshot.changed("k2");
  snapshot.changed("k99");
  EXPECT_TRUE(host_.emitted.empty());
  EXPECT_TRUE(*snapshot.advance(gtids("0-1-12")));
  EXPECT_EQ(host_.emitted, (Texts{"a1:10", "a3:30"}));
}

TEST_F(Incremental, AViewBehindTheStreamIsTakenAgain) {
  auto snapshot = make();
  handle(snapshot, execute(R"("d.a")"));
  EXPECT_FALSE(*snapshot.advance(gtids("0-1-11")));  // the tables show 10
  EXPECT_EQ(source_.views_open, 0);
  source_.sequence = 11;
  EXPECT_TRUE(*snapshot.advance(gtids("0-1-11,7-1-5")));  // a domain the server does not know says nothing
  EXPECT_TRUE(*snapshot.advance(gtids("0-1-11,7-1-5")));
  EXPECT_EQ(host_.emitted.size(), 3u);
}

TEST_F(Incremental, SurrogateKeysLoseNoRows) {
  auto snapshot = make();
  handle(snapshot, execute(R"("d.nokey")", R"(,"surrogate-key":"k")"));
  run(snapshot);
  EXPECT_EQ(host_.emitted, (Texts{"nokey1:1", "nokey2:1", "nokey2:2", "nokey2:3", "nokey2:4", "nokey3:1", "nokey3:1"}));
  host_.told.clear();
  handle(snapshot, execute(R"("d.nokey","d.none")"));
  run(snapshot);
  EXPECT_EQ(host_.told, (Texts{"sig STARTED d.nokey,d.none", "sig TABLE_SCAN_COMPLETED d.nokey,d.none 0 NO_PRIMARY_KEY",
                               "sig TABLE_SCAN_COMPLETED d.none 0 UNKNOWN_SCHEMA", "sig COMPLETED"}));
  EXPECT_EQ(host_.warnings.size(), 2u);
}

TEST_F(Incremental, ExpressionsAndConditions) {
  auto snapshot = make();
  handle(snapshot, execute(R"x("d\\.(a|b)")x", R"(,"additional-conditions":[{"data-collection":"d.a","filter":"5"}])"));
  run(snapshot);
  EXPECT_EQ(host_.emitted, (Texts{"a6:60", "a7:70", "b1:1"}));
}

TEST_F(Incremental, AWrongConditionEndsItsTableAlone) {
  auto snapshot = make();
  handle(snapshot,
         execute(R"("d.a","d.b")", R"(,"additional-conditions":[{"data-collection":"d.a","filter":"nonsense"}])"));
  run(snapshot);
  EXPECT_EQ(host_.emitted, Texts{"b1:1"});
  EXPECT_EQ(host_.told,
            (Texts{"sig STARTED d.a,d.b", "sig TABLE_SCAN_COMPLETED d.a,d.b 0 SQL_EXCEPTION", "sig IN_PROGRESS d.b 1 1",
                   "sig TABLE_SCAN_COMPLETED d.b 1 SUCCEEDED", "sig COMPLETED"}));
  ASSERT_EQ(host_.warnings.size(), 1u);
  EXPECT_NE(host_.warnings[0].find("SQL syntax"), std::string::npos) << host_.warnings[0];
  EXPECT_EQ(source_.views_open, 0);
}

TEST_F(Incremental, ChunksOfLargeRowsHaveFewer) {
  options_.chunk_bytes = 2 * 2 * sizeof(Cell);  // two rows
  options_.chunk_rows = 5;
  auto snapshot = make();
  handle(snapshot, execute(R"("d.a")"));
  for (size_t emitted = 0; snapshot.running();) {
    ASSERT_TRUE(*snapshot.advance(gtids("0-1-10")));
    EXPECT_LE(host_.emitted.size() - emitted, 2u);
    emitted = host_.emitted.size();
  }
  EXPECT_EQ(host_.emitted, (Texts{"a1:10", "a2:20", "a3:30", "a4:40", "a5:50", "a6:60", "a7:70"}));
}

TEST_F(Incremental, WhatCannotBeListedIsNeitherBegunNorStopped) {
  auto snapshot = make();
  host_.listing = false;
  EXPECT_EQ(snapshot.handle(execute(R"("d.a")")).code(), Code::kUnavailable);
  EXPECT_FALSE(snapshot.running());
  host_.listing = true;
  handle(snapshot, execute(R"("d.b")"));
  host_.listing = false;
  EXPECT_EQ(snapshot.handle(signal("stop-snapshot", R"({"data-collections":["d.b"]})")).code(), Code::kUnavailable);
  EXPECT_TRUE(host_.warnings.empty());
  run(snapshot);
  EXPECT_EQ(host_.emitted, Texts{"b1:1"});
}

TEST_F(Incremental, PauseResumeStop) {
  auto snapshot = make();
  handle(snapshot, execute(R"("d.a","d.b")"));
  EXPECT_TRUE(*snapshot.advance(gtids("0-1-10")));
  handle(snapshot, signal("pause-snapshot", "{}"));
  EXPECT_TRUE(*snapshot.advance(gtids("0-1-10")));  // the open chunk still goes out
  EXPECT_EQ(host_.take().size(), 3u);
  EXPECT_FALSE(*snapshot.advance(gtids("0-1-10")));
  handle(snapshot, signal("resume-snapshot", "{}"));
  EXPECT_TRUE(*snapshot.advance(gtids("0-1-10")));
  handle(snapshot, signal("stop-snapshot", R"({"data-collections":["d.a"]})"));
  auto killed = make();
  const auto state = snapshot.offset_state();
  ASSERT_TRUE(killed.restore({state.begin(), state.end()}).ok());
  handle(snapshot, execute(R"("d.a")", R"(,"additional-conditions":[{"data-collection":"d.a","filter":"6"}])"));
  run(snapshot);
  EXPECT_EQ(host_.take(),
            (Texts{"a4:40", "a5:50", "a6:60", "b1:1", "a7:70"}));  // what was asked for later is not stopped
  run(killed);
  EXPECT_EQ(host_.take(), Texts{"b1:1"});
  host_.told.clear();
  handle(snapshot, execute(R"("d.b")"));
  handle(snapshot, signal("stop-snapshot", R"({"data-collections":["d.b"]})"));
  EXPECT_EQ(host_.told.size(), 3u);
  EXPECT_EQ(host_.told[1], "sig COMPLETED");
  EXPECT_NE(host_.told[2].find("ABORTED d.b"), std::string::npos);
  EXPECT_FALSE(snapshot.running());
}

TEST_F(Incremental, MarksInTheSignalTableCloseTheWindow) {
  options_.watermark = IncrementalOptions::Watermark::kInsertInsert;
  auto snapshot = make();
  handle(snapshot, execute(R"("d.b")"));
  EXPECT_TRUE(*snapshot.advance(gtids("0-1-10")));
  EXPECT_EQ(source_.marks, (Texts{"id1-open snapshot-window-open", "id1-close snapshot-window-close"}));
  EXPECT_FALSE(*snapshot.advance(gtids("0-1-10")));
  Signal close;
  close.type = Signal::Type::kWindowClose;
  close.id = "other-close";
  handle(snapshot, close);
  EXPECT_FALSE(*snapshot.advance(gtids("0-1-12")));
  close.id = "id1-close";
  handle(snapshot, close);
  EXPECT_TRUE(*snapshot.advance(gtids("0-1-12")));
  EXPECT_EQ(host_.emitted, Texts{"b1:1"});

  options_.watermark = IncrementalOptions::Watermark::kInsertDelete;
  source_.marks.clear();
  auto deleting = make();
  handle(deleting, execute(R"("d.b")"));
  EXPECT_TRUE(*deleting.advance(gtids("0-1-10")));
  EXPECT_EQ(source_.marks, (Texts{"id2-open snapshot-window-open", "id2-open removed"}));
  deleting.mark_deleted("id2-open");
  EXPECT_TRUE(*deleting.advance(gtids("0-1-10")));
  EXPECT_EQ(host_.emitted.size(), 2u);
}

TEST_F(Incremental, GoesOnAfterARestartAtAnyPlace) {
  for (int steps = 0; steps < 12; ++steps) {
    host_.emitted.clear();
    std::map<std::string, std::string> stored;
    {
      auto snapshot = make();
      handle(snapshot, execute(R"("d.a","d.nokey")", R"(,"surrogate-key":"k")"));
      for (int i = 0; i < steps; ++i) ASSERT_TRUE(snapshot.advance(gtids("0-1-10")).ok());
      for (const auto& [key, value] : snapshot.offset_state()) stored[key] = value;
    }
    auto again = make();
    ASSERT_TRUE(again.restore(stored).ok());
    run(again);
    Texts all = host_.emitted;
    EXPECT_EQ(all.size(), 14u) << steps;
    std::sort(all.begin(), all.end());
    EXPECT_EQ(std::unique(all.begin(), all.end()) - all.begin(), 13) << steps;  // nokey has one row twice
  }
  auto snapshot = make();
  EXPECT_FALSE(snapshot.restore({{"incremental_snapshot_collections", "nonsense"}}).ok());
}

TEST_F(Incremental, DdlInTheWindowReadsTheChunkAgain) {
  auto snapshot = make();
  handle(snapshot, execute(R"("d.b")"));
  source_.sequence = 12;
  EXPECT_TRUE(*snapshot.advance(gtids("0-1-10")));
  snapshot.table_altered({"d", "b"});
  EXPECT_TRUE(*snapshot.advance(gtids("0-1-12")));
  EXPECT_TRUE(host_.emitted.empty());
  run(snapshot);
  EXPECT_EQ(host_.emitted, Texts{"b1:1"});
}

TEST_F(Incremental, ColumnsAheadOfTheStreamAreWaitedForAsOftenAsTheyChange) {
  auto snapshot = make();
  handle(snapshot, execute(R"("d.a","d.b")"));
  source_.sequence = 12;
  source_.failing = 1;
  EXPECT_FALSE(*snapshot.advance(gtids("0-1-10")));
  EXPECT_FALSE(*snapshot.advance(gtids("0-1-11")));
  EXPECT_TRUE(*snapshot.advance(gtids("0-1-12")));
  EXPECT_TRUE(host_.warnings.empty());
  run(snapshot);
  EXPECT_EQ(host_.emitted.size(), 8u);
  handle(snapshot, execute(R"("d.a","d.b")"));
  source_.failing = 3;
  for (int altered = 13; altered < 16; ++altered) {
    source_.sequence = altered;
    EXPECT_FALSE(*snapshot.advance(gtids("0-1-" + std::to_string(altered - 1))));
  }
  EXPECT_TRUE(host_.warnings.empty());
  run(snapshot);
  EXPECT_EQ(host_.emitted.size(), 16u);
  // With nothing left for the stream to tell, the table is given up.
  handle(snapshot, execute(R"("d.a","d.b")"));
  source_.failing = 1;
  run(snapshot);
  EXPECT_EQ(host_.warnings.size(), 1u);
  EXPECT_EQ(host_.emitted.size(), 17u);  // b alone
  EXPECT_EQ(source_.views_open, 0);
}

TEST_F(Incremental, AnInterruptedInitialSnapshotGoesOn) {
  SnapshotLedger ledger;
  ledger.tables = {{{"d", "b"}, true, "[1]", 1}, {{"d", "a"}, false, "[5]", 5}, {{"d", "nokey"}, false, "", 0}};
  auto snapshot = make();
  snapshot.resume(ledger);
  EXPECT_TRUE(*snapshot.advance(gtids("0-1-10")));
  EXPECT_TRUE(*snapshot.advance(gtids("0-1-10")));
  EXPECT_EQ(host_.emitted, (Texts{"a6:60!", "a7:70!"}));
  auto stored = SnapshotLedger::parse(snapshot.ledger_text());
  ASSERT_TRUE(stored.ok());
  EXPECT_EQ(stored->tables[1].last_key, "[7]");
  EXPECT_EQ(stored->tables[1].rows, 7u);
  EXPECT_TRUE(snapshot.offset_state().empty());
  source_.sequence = 12;
  EXPECT_TRUE(*snapshot.advance(gtids("0-1-10")));
  EXPECT_EQ(source_.views_open, 1);  // the table without key is read out of the view when the stream is there
  EXPECT_EQ(host_.emitted.size(), 2u);
  EXPECT_TRUE(*snapshot.advance(gtids("0-1-12")));
  EXPECT_EQ(host_.emitted.size(), 9u);
  run(snapshot);
  EXPECT_EQ(source_.views_open, 0);
  EXPECT_EQ(snapshot.ledger_text(), "");
  EXPECT_FALSE(snapshot.running());
}

TEST_F(Incremental, BlockingSnapshotsAreHandedToTheCaller) {
  auto snapshot = make();
  handle(snapshot,
         execute(R"("d.a")",
                 R"(,"type":"blocking","additional-conditions":[{"data-collection":"d.a","filter":"SELECT 1"}])"));
  EXPECT_FALSE(snapshot.running());
  auto again = make();  // after a kill
  const auto state = snapshot.offset_state();
  ASSERT_TRUE(again.restore({state.begin(), state.end()}).ok());
  for (IncrementalSnapshot* each : {&snapshot, &again}) {
    const BlockingSnapshot* const blocking = each->blocking();
    ASSERT_NE(blocking, nullptr);
    EXPECT_EQ(blocking->tables, (std::vector<TableId>{{"d", "a"}}));
    EXPECT_EQ(blocking->selects.at({"d", "a"}), "SELECT 1");
    each->blocking_done();
    EXPECT_EQ(each->blocking(), nullptr);
    EXPECT_TRUE(each->offset_state().empty());
  }
}

TEST(IncrementalOptions, ChooseTheWatermark) {
  const auto parse = [](const std::vector<std::pair<std::string, std::string>>& values) {
    std::vector<mr_pair> pairs;
    for (const auto& [key, value] : values) pairs.push_back({sdk::to_mr(key), sdk::to_mr(value)});
    return IncrementalOptions::parse(sdk::Config(mr_config{pairs.data(), pairs.size()}, {}));
  };
  using Watermark = IncrementalOptions::Watermark;
  EXPECT_EQ(parse({})->watermark, Watermark::kGtid);
  EXPECT_EQ(parse({{"signal.data.collection", "d.s"}})->watermark, Watermark::kInsertInsert);
  EXPECT_EQ(parse({{"signal.data.collection", "d.s"}, {"read.only", "true"}})->watermark, Watermark::kGtid);
  EXPECT_EQ(parse({{"signal.data.collection", "d.s"}, {"incremental.snapshot.watermarking.strategy", "INSERT_DELETE"}})
                ->watermark,
            Watermark::kInsertDelete);
  EXPECT_FALSE(parse({{"signal.data.collection", "nodot"}}).ok());
}

}  // namespace
}  // namespace millrace::mariadb
