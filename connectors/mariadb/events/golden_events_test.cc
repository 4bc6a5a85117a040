/// Key, value and side schemas, and schema change records, against those that Debezium 3.5 gave.
#include <set>

#include "connectors/mariadb/events/golden_case.h"

namespace millrace::mariadb::testing {
namespace {

/// Where the recorded schemas are not the connector's own, or millrace does better: by the case, with the reason.
const std::map<std::string, std::string> kDiffers = {
    {"206-router-changed-fields", "a transformation renames topics and schemas"},
};
/// The same for one table.
const std::map<std::string, std::string> kBetterTables = {
    {"067-types-ddl-synonyms-streamed syn_stream", "finding 11: FLOAT4 is a double whose values are all null"},
    {"065-defaults d1", "finding 16: the default of a BIGINT loses digits beyond 2^53"},
    {"065a-defaults-no-null-replacement d1", "finding 16, as above"},
};

using Sorted = nlohmann::json;

/// Order of members does not count, order of fields does.
Sorted sorted(const Json& json) { return Sorted::parse(json.dump()); }

struct Recorded {
  std::set<Sorted> keys, values;
};

/// The schemas of data records, by the table they come from.
std::map<TableId, Recorded> recorded_schemas(const GoldenCase& golden) {
  std::map<TableId, Recorded> recorded;
  for (const Json& record : golden.records) {
    const Json& value = record.at("value");
    const auto payload = value.is_object() ? value.find("payload") : value.end();
    if (!value.is_object() || payload == value.end() || !payload->is_object() || !payload->contains("source") ||
        !payload->contains("op"))
      continue;
    const Json& source = payload->at("source");
    Recorded& of_table = recorded[{source.at("db"), source.at("table")}];
    of_table.values.insert(sorted(golden.schemas.at(value.at("schema_ref").get<size_t>())));
    const Json& key = record.at("key");
    if (key.is_object() && key.contains("schema_ref") && !key.at("schema_ref").is_null())
      of_table.keys.insert(sorted(golden.schemas.at(key.at("schema_ref").get<size_t>())));
  }
  return recorded;
}

TEST(GoldenEvents, SchemasOfTablesAreThoseOfDebezium) {
  size_t compared = 0;
  for (const GoldenCase& golden : golden_cases()) {
    if (kDiffers.count(golden.name) != 0) continue;
    Bench bench(golden.settings);
    for (const auto& [id, recorded] : recorded_schemas(golden)) {
      const auto versions = golden.tables.find(id);
      if (versions == golden.tables.end()) continue;  // its history was not recorded
      Recorded made;
      for (const TableDefinition& definition : versions->second) {
        Result<TableEvents*> table = bench.writer.table(definition, nullptr);
        ASSERT_TRUE(table.ok()) << golden.name << ": " << table.status().message();
        made.values.insert(sorted(bench.schema((*table)->value_schema())));
        if ((*table)->has_key()) made.keys.insert(sorted(bench.schema((*table)->key_schema())));
      }
      bool same = true;
      std::string text;
      const auto check = [&](const std::set<Sorted>& wanted, const std::set<Sorted>& got) {
        for (const Sorted& each : wanted) {
          ++compared;
          if (got.count(each) != 0) continue;
          same = false;
          text += "\n  recorded " + each.dump();
          for (const Sorted& mine : got) text += "\n  made     " + mine.dump();
        }
      };
      check(recorded.keys, made.keys);
      check(recorded.values, made.values);
      const std::string key = golden.name + " " + id.table;
      if (const auto better = kBetterTables.find(key); better != kBetterTables.end()) {
        EXPECT_FALSE(same) << key << " is listed as different: " << better->second;
      } else {
        EXPECT_TRUE(same) << key << text;
      }
    }
  }
  if (compared == 0) GTEST_SKIP() << "no recordings in " << golden_folder();
  RecordProperty("compared", static_cast<int>(compared));
}

SchemaChange change_of(const Json& document, const Json& recorded) {
  SchemaChange change;
  change.database = json_member<std::string>(document, "databaseName").value_or("");
  change.ddl = json_member<std::string>(document, "ddl").value_or("");
  change.source_table = json_member<std::string>(recorded.at("source"), "table").value_or("");
  change.blank_source_table = recorded.at("source").at("table") == "";
  for (const Json& each : document.at("tableChanges")) {
    TableChange made;
    const std::string type = each.at("type");
    made.type = type == "CREATE"  ? TableChange::Type::kCreate
                : type == "ALTER" ? TableChange::Type::kAlter
                                  : TableChange::Type::kDrop;
    made.id = table_id_of(each.at("id")).value_or(TableId{});
    if (each.contains("table") && !each.at("table").is_null()) made.table = table_of(made.id, each);
    change.changes.push_back(std::move(made));
  }
  return change;
}

SnapshotMarker marker_of(const std::string& text) {
  constexpr std::string_view kTexts[] = {
      "false", "true", "first", "first_in_data_collection", "last_in_data_collection", "last", "incremental"};
  for (size_t i = 0; i < std::size(kTexts); ++i) {
    if (text == kTexts[i]) return static_cast<SnapshotMarker>(i);
  }
  return SnapshotMarker::kFalse;
}

/// `gtid` and `file` hold the texts that the result borrows.
SourceInfo source_of(const Json& source, std::string& gtid, std::string& file) {
  gtid = json_member<std::string>(source, "gtid").value_or("");
  file = source.at("file");
  SourceInfo info;
  info.time_us = source.at("ts_us");
  info.snapshot = marker_of(source.at("snapshot"));
  info.server_id = source.at("server_id");
  info.gtid = gtid;
  info.file = file;
  info.position = source.at("pos");
  info.row = source.at("row");
  return info;
}

/// What depends on the clock or on who wrote it.
void mask(Json& payload) {
  payload.erase("ts_ms");
  payload.at("source").erase("ts_ns");  // recorded to the nanosecond in snapshots
  payload.at("source").erase("version");
  // A streamed record has null; the recording's converter wrote the schema's default instead.
  if (Json& snapshot = payload.at("source").at("snapshot"); snapshot.is_null()) snapshot = "false";
}

TEST(GoldenEvents, SchemaChangeRecordsAreThoseOfDebezium) {
  size_t compared = 0;
  for (const GoldenCase& golden : golden_cases()) {
    std::vector<const Json*> recorded;
    for (const Json& record : golden.records) {
      if (record.at("value").is_object() && record.at("value").contains("payload") &&
          record.at("value").at("payload").is_object() && record.at("value").at("payload").contains("tableChanges"))
        recorded.push_back(&record);
    }
    // With other filters, or a history made anew, the two topics do not go together.
    if (recorded.size() != golden.history.size() || golden.name == "206-router-changed-fields") continue;
    Bench bench(golden.settings);
    for (size_t i = 0; i < recorded.size(); ++i) {
      Json wanted = recorded[i]->at("value").at("payload");
      if (wanted.at("ddl") != golden.history[i].at("ddl")) continue;
      std::string gtid, file;
      const SourceInfo source = source_of(wanted.at("source"), gtid, file);
      const SchemaChange change = change_of(golden.history[i], wanted);
      ASSERT_TRUE(bench.writer.schema_change(change, source).ok());
      const std::vector<sdk::OwnedRecord> records = bench.records();
      ASSERT_EQ(records.size(), 1U);
      const sdk::OwnedRecord& made = records[0];
      const bool renamed = std::any_of(change.changes.begin(), change.changes.end(),
                                       [](const TableChange& each) { return each.id == TableId{}; });
      Json payload = bench.payload(made.value, made.value_schema);
      mask(payload);
      mask(wanted);
      if (!renamed) {
        EXPECT_EQ(payload, wanted) << golden.name;
      }
      EXPECT_EQ(sorted(bench.schema(made.value_schema)),
                sorted(golden.schemas.at(recorded[i]->at("value").at("schema_ref").get<size_t>())));
      EXPECT_EQ(sorted(bench.schema(made.key_schema)),
                sorted(golden.schemas.at(recorded[i]->at("key").at("schema_ref").get<size_t>())));
      EXPECT_EQ(bench.payload(made.key, made.key_schema), recorded[i]->at("key").at("payload"));
      EXPECT_EQ(made.topic, recorded[i]->at("topic"));
      EXPECT_EQ(made.partition, 0);
      EXPECT_EQ(made.headers.size(), recorded[i]->at("headers").size()) << golden.name;
      ++compared;
    }
  }
  if (compared == 0) GTEST_SKIP() << "no recordings in " << golden_folder();
  RecordProperty("compared", static_cast<int>(compared));
}

TEST(GoldenEvents, SideRecordsHaveTheRecordedSchemas) {
  std::map<std::string, std::set<Sorted>> recorded;
  for (const GoldenCase& golden : golden_cases()) {
    for (const Json& schema : golden.schemas) {
      if (schema.is_object() && schema.contains("name")) recorded[schema.at("name")].insert(sorted(schema));
    }
  }
  if (recorded.empty()) GTEST_SKIP() << "no recordings in " << golden_folder();
  Bench bench(Settings{{"provide.transaction.metadata", "true"},
                       {"notification.enabled.channels", "log,sink"},
                       {"notification.sink.topic.name", "notes"}});
  ASSERT_TRUE(bench.writer.begin_transaction("0-1-7", 1).ok());
  ASSERT_TRUE(bench.writer.heartbeat(2).ok());
  ASSERT_TRUE(bench.writer.notification("n1", "Initial Snapshot", "STARTED", {}, 3).ok());
  for (const sdk::OwnedRecord& record : bench.records()) {
    for (const mr_schema_id id : {record.key_schema, record.value_schema}) {
      const Sorted schema = sorted(bench.schema(id));
      EXPECT_EQ(recorded[schema.at("name")], std::set<Sorted>{schema});
    }
  }
}

}  // namespace
}  // namespace millrace::mariadb::testing
