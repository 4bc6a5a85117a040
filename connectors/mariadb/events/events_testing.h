/// What the tests of events/ share: a writer with a fake worker, records as JSON, the recorded cases.
#pragma once

#include <millrace/testing.hpp>

#include <filesystem>
#include <fstream>

#include "connectors/mariadb/events/event_rules.h"
#include "connectors/mariadb/events/event_writer.h"
#include "connectors/mariadb/events/table_events.h"
#include "connectors/mariadb/types/types_testing.h"

namespace millrace::mariadb::testing {

/// Holds the texts that a Config borrows its pairs from while it is made.
inline sdk::Config config_of(const Settings& settings) {
  std::vector<mr_pair> pairs;
  for (const auto& [key, value] : settings) pairs.push_back({sdk::to_mr(key), sdk::to_mr(value)});
  return sdk::Config(mr_config{pairs.data(), pairs.size()}, {});
}

inline Result<EventOptions> parse_events(Settings settings) {
  settings.insert(settings.begin(), {"topic.prefix", "srv"});
  return EventOptions::parse(config_of(settings));
}

inline EventOptions events_of(const Settings& settings = {}) {
  Result<EventOptions> parsed = parse_events(settings);
  EXPECT_TRUE(parsed.ok()) << (parsed.ok() ? "" : parsed.status().message());
  return parsed.ok() ? parsed.value() : EventOptions();
}

/// Offsets that count: {"n": 1}, {"n": 2}, …
class CountingOffsets : public OffsetProvider {
 public:
  mr_value offset(connectors::ByteArena& arena) override {
    mr_value* items = arena.values(2);
    items[0] = sdk::string_value("n");
    items[1] = sdk::int_value(MR_INT64, ++count_);
    return sdk::map_value({items, 2});
  }
  mr_value partition() override {
    partition_[0] = sdk::string_value("server");
    partition_[1] = sdk::string_value("srv");
    return sdk::map_value(partition_);
  }

 private:
  int64_t count_ = 0;
  mr_value partition_[2] = {};
};

/// A writer and the worker it emits to.
struct Bench {
  explicit Bench(const Settings& settings = {})
      : context((sdk::detail::host = &sdk::FakeHost::table(), host.context()), &config),
        writer(context, events_of(settings), options_of(settings), offsets) {}

  TableEvents& table(const TableDefinition& definition, const TableMap* map = nullptr) {
    Result<TableEvents*> made = writer.table(definition, map);
    EXPECT_TRUE(made.ok()) << (made.ok() ? "" : made.status().message());
    return *made.value();
  }
  std::vector<sdk::OwnedRecord> records() {
    EXPECT_TRUE(writer.flush().ok());
    return host.take_records();
  }
  mr_schema_id field_schema(mr_schema_id id, size_t field) const {
    const mr_schema* schema = host.describe(id);
    return schema == nullptr || field >= schema->field_count ? 0 : schema->fields[field].schema;
  }
  Json schema(mr_schema_id id) const;
  /// As JsonConverter writes it without envelope: structs are objects.
  Json payload(const mr_value& value, mr_schema_id schema) const;
  Json payload(const sdk::OwnedValue& value, mr_schema_id schema) const { return payload(value.get(), schema); }

  sdk::FakeHost host;
  sdk::Config config;
  sdk::SourceContext context;
  CountingOffsets offsets;
  EventWriter writer;
};

inline Json Bench::schema(mr_schema_id id) const {
  constexpr const char* kTypes[] = {"",       "boolean", "int8",  "int16", "int32", "int64", "float",
                                    "double", "string",  "bytes", "array", "map",   "struct"};
  const mr_schema* schema_of = host.describe(id);
  if (schema_of == nullptr) return nullptr;
  Json json = {{"type", kTypes[schema_of->type]}, {"optional", schema_of->optional != 0}};
  for (size_t i = 0; i < schema_of->field_count; ++i) {
    Json member = schema(schema_of->fields[i].schema);
    member["field"] = sdk::view(schema_of->fields[i].name);
    json["fields"].push_back(member);
  }
  if (schema_of->type == MR_STRUCT && schema_of->field_count == 0) json["fields"] = Json::array();
  if (schema_of->type == MR_ARRAY) json["items"] = schema(schema_of->value_schema);
  if (schema_of->type == MR_MAP) {
    json["keys"] = schema(schema_of->key_schema);
    json["values"] = schema(schema_of->value_schema);
  }
  if (schema_of->name.data != nullptr) json["name"] = sdk::view(schema_of->name);
  if (schema_of->has_version != 0) json["version"] = schema_of->version;
  if (schema_of->doc.data != nullptr) json["doc"] = sdk::view(schema_of->doc);
  for (size_t i = 0; i < schema_of->parameter_count; ++i)
    json["parameters"][std::string(sdk::view(schema_of->parameters[i].key))] =
        sdk::view(schema_of->parameters[i].value);
  if (schema_of->has_default != 0) json["default"] = value_json(schema_of->default_value);
  return json;
}

inline Json Bench::payload(const mr_value& value, mr_schema_id id) const {
  const mr_schema* schema_of = host.describe(id);
  if (schema_of == nullptr || value.kind == MR_NULL) return value_json(value);
  if (value.kind == MR_STRUCT) {
    Json object = Json::object();
    EXPECT_EQ(value.size, schema_of->field_count);
    for (uint32_t i = 0; i < value.size; ++i)
      object[std::string(sdk::view(schema_of->fields[i].name))] =
          payload(value.u.items[i], schema_of->fields[i].schema);
    return object;
  }
  if (value.kind == MR_ARRAY) {
    Json list = Json::array();
    for (uint32_t i = 0; i < value.size; ++i) list.push_back(payload(value.u.items[i], schema_of->value_schema));
    return list;
  }
  if (value.kind == MR_MAP) {
    Json object = Json::object();
    for (uint32_t i = 0; i < value.size; ++i)
      object[std::string(value.u.items[2 * i].u.bytes, value.u.items[2 * i].size)] =
          payload(value.u.items[2 * i + 1], schema_of->value_schema);
    return object;
  }
  return value_json(value);
}

// ---- tables

inline ColumnDefinition column(std::string name, std::string type, bool optional = true) {
  ColumnDefinition made;
  made.name = std::move(name);
  made.type_name = std::move(type);
  made.optional = optional;
  if (made.type_name == "VARCHAR" || made.type_name == "CHAR") made.charset = "utf8mb4";
  return made;
}

/// id INT key, name VARCHAR, qty INT.
inline TableDefinition orders() {
  TableDefinition table;
  table.id = {"shop", "orders"};
  table.columns = {column("id", "INT", false), column("name", "VARCHAR"), column("qty", "INT")};
  table.primary_key = {"id"};
  return table;
}

/// `name` is borrowed.
inline std::vector<Cell> order(int64_t id, std::string_view name, int64_t qty) {
  return {number(id), text(name), number(qty)};
}

// ---- recordings

inline std::filesystem::path golden_folder() {
  namespace fs = std::filesystem;
  if (const char* given = std::getenv("MILLRACE_GOLDEN"); given != nullptr) return fs::path(given) / "debezium-mariadb";
  const fs::path shared = fs::path(MILLRACE_SOURCE_DIR) / "../shared/golden/debezium-mariadb";
  return fs::exists(shared) ? shared : fs::path(MILLRACE_SOURCE_DIR) / "tests/golden/debezium-mariadb";
}

}  // namespace millrace::mariadb::testing
