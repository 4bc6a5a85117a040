/// One recorded case of golden/debezium-mariadb, read for the tests of events/.
#pragma once

#include <map>

#include "connectors/mariadb/events/events_testing.h"

namespace millrace::mariadb::testing {

struct GoldenCase {
  std::string name;
  Settings settings;
  Json schemas;
  std::vector<Json> records;                               ///< all but the schema history
  std::vector<Json> history;                               ///< its documents
  std::map<TableId, std::vector<TableDefinition>> tables;  ///< versions, as the history tells them

  static std::optional<GoldenCase> read(const std::filesystem::path& folder);
};

template <class Value>
std::optional<Value> json_member(const Json& json, const char* key) {
  const auto at = json.find(key);
  if (at == json.end() || at->is_null()) return std::nullopt;
  return at->get<Value>();
}

/// 'it''s' to it's.
inline std::string unquoted_label(const std::string& label) {
  std::string out;
  for (size_t i = 1; i + 1 < label.size(); ++i) {
    out += label[i];
    if (label[i] == '\'') ++i;
  }
  return out;
}

inline ColumnDefinition column_of(const Json& json) {
  ColumnDefinition made;
  made.name = json.at("name");
  made.jdbc_type = json.at("jdbcType");
  made.type_name = json.at("typeName");
  made.type_expression = json_member<std::string>(json, "typeExpression").value_or("");
  made.charset = json_member<std::string>(json, "charsetName");
  made.length = json_member<int32_t>(json, "length");
  made.scale = json_member<int32_t>(json, "scale");
  made.position = json.at("position");
  made.optional = json.at("optional");
  made.auto_incremented = json.at("autoIncremented");
  made.generated = json.at("generated");
  made.has_default = json_member<bool>(json, "hasDefaultValue").value_or(false);
  made.default_expression = json_member<std::string>(json, "defaultValueExpression");
  made.comment = json_member<std::string>(json, "comment");
  for (const std::string& label :
       json_member<std::vector<std::string>>(json, "enumValues").value_or(std::vector<std::string>()))
    made.enum_values.push_back(unquoted_label(label));
  return made;
}

/// "db"."table"
inline std::optional<TableId> table_id_of(const std::string& text) {
  const size_t dot = text.find("\".\"");
  if (dot == text.npos || text.find(',') != text.npos) return std::nullopt;
  return TableId{text.substr(1, dot - 1), text.substr(dot + 3, text.size() - dot - 4)};
}

inline TableDefinition table_of(const TableId& id, const Json& change) {
  const Json& json = change.at("table");
  TableDefinition made;
  made.id = id;
  made.default_charset = json_member<std::string>(json, "defaultCharsetName");
  made.primary_key = json.at("primaryKeyColumnNames").get<std::vector<std::string>>();
  for (const Json& each : json.at("columns")) made.columns.push_back(column_of(each));
  made.comment = json_member<std::string>(change, "comment");
  return made;
}

inline std::optional<GoldenCase> GoldenCase::read(const std::filesystem::path& folder) {
  if (!std::filesystem::exists(folder / "schemas.json")) return std::nullopt;
  GoldenCase read;
  read.name = folder.filename();
  const Json connector = Json::parse(std::ifstream(folder / "connector.json"));
  for (const auto& [key, value] : connector.at("config").items()) read.settings.emplace_back(key, value);
  read.schemas = Json::parse(std::ifstream(folder / "schemas.json"));
  std::ifstream in(folder / "expected.jsonl");
  for (std::string line; std::getline(in, line);) {
    Json record = Json::parse(line);
    if (!std::string(record.at("topic")).starts_with("hist.")) {
      read.records.push_back(std::move(record));
      continue;
    }
    if (!record.at("value").is_object() || !record.at("value").contains("json")) continue;
    for (const Json& change : record.at("value").at("json").value("tableChanges", Json::array())) {
      const auto table = change.find("table");
      const std::optional<TableId> id = table_id_of(change.at("id"));
      if (id.has_value() && table != change.end() && !table->is_null())
        read.tables[*id].push_back(table_of(*id, change));
    }
    read.history.push_back(record.at("value").at("json"));
  }
  return read;
}

/// Every readable case, in order of name.
inline std::vector<GoldenCase> golden_cases() {
  std::vector<GoldenCase> cases;
  std::error_code missing;
  for (const auto& entry : std::filesystem::directory_iterator(golden_folder(), missing)) {
    const std::string name = entry.path().filename();
    // Java plug-ins; values that are no records of a connector.
    if (name.starts_with("272-") || name.starts_with("300-")) continue;
    if (std::optional<GoldenCase> read = GoldenCase::read(entry.path()); read.has_value())
      cases.push_back(std::move(*read));
  }
  std::sort(cases.begin(), cases.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return cases;
}

}  // namespace millrace::mariadb::testing
