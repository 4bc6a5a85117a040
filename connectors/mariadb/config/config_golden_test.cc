/// The option table and the answers to faulty settings, against those recorded of Debezium (case 300). The copy in
/// tests/golden is without the documentation texts.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "connectors/mariadb/config/check_config.h"

namespace millrace::mariadb {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using Settings = std::map<std::string, std::string>;
using Errors = std::map<std::string, std::set<std::string>>;

fs::path folder() {
  const char* given = std::getenv("MILLRACE_GOLDEN");
  const fs::path root = given != nullptr ? fs::path(given) : fs::path(MILLRACE_SOURCE_DIR) / "tests/golden";
  return root / "debezium-mariadb/300-config-validation";
}

Json read(const char* name) {
  std::ifstream file(folder() / name);
  return Json::parse(file);
}

std::string type_name(sdk::Type type) {
  constexpr const char* kNames[] = {"BOOLEAN", "STRING", "INT", "SHORT", "LONG", "DOUBLE", "LIST", "CLASS", "PASSWORD"};
  return kNames[static_cast<size_t>(type)];
}
std::string importance_name(sdk::Importance importance) {
  constexpr const char* kNames[] = {"HIGH", "MEDIUM", "LOW"};
  return kNames[static_cast<size_t>(importance)];
}
std::string width_name(sdk::Width width) {
  constexpr const char* kNames[] = {"NONE", "SHORT", "MEDIUM", "LONG"};
  return kNames[static_cast<size_t>(width)];
}

Json described(const sdk::ConfigKey& key) {
  return {{"name", key.name},
          {"type", type_name(key.type)},
          {"required", key.default_value.required()},
          {"default_value", key.default_value.present() ? Json(key.default_value.text()) : Json()},
          {"importance", importance_name(key.importance)},
          {"group", key.group},
          {"order", key.order},
          {"width", width_name(key.width)},
          {"display_name", key.display_name},
          {"dependents", std::vector<std::string>(key.dependents.begin(), key.dependents.end())}};
}

TEST(ConfigGolden, TheOptionTableIsDebeziums) {
  // The worker defines these for all connectors.
  const std::set<std::string> common = {"Common",         "Transforms",           "Predicates",   "Error Handling",
                                        "Topic Creation", "Exactly Once Support", "offsets.topic"};
  std::vector<Json> recorded;
  for (Json entry : read("config-def.json")) {
    if (common.contains(entry.at("group").get<std::string>())) continue;
    entry.erase("documentation");
    entry.erase("recommended_values");  // the plugin table has no place for them
    recorded.push_back(std::move(entry));
  }
  ASSERT_EQ(recorded.size(), 116u);
  size_t next = 0;
  for (const sdk::ConfigKey& key : mariadb_options()) {
    EXPECT_FALSE(key.documentation.empty()) << key.name;
    if (next < recorded.size() && recorded[next].at("name") == key.name) {
      EXPECT_EQ(described(key), recorded[next]);
      ++next;
    }
  }
  EXPECT_EQ(next, recorded.size()) << "out of order or missing from " << recorded[std::min<size_t>(next, 115)];
}

TEST(ConfigGolden, NoOptionIsDefinedTwice) {
  for (const Dialect dialect : {Dialect::kMariaDb, Dialect::kMySql}) {
    std::set<std::string_view> names;
    std::set<std::pair<std::string_view, int>> places;
    for (const sdk::ConfigKey& key : options_of(dialect)) {
      EXPECT_TRUE(names.insert(key.name).second) << key.name;
      EXPECT_TRUE(places.insert({key.group, key.order}).second) << key.name;
    }
  }
}

Settings settings_of(const std::string& test, const Json& base) {
  Settings settings;
  if (test == "empty") return {{"connector.class", std::string(kMariaDbConnector)}, {"name", "v"}};
  for (const auto& [key, value] : base.items()) settings[key] = value.get<std::string>();
  const std::map<std::string, Settings> named = {
      {"minimal", {}},
      {"both table lists", {{"table.include.list", "a.b"}, {"table.exclude.list", "c.d"}}},
      {"both db lists", {{"database.include.list", "a"}, {"database.exclude.list", "b"}}},
      {"both column lists", {{"column.include.list", "a.b.c"}, {"column.exclude.list", "a.b.d"}}},
      {"batch>queue", {{"max.batch.size", "500"}, {"max.queue.size", "400"}}},
      {"gtid both", {{"gtid.source.includes", "a"}, {"gtid.source.excludes", "b"}}},
      {"sink without topic", {{"notification.enabled.channels", "sink"}}},
      {"kafka signal without topic", {{"signal.enabled.channels", "source,kafka"}}}};
  if (const auto at = named.find(test); at != named.end()) {
    for (const auto& [key, value] : at->second) settings[key] = value;
  } else if (test.starts_with("without ")) {
    settings.erase(test.substr(8));
  } else {
    const size_t equals = test.find('=');
    EXPECT_NE(equals, std::string::npos) << test;
    settings[test.substr(0, equals)] = test.substr(equals + 1);
  }
  return settings;
}

Errors errors_of(const Settings& settings) {
  std::vector<mr_pair> pairs;
  for (const auto& [key, value] : settings) pairs.push_back({sdk::to_mr(key), sdk::to_mr(value)});
  Errors errors;
  const sdk::Config config({pairs.data(), pairs.size()}, mariadb_options());
  for (const auto& entry : check_config(Dialect::kMariaDb, config).errors) errors[entry.key].insert(entry.message);
  return errors;
}

/// The worker checks types before it asks the connector, in Connect's words.
const std::set<std::string> kWorkersOwn = {"tasks.max=0",
                                           "database.port=abc",
                                           "database.server.id=x",
                                           "heartbeat.interval.ms=x",
                                           "incremental.snapshot.chunk.size=x",
                                           "provide.transaction.metadata=x"};
/// Need a server: see validate_integration_test.cc.
const std::set<std::string> kConnecting = {"without database.password",
                                           "without database.port",
                                           "database.port=0",
                                           "database.port=-1",
                                           "database.port=70000",
                                           "database.ssl.mode=verify-full",
                                           "database.hostname=127.0.0.2",
                                           "database.password=wrong"};
/// On purpose otherwise: whether we refuse.
const std::map<std::string, bool> kBetter = {
    {"snapshot.mode=schema_only", false},           // an older name, understood
    {"database.ssl.mode=preferred", false},         // MySQL's words are understood
    {"database.server.id=4294967296", true},        // Java makes it 0
    {"binary.handling.mode=bogus", true},           // recorded as unchecked, to be done better
    {"topic.naming.strategy=no.such.Class", true},  // the same
    {"signal.enabled.channels=bogus", true},        // the same
    {"notification.enabled.channels=bogus", true},  // the same
    {"converters=c", true},                         // the same
};

TEST(ConfigGolden, FaultySettingsAreToldInTheSameWords) {
  const Json base = read("base-config.json");
  std::ifstream file(folder() / "validation.jsonl");
  int cases = 0;
  for (std::string line; std::getline(file, line); ++cases) {
    const Json recorded = Json::parse(line);
    const std::string test = recorded.at("test");
    SCOPED_TRACE(test);
    if (kWorkersOwn.contains(test)) continue;
    Errors wanted;
    for (const auto& [key, messages] : recorded.at("errors").items()) {
      for (const Json& message : messages) wanted[key].insert(message.get<std::string>());
    }
    const Errors told = errors_of(settings_of(test, base));
    if (kConnecting.contains(test)) {
      EXPECT_TRUE(told.empty());
    } else if (const auto at = kBetter.find(test); at != kBetter.end()) {
      EXPECT_NE(wanted.empty(), told.empty());
      EXPECT_EQ(told.empty(), !at->second);
    } else {
      EXPECT_EQ(told, wanted);
    }
  }
  EXPECT_EQ(cases, 91);
}

}  // namespace
}  // namespace millrace::mariadb
