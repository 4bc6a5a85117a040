/// Field schemas against those that Debezium 3.5 gave: every table of every recorded case, planned from the definition
/// in its schema history. (How definitions come about is the concern of schema/.)
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "connectors/mariadb/types/types_testing.h"

namespace millrace::mariadb::testing {
namespace {

namespace fs = std::filesystem;

fs::path golden_folder() {
  if (const char* given = std::getenv("MILLRACE_GOLDEN"); given != nullptr) return fs::path(given) / "debezium-mariadb";
  const fs::path shared = fs::path(MILLRACE_SOURCE_DIR) / "../shared/golden/debezium-mariadb";
  return fs::exists(shared) ? shared : fs::path(MILLRACE_SOURCE_DIR) / "tests/golden/debezium-mariadb";
}

/// Where millrace does better, by the finding of golden/debezium-mariadb/README.md.
const std::map<std::string, std::string> kBetter = {
    {"067-types-ddl-synonyms-streamed syn_stream.y", "finding 11: FLOAT4 is a double whose values are all null"},
    {"065-defaults d1.b", "finding 16: the default of a BIGINT loses digits beyond 2^53, here only the clamp is kept"},
    {"065a-defaults-no-null-replacement d1.b", "finding 16, as above"},
};

template <class Value>
std::optional<Value> member(const Json& json, const char* key) {
  const auto at = json.find(key);
  if (at == json.end() || at->is_null()) return std::nullopt;
  return at->get<Value>();
}

/// 'it''s' to it's.
std::string unquoted(const std::string& label) {
  std::string out;
  for (size_t i = 1; i + 1 < label.size(); ++i) {
    out += label[i];
    if (label[i] == '\'') ++i;
  }
  return out;
}

ColumnDefinition definition_of(const Json& json) {
  ColumnDefinition column;
  column.name = json.at("name");
  column.jdbc_type = json.at("jdbcType");
  column.type_name = json.at("typeName");
  column.charset = member<std::string>(json, "charsetName");
  column.length = member<int32_t>(json, "length");
  column.scale = member<int32_t>(json, "scale");
  column.optional = json.at("optional");
  column.has_default = member<bool>(json, "hasDefaultValue").value_or(false);
  column.default_expression = member<std::string>(json, "defaultValueExpression");
  column.comment = member<std::string>(json, "comment");
  for (const std::string& label :
       member<std::vector<std::string>>(json, "enumValues").value_or(std::vector<std::string>()))
    column.enum_values.push_back(unquoted(label));
  return column;
}

std::vector<Json> lines_of(const fs::path& file) {
  std::vector<Json> lines;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) lines.push_back(Json::parse(line));
  return lines;
}

/// One recorded case: versions of its columns by "table.column", and the field schemas that were seen.
struct Case {
  std::string name;
  std::map<std::string, std::vector<std::pair<TableId, ColumnDefinition>>> definitions;
  std::map<std::string, std::set<nlohmann::json>> schemas;
  ValueOptions options;
};

void read_history(const Json& document, Case& read) {
  for (const Json& change : document.value("tableChanges", Json::array())) {
    const auto table = change.find("table");
    if (table == change.end() || table->is_null()) continue;
    const std::string id = change.at("id");  // "db"."table"
    const size_t dot = id.find("\".\"");
    if (dot == id.npos) continue;
    const TableId table_id{id.substr(1, dot - 1), id.substr(dot + 3, id.size() - dot - 4)};
    for (const Json& column : table->at("columns"))
      read.definitions[table_id.table + "." + std::string(column.at("name"))].emplace_back(table_id,
                                                                                           definition_of(column));
  }
}

void read_envelope(const std::string& topic, const Json& schema, Case& read) {
  const auto fields = schema.find("fields");
  if (fields == schema.end() || fields->empty() || fields->front().value("field", "") != "before") return;
  const std::string table = topic.substr(topic.rfind('.') + 1);
  for (nlohmann::json field : fields->front().at("fields")) {
    const std::string name = field.at("field");
    field.erase("field");
    read.schemas[table + "." + name].insert(field);
  }
}

Case read_case(const fs::path& folder) {
  Case read;
  read.name = folder.filename();
  const Json connector = Json::parse(std::ifstream(folder / "connector.json"));
  Settings settings;
  for (const auto& [key, value] : connector.at("config").items()) settings.emplace_back(key, value);
  read.options = options_of(settings);
  const Json schemas = Json::parse(std::ifstream(folder / "schemas.json"));
  for (const Json& record : lines_of(folder / "expected.jsonl")) {
    const Json& value = record.at("value");
    if (value.is_null()) continue;
    const std::string topic = record.at("topic");
    if (topic.starts_with("hist.") && value.contains("json")) read_history(value.at("json"), read);
    if (value.contains("schema_ref") && !value.at("schema_ref").is_null())
      read_envelope(topic, schemas.at(value.at("schema_ref").get<size_t>()), read);
  }
  return read;
}

/// The recorded schemas that no version of the definition leads to, beside what it leads to.
std::string differences(const Case& read, const std::string& column, size_t& compared) {
  const auto known = read.definitions.find(column);
  if (known == read.definitions.end()) return {};  // a renamed field, or a history that was not recorded
  std::set<nlohmann::json> made;
  for (const auto& [table, definition] : known->second) {
    Result<ColumnPlan> plan = ColumnPlan::make(table, definition, nullptr, read.options);
    if (!plan.ok()) return plan.status().message();
    made.insert(nlohmann::json(schema_json(plan->schema())));
  }
  std::string text;
  for (const nlohmann::json& schema : read.schemas.at(column)) {
    ++compared;
    if (made.count(schema) != 0) continue;
    text += "\n  recorded " + schema.dump();
    for (const nlohmann::json& mine : made) text += "\n  made     " + mine.dump();
  }
  return text;
}

TEST(GoldenSchemas, AreThoseOfDebezium) {
  const fs::path folder = golden_folder();
  if (!fs::exists(folder)) GTEST_SKIP() << "no recordings at " << folder;
  size_t compared = 0;
  std::set<std::string> better;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (!fs::exists(entry.path() / "schemas.json")) continue;
    const std::string name = entry.path().filename();
    if (name.starts_with("272-") || name.starts_with("300-")) continue;  // Java plug-ins; not a connector's records
    const Case read = read_case(entry.path());
    for (const auto& [column, schemas] : read.schemas) {
      const std::string key = read.name + " " + column, text = differences(read, column, compared);
      if (kBetter.count(key) != 0) {
        EXPECT_NE(text, "") << key << " is listed as different: " << kBetter.at(key);
        better.insert(key);
      } else {
        EXPECT_EQ(text, "") << key;
      }
    }
  }
  if (compared == 0) GTEST_SKIP() << "no recordings of tables in " << folder;
  RecordProperty("compared", static_cast<int>(compared));
  std::cout << compared << " field schemas compared, " << better.size() << " better\n";
}

}  // namespace
}  // namespace millrace::mariadb::testing
