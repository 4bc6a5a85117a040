/// Recorded rows written again: their values become cells, what the writer makes of them must be what Debezium wrote.
#include <ctime>
#include <set>

#include "connectors/mariadb/events/golden_case.h"

namespace millrace::mariadb::testing {
namespace {

/// Cases whose tables keep one definition and whose columns have types that are easily read back.
const std::set<std::string> kCases = {"100-crud",
                                      "101-crud-no-tombstones",
                                      "102-skipped-operations-ud",
                                      "103-truncate",
                                      "104-truncate-default-skipped",
                                      "110-keys",
                                      "111-message-key-columns",
                                      "112-fk-cascade-trigger",
                                      "113-engines-statement-format",
                                      "120-transaction-metadata",
                                      "121-transactions-plain",
                                      "140-filter-table-include",
                                      "141-filter-table-exclude",
                                      "142-filter-column-exclude",
                                      "143-filter-column-include",
                                      "144-filter-skip-messages-without-change",
                                      "145-filter-databases",
                                      "190-naming-default",
                                      "191-naming-avro",
                                      "192-naming-avro_unicode",
                                      "193-topic-naming-options",
                                      "194-topic-naming-regex",
                                      "207-include-query",
                                      "208-extended-headers-off"};

/// One change and the records it made.
struct Change {
  Operation operation = Operation::kRead;
  bool truncate = false;
  Json before, after, source, transaction, key;
  std::vector<const Json*> records;
};

bool has_header(const Json& record, const char* name) {
  for (const Json& header : record.at("headers")) {
    if (header.at(0) == name) return true;
  }
  return false;
}

Change change_of(const Json& record) {
  const Json& payload = record.at("value").at("payload");
  Change change;
  const std::string op = payload.at("op");
  change.truncate = op == "t";
  change.operation = op == "c"   ? Operation::kCreate
                     : op == "u" ? Operation::kUpdate
                     : op == "d" ? Operation::kDelete
                                 : Operation::kRead;
  change.before = payload.at("before");
  change.after = payload.at("after");
  change.source = payload.at("source");
  change.transaction = payload.at("transaction");
  if (record.at("key").is_object()) change.key = record.at("key").at("payload");
  change.records.push_back(&record);
  return change;
}

/// Records are sorted by topic; the changes come back in the order of the binlog.
std::vector<Change> changes_of(const GoldenCase& golden) {
  std::vector<Change> changes;
  for (const Json& record : golden.records) {
    const Json& value = record.at("value");
    if (value.is_null()) {
      changes.back().records.push_back(&record);  // a tombstone
    } else if (!value.contains("payload") || !value.at("payload").contains("op")) {
      continue;
    } else if (has_header(record, "__debezium.oldkey")) {
      changes.back().operation = Operation::kUpdate;
      changes.back().after = value.at("payload").at("after");
      changes.back().records.push_back(&record);
    } else {
      changes.push_back(change_of(record));
    }
  }
  std::stable_sort(changes.begin(), changes.end(), [](const Change& a, const Change& b) {
    const auto place = [](const Change& c) {
      return std::tuple(std::string(c.source.at("file")), int64_t{c.source.at("pos")}, int64_t{c.source.at("row")});
    };
    return place(a) < place(b);
  });
  return changes;
}

// ---- from JSON to cells

std::string from_base64(const std::string& text) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  uint32_t word = 0;
  int bits = 0;
  for (const char c : text) {
    if (c == '=') break;
    word = word << 6 | static_cast<uint32_t>(kDigits.find(c));
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out += static_cast<char>(word >> bits & 0xff);
    }
  }
  return out;
}

int64_t micros_of(const std::string& text) {
  tm parts{};
  const char* rest = strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  int64_t micros = 0, scale = 100000;
  if (*rest == '.') {
    for (++rest; *rest >= '0' && *rest <= '9'; ++rest, scale /= 10) micros += (*rest - '0') * scale;
  }
  return int64_t{timegm(&parts)} * 1'000'000 + micros;
}

/// Builds the cells of one image; `texts` keeps their content.
class Image {
 public:
  Image(const TableDefinition& table, const EventOptions& options, const Json& row, const Json& key, bool snapshot) {
    for (const ColumnDefinition& column : table.columns) {
      const std::string name = adjusted_field_name(options.rules->field_names, column.name);
      const Json* value = row.is_object() && row.contains(name)   ? &row.at(name)
                          : key.is_object() && key.contains(name) ? &key.at(name)
                                                                  : nullptr;
      Cell made = value == nullptr || value->is_null() ? cell(Cell::Kind::kNull) : cell_of(column, *value);
      made.snapshot = snapshot;
      cells_.push_back(made);
    }
  }
  std::span<const Cell> cells() const { return cells_; }

 private:
  Cell cell_of(const ColumnDefinition& column, const Json& value) {
    if (column.type_name == "ENUM") {
      for (size_t i = 0; i < column.enum_values.size(); ++i) {
        if (value == column.enum_values[i]) return number(static_cast<int64_t>(i) + 1, Cell::Kind::kEnum);
      }
    }
    if (column.type_name == "TIMESTAMP") return number(micros_of(value), Cell::Kind::kTimestamp);
    if (column.type_name == "DECIMAL") {
      const std::string unscaled = from_base64(value);
      __int128 total = static_cast<signed char>(unscaled[0]) < 0 ? -1 : 0;
      for (const char c : unscaled) total = total * 256 + static_cast<unsigned char>(c);
      return decimal(total, static_cast<int16_t>(column.scale.value_or(0)));
    }
    if (column.type_name == "BLOB") return bytes(texts_.emplace_back(from_base64(value)));
    if (value.is_string()) return text(texts_.emplace_back(value));
    return number(value);
  }
  std::deque<std::string> texts_;
  std::vector<Cell> cells_;
};

// ---- comparing

Json header_json(const Bench& bench, const mr_value& value, mr_schema_id id) {
  if (value.kind == MR_DECIMAL) {
    int64_t total = static_cast<signed char>(value.u.bytes[0]) < 0 ? -1 : 0;
    for (uint32_t i = 0; i < value.size; ++i) total = total * 256 + static_cast<unsigned char>(value.u.bytes[i]);
    return static_cast<double>(total) / std::pow(10, value.scale);
  }
  if (value.kind != MR_STRUCT) return value_json(value);
  Json object = Json::object();
  for (uint32_t i = 0; i < value.size; ++i)
    object[std::string(sdk::view(bench.host.describe(id)->fields[i].name))] =
        header_json(bench, value.u.items[i], bench.field_schema(id, i));
  return object;
}

void compare_headers(const Bench& bench, const sdk::OwnedRecord& made, const Json& wanted) {
  ASSERT_EQ(made.headers.size(), wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i) {
    const auto& header = made.headers[i];
    EXPECT_EQ(header.key, wanted[i].at(0));
    if (header.key == "__debezium.context.runId") continue;
    const std::string text = wanted[i].at(1);
    const Json value = header_json(bench, header.value.get(), header.schema);
    EXPECT_EQ(value, value.is_object() ? Json::parse(text) : Json(text));
  }
}

Json masked(Json payload) {
  if (!payload.is_object()) return payload;
  for (const char* key : {"ts_ms", "ts_us", "ts_ns"}) payload.erase(key);
  for (const char* key : {"version", "ts_ns"}) payload.at("source").erase(key);
  // A streamed record has null; the recording's converter wrote the schema's default instead.
  if (Json& snapshot = payload.at("source").at("snapshot"); snapshot.is_null()) snapshot = "false";
  return payload;
}

void compare(const Bench& bench, const sdk::OwnedRecord& made, const Json& wanted) {
  const auto payload_of = [](const Json& part) { return part.is_null() ? Json() : part.at("payload"); };
  EXPECT_EQ(made.topic, wanted.at("topic"));
  EXPECT_EQ(bench.payload(made.key, made.key_schema), payload_of(wanted.at("key")));
  EXPECT_EQ(made.key_schema == 0, wanted.at("key").is_null());
  EXPECT_EQ(masked(bench.payload(made.value, made.value_schema)), masked(payload_of(wanted.at("value"))));
  EXPECT_EQ(made.value_schema == 0, wanted.at("value").is_null());
  compare_headers(bench, made, wanted.at("headers"));
}

// ---- writing

/// The recorded END of a transaction, or nothing.
const Json* end_of(const GoldenCase& golden, const std::string& id) {
  for (const Json& record : golden.records) {
    const Json& value = record.at("value");
    if (value.is_object() && value.at("payload").is_object() && value.at("payload").contains("status") &&
        value.at("payload").at("status") == "END" && value.at("payload").at("id") == id)
      return &record;
  }
  return nullptr;
}

std::set<nlohmann::json> unordered(const Json& list) {
  std::set<nlohmann::json> items;
  for (const Json& item : list) items.insert(nlohmann::json::parse(item.dump()));
  return items;
}

void compare_end(Bench& bench, const GoldenCase& golden, const std::string& id) {
  const Json* wanted = end_of(golden, id);
  if (id.empty() || wanted == nullptr) return;
  ASSERT_TRUE(bench.writer.end_transaction(1).ok());
  const auto records = bench.records();
  ASSERT_EQ(records.size(), 1U);
  Json made = bench.payload(records[0].value, records[0].value_schema), recorded = wanted->at("value").at("payload");
  EXPECT_EQ(unordered(made.at("data_collections")), unordered(recorded.at("data_collections")));
  EXPECT_EQ(made.at("event_count"), recorded.at("event_count"));
  EXPECT_EQ(records[0].topic, wanted->at("topic"));
  EXPECT_TRUE(records[0].headers.empty());
}

/// The version whose rows have the recorded schema, else the last one.
const TableDefinition& version_of(Bench& bench, const GoldenCase& golden, const TableId& id, const Change& change) {
  const std::vector<TableDefinition>& versions = golden.tables.at(id);
  const Json& wanted = golden.schemas.at(change.records[0]->at("value").at("schema_ref").get<size_t>());
  for (const TableDefinition& version : versions) {
    const Json made = bench.schema(bench.table(version).value_schema());
    if (nlohmann::json::parse(made.dump()) == nlohmann::json::parse(wanted.dump())) return version;
  }
  return versions.back();
}

void write(Bench& bench, const GoldenCase& golden, const EventOptions& options, const Change& change) {
  const TableId id{change.source.at("db"), change.source.at("table")};
  ASSERT_EQ(golden.tables.count(id), 1U) << id.full();
  const TableDefinition& definition = version_of(bench, golden, id, change);
  TableEvents& table = bench.table(definition);
  const std::string gtid = json_member<std::string>(change.source, "gtid").value_or(""),
                    file = change.source.at("file"),
                    query = json_member<std::string>(change.source, "query").value_or(""),
                    snapshot = change.source.at("snapshot");
  SourceInfo source;
  source.time_us = change.source.at("ts_us");
  source.server_id = change.source.at("server_id");
  source.gtid = gtid;
  source.file = file;
  source.query = query;
  source.position = change.source.at("pos");
  source.row = change.source.at("row");
  source.snapshot = snapshot == "false"                      ? SnapshotMarker::kFalse
                    : snapshot == "first"                    ? SnapshotMarker::kFirst
                    : snapshot == "last"                     ? SnapshotMarker::kLast
                    : snapshot == "first_in_data_collection" ? SnapshotMarker::kFirstInCollection
                    : snapshot == "last_in_data_collection"  ? SnapshotMarker::kLastInCollection
                                                             : SnapshotMarker::kTrue;
  const bool from_select = source.snapshot != SnapshotMarker::kFalse;
  const Image before(definition, options, change.before, change.key, from_select),
      after(definition, options, change.after, change.key, from_select);
  if (change.truncate) {
    ASSERT_TRUE(bench.writer.truncate(table, source).ok());
    return;
  }
  const bool old = change.operation == Operation::kUpdate || change.operation == Operation::kDelete;
  const Status status =
      bench.writer.row(table, change.operation, old ? before.cells() : std::span<const Cell>(),
                       change.operation == Operation::kDelete ? std::span<const Cell>() : after.cells(), source);
  ASSERT_TRUE(status.ok()) << status.message();
}

TEST(GoldenReplay, RowsBecomeTheRecordedRecords) {
  size_t compared = 0;
  for (const GoldenCase& golden : golden_cases()) {
    if (kCases.count(golden.name) == 0) continue;
    SCOPED_TRACE(golden.name);
    Bench bench(golden.settings);
    const EventOptions options = events_of(golden.settings);
    std::string transaction;
    for (const Change& change : changes_of(golden)) {
      const std::string id = change.transaction.is_object() ? std::string(change.transaction.at("id")) : "";
      if (id != transaction) {
        compare_end(bench, golden, transaction);
        if (!id.empty()) {
          ASSERT_TRUE(bench.writer.begin_transaction(id, 1).ok());
        }
        transaction = id;
        bench.records();
      }
      write(bench, golden, options, change);
      const std::vector<sdk::OwnedRecord> made = bench.records();
      ASSERT_EQ(made.size(), change.records.size()) << change.records[0]->dump();
      for (size_t i = 0; i < made.size(); ++i) compare(bench, made[i], *change.records[i]);
      compared += made.size();
    }
    compare_end(bench, golden, transaction);
  }
  if (compared == 0) GTEST_SKIP() << "no recordings in " << golden_folder();
  RecordProperty("compared", static_cast<int>(compared));
}

}  // namespace
}  // namespace millrace::mariadb::testing
