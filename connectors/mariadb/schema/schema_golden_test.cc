// Feeds the statements that Debezium recorded in its schema history and schema change topics to the registry, and
// compares what the registry makes of them with what was recorded (golden/debezium-mariadb). Without the recordings:
// skipped.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "connectors/mariadb/schema/history/history_json.h"
#include "connectors/mariadb/schema/history/history_record.h"

namespace millrace::mariadb {
namespace {

namespace fs = std::filesystem;

fs::path root() {
  if (const char* given = std::getenv("MILLRACE_GOLDEN"); given != nullptr) return fs::path(given) / "debezium-mariadb";
  const fs::path shared = fs::path(MILLRACE_SOURCE_DIR) / "../shared/golden/debezium-mariadb";
  return fs::exists(shared) ? shared : fs::path(MILLRACE_SOURCE_DIR) / "tests/golden/debezium-mariadb";
}

/// Where the registry does better than what was recorded. Each must differ still, and must be met.
struct Exception {
  std::string_view folder, ddl_begins, reason;
};
constexpr Exception kExceptions[] = {
    {"130-", "ALTER TABLE d ADD COLUMN IF NOT EXISTS gg",
     "the column exists: Debezium overwrites its type, the server does nothing"},
    {"134-", "CREATE OR REPLACE DATABASE", "finding 5: not in Debezium's grammar"},
    {"135-", "CREATE OR REPLACE DATABASE", "finding 5: not in Debezium's grammar"},
    {"135-", "CREATE TABLE h1", "finding 5: VARCHAR(n) BYTE"},
    {"135-", "CREATE TABLE h2", "finding 5: INET4"},
    {"135-", "CREATE TABLE h3", "finding 5: INET6"},
    {"135-", "CREATE TABLE h6", "finding 5: COMPRESSED"},
    {"135-", "ALTER TABLE d RENAME COLUMN IF EXISTS nocol", "finding 5: of a missing column; recorded twice"},
    {"136-", "CREATE OR REPLACE TABLE d", "finding 6: Debezium keeps the old columns"},
};

/// Statements that Debezium followed without recording them: the table left the filter and came back.
struct Unrecorded {
  std::string_view folder, before, ddl;
};
constexpr Unrecorded kUnrecorded[] = {
    {"131-", "ALTER TABLE dd RENAME TO d", "ALTER TABLE d RENAME TO dd"},
};

struct Recorded {
  std::string database, ddl, source_table;
  bool null_source_table = true;
  Json changes;
};

struct Case {
  fs::path folder;
  std::string prefix;
  std::vector<Recorded> history, changes;
};

Case read_case(const fs::path& folder) {
  Case recorded{.folder = folder, .prefix = {}, .history = {}, .changes = {}};
  std::ifstream connector(folder / "connector.json");
  recorded.prefix = Json::parse(connector)["config"]["topic.prefix"];
  std::ifstream lines(folder / "expected.jsonl");
  for (std::string line; std::getline(lines, line);) {
    const bool history = line.starts_with(R"({"topic":"hist.)");
    if (!history && !line.starts_with(R"({"topic":")" + recorded.prefix + "\"")) continue;
    const Json record = Json::parse(line);
    const Json& value = record["value"].contains("json") ? record["value"]["json"] : record["value"]["payload"];
    Recorded entry;
    entry.database = value["databaseName"].is_null() ? "" : value["databaseName"].get<std::string>();
    entry.ddl = value["ddl"];
    entry.changes = value["tableChanges"];
    if (!history && !value["source"]["table"].is_null()) {
      entry.null_source_table = false;
      entry.source_table = value["source"]["table"];
    }
    (history ? recorded.history : recorded.changes).push_back(std::move(entry));
  }
  return recorded;
}

class Replay {
 public:
  Replay(const Case& recorded, std::set<const Exception*>& met) : case_(recorded), met_(met) {
    std::ifstream file(recorded.folder / "case.json");
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    registry_.set_case_insensitive(text.find("lower_case_table_names") != std::string::npos);
  }

  void run(const Recorded& entry, bool history) {
    for (const Unrecorded& statement : kUnrecorded)
      if (name().starts_with(statement.folder) && entry.ddl == statement.before)
        registry_.apply(entry.database, statement.ddl);
    const DdlResult result = registry_.apply(entry.database, entry.ddl);
    SCOPED_TRACE(name() + (history ? " history: " : " changes: ") + entry.ddl);
    Json expected = Json::array(), made = Json::array();
    for (const Json& change : entry.changes) expected.push_back(normal(change, history));
    for (const SchemaChange& change : result.changes)
      for (const TableChange& table : change.changes) made.push_back(normal(table_change_json(table), history));
    if (const Exception* exception = exception_of(entry)) {
      const bool same_source = history || (result.changes.size() == 1 && same_source_table(result.changes[0], entry));
      if (made != expected || !same_source) met_.insert(exception);
      return take(entry);
    }
    EXPECT_EQ(made.dump(1), expected.dump(1));
    EXPECT_TRUE(result.unknown.empty() || entry.changes.empty()) << result.unknown.front().full();
    ASSERT_EQ(result.changes.size(), 1u);
    EXPECT_EQ(result.changes[0].database, entry.database);
    EXPECT_EQ(result.changes[0].ddl, entry.ddl);
    // The tables of a statement on several are only known with the whole statement (schema_registry_test).
    if (!history && entry.source_table.find(',') == std::string::npos) {
      EXPECT_TRUE(same_source_table(result.changes[0], entry))
          << "'" << result.changes[0].source_table << "' for '" << entry.source_table << "'";
    }
    take(entry);
  }

 private:
  /// The schema change topic has fewer and other fields: what both say is compared.
  static Json normal(const Json& json, bool history) {
    if (history) return json;
    std::optional<TableChange> change = table_change_of(json);
    EXPECT_TRUE(change.has_value());
    if (!change) return {};
    change->previous_id.reset();
    if (change->table)
      for (ColumnDefinition& column : change->table->columns)
        column.has_default = column.optional || column.default_expression;
    return table_change_json(*change);
  }

  std::string name() const { return case_.folder.filename().string(); }

  static bool same_source_table(const SchemaChange& made, const Recorded& entry) {
    const bool null = made.source_table.empty() && !made.blank_source_table;
    return made.source_table == entry.source_table && null == entry.null_source_table;
  }

  const Exception* exception_of(const Recorded& entry) const {
    for (const Exception& exception : kExceptions)
      if (name().starts_with(exception.folder) && entry.ddl.starts_with(exception.ddl_begins)) return &exception;
    return nullptr;
  }

  /// Goes on from what was recorded, so that one difference stays one.
  void take(const Recorded& entry) {
    for (const Json& json : entry.changes) {
      const std::optional<TableChange> change = table_change_of(json);
      if (change && change->table) registry_.put(*change->table);
    }
  }

  const Case& case_;
  std::set<const Exception*>& met_;
  SchemaRegistry registry_;
};

TEST(SchemaGolden, EveryRecordedStatement) {
  if (!fs::exists(root())) GTEST_SKIP() << "no recordings at " << root();
  std::set<const Exception*> met;
  std::vector<std::string> folders;
  size_t cases = 0, statements = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(root())) {
    if (!fs::exists(entry.path() / "expected.jsonl")) continue;
    const Case recorded = read_case(entry.path());
    ++cases;
    folders.push_back(entry.path().filename());
    for (const bool history : {true, false}) {
      Replay replay(recorded, met);
      for (const Recorded& statement : history ? recorded.history : recorded.changes) {
        replay.run(statement, history);
        ++statements;
      }
    }
  }
  EXPECT_GT(cases, 0u);
  EXPECT_GT(statements, 0u);
  RecordProperty("statements", static_cast<int>(statements));
  for (const Exception& exception : kExceptions) {
    // The repository has a selection of the recordings.
    if (std::none_of(folders.begin(), folders.end(),
                     [&](const std::string& folder) { return folder.starts_with(exception.folder); })) {
      continue;
    }
    EXPECT_TRUE(met.contains(&exception)) << exception.ddl_begins << " does not differ any more: " << exception.reason;
  }
}

TEST(SchemaGolden, HistoryRecordsSurviveReadingAndWriting) {
  if (!fs::exists(root())) GTEST_SKIP() << "no recordings at " << root();
  size_t records = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(root())) {
    std::ifstream lines(entry.path() / "expected.jsonl");
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with(R"({"topic":"hist.)")) continue;
      Json document = Json::parse(line)["value"]["json"];
      document["position"].erase("transaction_id");  // not ours to keep: it begins anew
      const Result<HistoryRecord> record = parse_history(document.dump());
      ASSERT_TRUE(record.ok()) << record.status().message();
      EXPECT_EQ(Json::parse(history_json(record.value())).dump(1), document.dump(1));
      ++records;
    }
  }
  EXPECT_GT(records, 0u);
}

}  // namespace
}  // namespace millrace::mariadb
