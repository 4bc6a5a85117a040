/// What the recordings do not show: batches, offsets, failures, images that are not full, versions of tables.
#include "connectors/mariadb/events/events_testing.h"

namespace millrace::mariadb::testing {
namespace {

int64_t offset_of(const sdk::OwnedRecord& record) { return record.source_offset.entry("n").u.i64; }

Status write(Bench& bench, TableEvents& table, Operation operation, const std::vector<Cell>& before,
             const std::vector<Cell>& after) {
  SourceInfo source;
  source.file = "bin.1";
  return bench.writer.row(table, operation, before, after, source);
}

TEST(EventWriter, EmitsOnceABatchAndForgetsNothingWhenItFails) {
  Bench bench(Settings{{"max.batch.size", "2"}});
  TableEvents& table = bench.table(orders());
  EXPECT_TRUE(write(bench, table, Operation::kCreate, {}, order(1, "a", 1)).ok());
  EXPECT_FALSE(bench.writer.full());
  EXPECT_TRUE(write(bench, table, Operation::kCreate, {}, order(2, "b", 2)).ok());
  EXPECT_TRUE(bench.writer.full());
  bench.host.fail_next_emit(Status(Code::kUnavailable, "later"));
  EXPECT_EQ(bench.writer.flush().code(), Code::kUnavailable);
  EXPECT_EQ(bench.writer.pending(), 2U);
  EXPECT_EQ(bench.records().size(), 2U);
  EXPECT_EQ(bench.host.emits(), 2U);
  EXPECT_EQ(bench.writer.pending(), 0U);
  EXPECT_TRUE(bench.writer.flush().ok());
  EXPECT_EQ(bench.host.emits(), 2U) << "nothing to emit";
}

TEST(EventWriter, ContentIsCopiedAndCountsAsBytes) {
  Bench bench;
  TableEvents& table = bench.table(orders());
  {
    std::string gone(5 << 20, 'x');
    EXPECT_TRUE(write(bench, table, Operation::kCreate, {}, order(1, gone, 1)).ok());
    std::fill(gone.begin(), gone.end(), 'y');
  }
  EXPECT_TRUE(bench.writer.full());
  const auto records = bench.records();
  const Json row = bench.payload(records[0].value, records[0].value_schema).at("after");
  EXPECT_EQ(row.at("name"), std::string(5 << 20, 'x'));
}

TEST(EventWriter, OnlyTheLastRecordOfAnEmitMovesTheOffset) {
  Bench bench;
  TableEvents& table = bench.table(orders());
  EXPECT_TRUE(write(bench, table, Operation::kCreate, {}, order(1, "a", 1)).ok());
  ASSERT_EQ(bench.records().size(), 1U);
  EXPECT_TRUE(write(bench, table, Operation::kUpdate, order(1, "a", 1), order(2, "a", 1)).ok());
  EXPECT_TRUE(write(bench, table, Operation::kDelete, order(2, "a", 1), {}).ok());
  const auto records = bench.records();
  ASSERT_EQ(records.size(), 5U);
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(records[i].source_offset.get().kind, MR_NULL) << i;
  EXPECT_EQ(offset_of(records[4]), 3);
}

TEST(EventWriter, SkipsOperationsAndUnchangedRows) {
  Bench bench(Settings{{"skipped.operations", "c,t"},
                       {"skip.messages.without.change", "true"},
                       {"column.exclude.list", "shop.orders.qty"}});
  TableEvents& table = bench.table(orders());
  EXPECT_TRUE(write(bench, table, Operation::kCreate, {}, order(1, "a", 1)).ok());
  EXPECT_TRUE(bench.writer.truncate(table, {}).ok());
  EXPECT_TRUE(write(bench, table, Operation::kUpdate, order(1, "a", 1), order(1, "a", 2)).ok());
  EXPECT_EQ(bench.writer.pending(), 0U);
  EXPECT_TRUE(write(bench, table, Operation::kRead, {}, order(1, "a", 1)).ok());
  EXPECT_TRUE(write(bench, table, Operation::kUpdate, order(1, "a", 1), order(1, "b", 1)).ok());
  EXPECT_EQ(bench.writer.pending(), 2U);
  const EventWriter::Counters& counters = bench.writer.counters();
  EXPECT_EQ(counters.filtered, 2);
  EXPECT_EQ(counters.skipped, 1);
  EXPECT_EQ(counters.read, 1);
  EXPECT_EQ(counters.updated, 1);
}

TEST(EventWriter, AbsentCellsOfTheNewImageAreTheOldOnes) {
  Bench bench;
  TableEvents& table = bench.table(orders());
  std::vector<Cell> after = order(0, "b", 0);
  after[0] = after[2] = cell(Cell::Kind::kAbsent);
  EXPECT_TRUE(write(bench, table, Operation::kUpdate, order(7, "a", 3), after).ok());
  const auto records = bench.records();
  ASSERT_EQ(records.size(), 1U);
  const Json value = bench.payload(records[0].value, records[0].value_schema);
  EXPECT_EQ(value.at("after").dump(), R"({"id":7,"name":"b","qty":3})");
  EXPECT_EQ(bench.payload(records[0].key, records[0].key_schema).dump(), R"({"id":7})");
}

/// A map of orders() with a column that the server hides at `hidden`.
TableMap orders_map(size_t hidden) {
  TableMap map;
  for (const char* name : {"ID", "name", "qty"}) {
    WireColumn& wire = map.columns.emplace_back();
    wire.type = std::string_view(name) == "name" ? 15 : 3;
    wire.metadata = 200;
    wire.name = name;
  }
  WireColumn hash;
  hash.type = 8;
  hash.name = "DB_ROW_HASH_1";
  map.columns.insert(map.columns.begin() + static_cast<ptrdiff_t>(hidden), hash);
  return map;
}

TEST(EventWriter, CellsComeAtTheirPlacesInTheMap) {
  Bench bench;
  TableMap map = orders_map(1);
  map.has_names = true;
  TableEvents& table = bench.table(orders(), &map);
  EXPECT_TRUE(write(bench, table, Operation::kCreate, {}, {number(9), number(0), text("n"), number(5)}).ok());
  const auto records = bench.records();
  EXPECT_EQ(bench.payload(records[0].value, records[0].value_schema).at("after").dump(),
            R"({"id":9,"name":"n","qty":5})");
}

TEST(EventWriter, HiddenColumnsAtTheEndOfAMapWithoutNamesAreLeftOut) {
  Bench bench;
  TableMap map = orders_map(3);
  for (int i = 0; i < 2; ++i) {  // row_start, row_end
    WireColumn& period = map.columns.emplace_back();
    period.type = 17;
    period.metadata = 6;
  }
  for (WireColumn& wire : map.columns) wire.name.clear();
  TableEvents& table = bench.table(orders(), &map);
  EXPECT_EQ(table.cell_count(), 6U);
  std::vector<Cell> row = order(9, "n", 5);
  row.resize(6, number(0));
  EXPECT_TRUE(write(bench, table, Operation::kCreate, {}, row).ok());
  const auto records = bench.records();
  EXPECT_EQ(bench.payload(records[0].value, records[0].value_schema).at("after").dump(),
            R"({"id":9,"name":"n","qty":5})");
}

TEST(EventWriter, ADefinitionThatDoesNotFitIsRefused) {
  Bench bench;
  TableMap map;
  map.columns.resize(2);
  const auto by_place = bench.writer.table(orders(), &map);
  ASSERT_FALSE(by_place.ok());
  EXPECT_NE(by_place.status().message().find("3 columns in its definition, but 2"), std::string::npos);
  map = orders_map(3);
  map.has_names = true;
  map.columns[0].name = "other";
  const auto by_name = bench.writer.table(orders(), &map);
  ASSERT_FALSE(by_name.ok());
  EXPECT_NE(by_name.status().message().find("column other of the binlog is not at its place"), std::string::npos);
  EXPECT_EQ(write(bench, bench.table(orders()), Operation::kCreate, {}, {number(1)}).code(), Code::kBadRecord);
  EXPECT_EQ(bench.writer.pending(), 0U);
}

TEST(EventWriter, CollidingFieldsAreRefused) {
  Bench bench(Settings{{"field.name.adjustment.mode", "avro"}});
  TableDefinition table = orders();
  table.columns.push_back(column("a-b", "INT"));
  table.columns.push_back(column("a.b", "INT"));
  const auto made = bench.writer.table(table, nullptr);
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.status().code(), Code::kInvalidConfig);
  EXPECT_NE(made.status().message().find("field name duplication a_b in table shop.orders"), std::string::npos);
}

TEST(EventWriter, TableVersionsAreKeptUntilTheyDiffer) {
  Bench bench;
  TableDefinition table = orders();
  TableEvents& first = bench.table(table);
  EXPECT_EQ(&bench.table(TableDefinition(table)), &first);
  const size_t schemas = bench.host.schema_count();
  table.columns.push_back(column("more", "INT"));
  TableEvents& second = bench.table(table);
  EXPECT_NE(&second, &first);
  EXPECT_GT(bench.host.schema_count(), schemas);
  EXPECT_EQ(&bench.table(orders()), &first) << "an older version is still there";
}

TEST(EventWriter, RecordsOutliveADroppedTable) {
  Bench bench;
  EXPECT_TRUE(write(bench, bench.table(orders()), Operation::kCreate, {}, order(1, "a", 1)).ok());
  SchemaChange drop;
  drop.database = "shop";
  drop.ddl = "DROP TABLE orders";
  drop.changes.push_back({TableChange::Type::kDrop, {"shop", "orders"}, {}, {}});
  EXPECT_TRUE(bench.writer.schema_change(drop, {}).ok());
  const auto records = bench.records();
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].topic, "srv.shop.orders");
  EXPECT_EQ(bench.payload(records[0].value, records[0].value_schema).at("source").at("table"), "orders");
}

TEST(EventWriter, AValueThatCannotBeIsNullWithAWarningOrAFailure) {
  TableDefinition table = orders();
  table.columns[2] = column("qty", "INT");
  std::vector<Cell> broken = order(1, "a", 0);
  broken[2] = text("not a number");
  Bench warn;
  if (Status s = write(warn, warn.table(table), Operation::kCreate, {}, broken); s.ok()) {
    const auto records = warn.records();
    EXPECT_TRUE(warn.payload(records[0].value, records[0].value_schema).at("after").at("qty").is_null());
    EXPECT_EQ(warn.host.logged(MR_WARN, "the field becomes null"), 1U);
  } else {
    ADD_FAILURE() << s.message();
  }
  Bench fail(Settings{{"event.converting.failure.handling.mode", "fail"}});
  EXPECT_EQ(write(fail, fail.table(table), Operation::kCreate, {}, broken).code(), Code::kBadRecord);
  EXPECT_EQ(fail.writer.pending(), 0U);
  broken[0] = text("no key");
  EXPECT_EQ(write(warn, warn.table(table), Operation::kCreate, {}, broken).code(), Code::kBadRecord) << "keys matter";
}

TEST(EventWriter, TransactionsCountOnAfterARestart) {
  Bench bench(Settings{{"provide.transaction.metadata", "true"}});
  TableEvents& table = bench.table(orders());
  bench.writer.resume_transaction({"0-1-9", 4, {{"shop.items", 3}, {"shop.orders", 1}}});
  EXPECT_TRUE(write(bench, table, Operation::kCreate, {}, order(1, "a", 1)).ok());
  ASSERT_NE(bench.writer.transaction(), nullptr);
  EXPECT_EQ(bench.writer.transaction()->total, 5);
  EXPECT_TRUE(bench.writer.end_transaction(8).ok());
  EXPECT_EQ(bench.writer.transaction(), nullptr);
  EXPECT_TRUE(write(bench, table, Operation::kCreate, {}, order(2, "b", 1)).ok());
  const auto records = bench.records();
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(bench.payload(records[0].value, records[0].value_schema).at("transaction").dump(),
            R"({"id":"0-1-9","total_order":5,"data_collection_order":2})");
  EXPECT_EQ(bench.payload(records[1].value, records[1].value_schema).dump(),
            R"({"status":"END","id":"0-1-9","event_count":5,"data_collections":[)"
            R"({"data_collection":"shop.items","event_count":3},{"data_collection":"shop.orders","event_count":2}],)"
            R"("ts_ms":8})");
  EXPECT_TRUE(bench.payload(records[2].value, records[2].value_schema).at("transaction").is_null());
}

TEST(EventWriter, SideRecordsAreWrittenWhereTheyAreWanted) {
  Bench bench(Settings{{"notification.enabled.channels", "sink"}, {"notification.sink.topic.name", "notes"}});
  const std::pair<std::string, std::string> extra[] = {{"connector_name", "srv"}};
  EXPECT_TRUE(bench.writer.notification("n1", "Initial Snapshot", "STARTED", extra, 5).ok());
  EXPECT_TRUE(bench.writer.heartbeat(6).ok());
  const auto records = bench.records();
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].topic, "notes");
  EXPECT_EQ(bench.payload(records[0].value, records[0].value_schema).dump(),
            R"({"id":"n1","type":"STARTED","aggregate_type":"Initial Snapshot",)"
            R"("additional_data":{"connector_name":"srv"},"timestamp":5})");
  EXPECT_EQ(records[1].partition, 0);
  EXPECT_TRUE(records[1].headers.empty());
  Bench quiet(Settings{{"include.schema.changes", "false"}});
  EXPECT_TRUE(quiet.writer.notification("n1", "x", "y", {}, 5).ok());
  EXPECT_TRUE(quiet.writer.begin_transaction("0-1-1", 5).ok());
  EXPECT_TRUE(quiet.writer.schema_change({}, {}).ok());
  EXPECT_EQ(quiet.writer.pending(), 0U);
}

TEST(EncodedKey, IsTheSameFromBothSides) {
  Bench bench;
  TableDefinition table = orders();
  table.columns.push_back(column("t", "TIMESTAMP", false));
  table.columns[3].length = 6;
  table.primary_key = {"name", "t"};
  std::vector<Cell> streamed = order(1, "a", 1), selected = streamed;
  streamed[1] = bytes("a");
  streamed.push_back(number(1'700'000'000'000'000, Cell::Kind::kTimestamp));
  selected.push_back(in_snapshot(streamed[3]));
  std::string one, other;
  ASSERT_TRUE(encoded_key(bench.table(table), streamed, one).ok());
  ASSERT_TRUE(encoded_key(bench.table(table), selected, other).ok());
  EXPECT_EQ(one, other);
  EXPECT_FALSE(one.empty());
  selected[1] = text("b");
  ASSERT_TRUE(encoded_key(bench.table(table), selected, other).ok());
  EXPECT_NE(one, other);
  table.primary_key.clear();
  ASSERT_TRUE(encoded_key(bench.table(table), selected, other).ok());
  EXPECT_EQ(other, "");
}

TEST(EncodedKey, TellsRowsApartThatShareTheKeyOfTheirRecords) {
  Bench bench({{"message.key.columns", "shop.orders:qty"}, {"column.mask.with.3.chars", "shop.orders.name"}});
  TableDefinition table = orders();
  table.columns.push_back(column("day", "DATE", false));
  table.columns.push_back(column("at", "TIME", false));
  table.columns[4].length = 6;
  table.primary_key = {"name", "day", "at"};
  const auto key_of = [&](std::string_view name, uint8_t day, int64_t micros) {
    std::vector<Cell> row = order(1, name, 7);
    Cell date;
    date.kind = Cell::Kind::kDate;
    date.time = {2024, 0, day, 0, 0, 0, 0};  // no day of the calendar: its value is that of all such
    row.push_back(date);
    row.push_back(number(micros, Cell::Kind::kTime));
    std::string key;
    EXPECT_TRUE(encoded_key(bench.table(table), row, key).ok());
    return key;
  };
  const std::string one = key_of("a", 10, 5);
  EXPECT_EQ(one, key_of("a", 10, 5));
  EXPECT_NE(one, key_of("b", 10, 5));
  EXPECT_NE(one, key_of("a", 11, 5));
  EXPECT_NE(one, key_of("a", 10, 6));
}

}  // namespace
}  // namespace millrace::mariadb::testing
