// What Kafka Connect answered to validation requests and as option lists, from the connect-rest recordings.
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "runtime/connector_config.h"
#include "runtime/fake_plugin.h"
#include "runtime/validation.h"

namespace millrace {
namespace {

using Json = nlohmann::json;

std::filesystem::path golden_root() {
  if (const char* configured = std::getenv("MILLRACE_GOLDEN")) return configured;
  const std::filesystem::path shared = std::filesystem::path(MILLRACE_SOURCE_DIR) / "../shared/golden";
  return std::filesystem::exists(shared) ? shared : std::filesystem::path(MILLRACE_SOURCE_DIR) / "tests/golden";
}

std::optional<Json> read_scenario(const char* name) {
  std::ifstream file(golden_root() / "connect-rest" / name);
  if (!file) return {};
  return Json::parse(file);
}

/// The components that the recorded requests name: the built-in ones, and stand-ins for those of them that this build
/// does not have.
class GoldenCatalog final : public ComponentCatalog {
 public:
  std::string_view find(ComponentKind kind, std::string_view name) const override {
    if (const std::string_view found = built_in_.find(kind, name); !found.empty()) return found;
    for (const std::string_view full : stand_ins(kind)) {
      if (full == name || full.substr(full.rfind('.') + 1) == name) return full;
    }
    return {};
  }
  std::vector<std::string_view> classes(ComponentKind kind) const override {
    std::vector<std::string_view> all = built_in_.classes(kind);
    for (const std::string_view each : stand_ins(kind)) {
      if (std::ranges::find(all, each) == all.end()) all.push_back(each);
    }
    return all;
  }
  const ConfigDef* options(ComponentKind kind, std::string_view class_name) const override {
    if (const ConfigDef* found = built_in_.options(kind, class_name)) return found;
    if (class_name == kHoist || class_name == kHoistKey) return &hoist_;
    if (class_name == kRouter) return &router_;
    if (class_name == kFilter) return &filter_;
    if (class_name == kTopicMatches) return &topic_matches_;
    return nullptr;
  }

 private:
  static std::vector<std::string_view> stand_ins(ComponentKind kind) {
    if (kind == ComponentKind::kTransformation) return {kFilter, kHoistKey, kHoist, kRouter};
    if (kind == ComponentKind::kPredicate) return {kTopicMatches};
    return {};
  }
  static constexpr std::string_view kFilter = "org.apache.kafka.connect.transforms.Filter";
  static constexpr std::string_view kHoistKey = "org.apache.kafka.connect.transforms.HoistField$Key";
  static constexpr std::string_view kHoist = "org.apache.kafka.connect.transforms.HoistField$Value";
  static constexpr std::string_view kRouter = "org.apache.kafka.connect.transforms.RegexRouter";
  static constexpr std::string_view kTopicMatches = "org.apache.kafka.connect.transforms.predicates.TopicNameMatches";
  BuiltInComponents built_in_;
  ConfigDef hoist_ = *ConfigDef::create({{.name = "field"}});
  ConfigDef router_ = *ConfigDef::create(
      {{.name = "regex", .importance = ConfigImportance::kHigh, .validator = validators::text_check(check_topic_regex)},
       {.name = "replacement", .importance = ConfigImportance::kHigh}});
  ConfigDef filter_ = *ConfigDef::create({});
  ConfigDef topic_matches_ = *ConfigDef::create({{.name = "pattern", .validator = regex_not_null()}});
  static ConfigValidator regex_not_null() {
    return [](std::string_view key, const ConfigValue& value) -> std::optional<std::string> {
      const auto* text = std::get_if<std::string>(&value);
      if (text != nullptr && !check_topic_regex(*text)) return {};
      return invalid_config_value(key, value, "Invalid regex: no pattern");
    };
  }
};

Json or_null(const std::optional<std::string>& text) { return text ? Json(*text) : Json(); }

Json to_json(const ConfigKeyInfo& key) {
  return {{"name", key.name},
          {"type", key.type},
          {"required", key.required},
          {"default_value", or_null(key.default_value)},
          {"importance", key.importance},
          {"group", or_null(key.group)},
          {"width", key.width},
          {"display_name", key.display_name},
          {"dependents", key.dependents},
          {"order", key.order}};
}

Json to_json(const ConfigInfos& infos) {
  Json configs = Json::array();
  for (const ConfigInfo& info : infos.configs) {
    const ConfigValueInfo& value = info.value;
    configs.push_back({{"definition", info.definition ? to_json(*info.definition) : Json()},
                       {"value",
                        {{"name", value.name},
                         {"value", or_null(value.value)},
                         {"recommended_values", value.recommended_values},
                         {"errors", value.errors},
                         {"visible", value.visible}}}});
  }
  return {{"name", infos.name}, {"error_count", infos.error_count}, {"groups", infos.groups}, {"configs", configs}};
}

/// Whether all of `expected` is in `actual`; a text that ends in … is the beginning of another.
bool contains(const Json& actual, const Json& expected) {
  if (expected.is_object()) {
    if (!actual.is_object()) return false;
    for (const auto& [key, value] : expected.items()) {
      if (key != "documentation" && (!actual.contains(key) || !contains(actual[key], value))) return false;
    }
    return true;
  }
  if (expected.is_array()) {
    const auto has = [&](const Json& element) {
      return std::any_of(actual.begin(), actual.end(), [&](const Json& other) { return contains(other, element); });
    };
    return actual.is_array() && (!expected.empty() || actual.empty()) &&
           std::all_of(expected.begin(), expected.end(), has);
  }
  if (expected.is_string() && expected.get<std::string>().ends_with(" …")) {
    const auto start = expected.get<std::string>();
    return actual.is_string() &&
           actual.get<std::string>().starts_with(start.substr(0, start.size() - std::string_view(" …").size()));
  }
  return actual == expected;
}

RawConfig to_config(const Json& body) {
  RawConfig config;
  for (const auto& [key, value] : body.items()) {
    config[key] =
        value.is_null() ? std::nullopt : std::optional(value.is_string() ? value.get<std::string>() : value.dump());
  }
  return config;
}

TEST(Golden, ValidationAnswers) {
  const auto scenario = read_scenario("03-validate.json");
  if (!scenario) GTEST_SKIP() << "no recordings under " << golden_root();
  const GoldenCatalog catalog;
  int checked = 0;
  for (const Json& step : (*scenario)["steps"]) {
    const Json& expected = step["response"]["body"];
    if (step.contains("may-differ") || !expected.is_object() || !expected.contains("configs")) continue;
    const bool sink = step["request"]["path"].get<std::string>().find("Sink") != std::string::npos;
    const auto infos = validate_connector(sink ? fake_sink() : fake_source(), to_config(step["request"]["body"]), {},
                                          {.components = &catalog});
    ASSERT_TRUE(infos) << step["id"] << ": " << infos.error().message;
    const Json actual = to_json(*infos);
    for (const auto& [key, value] : expected.items()) {
      if (key != "configs") {
        EXPECT_EQ(actual[key], value) << step["id"] << ' ' << key;
        continue;
      }
      for (const Json& config : value) {
        EXPECT_TRUE(contains(actual[key], Json::array({config})))
            << step["id"] << " lacks " << config << "\nhas " << actual[key];
      }
      if (step.value("match", "exact") == "exact") {
        ASSERT_EQ(actual[key].size(), value.size()) << step["id"];
        for (size_t i = 0; i < value.size(); ++i)
          EXPECT_TRUE(contains(actual[key][i], value[i])) << step["id"] << ' ' << value[i];
      }
    }
    ++checked;
  }
  EXPECT_GT(checked, 0);
}

/// Kafka's own validation of common options, without a plugin: only what is wrong is recorded.
void compare_errors(const Json& expected, const ConfigInfos& actual) {
  size_t next = 0;
  for (const ConfigInfo& info : actual.configs) {
    if (info.value.errors.empty()) continue;
    ASSERT_LT(next, expected["output"].size()) << expected["id"] << ' ' << info.value.name;
    const Json& entry = expected["output"][next++];
    EXPECT_EQ(entry["name"], info.value.name) << expected["id"];
    EXPECT_EQ(entry["value"], or_null(info.value.value)) << expected["id"];
    ASSERT_EQ(entry["errors"].size(), info.value.errors.size()) << expected["id"] << ' ' << info.value.name;
    for (size_t i = 0; i < info.value.errors.size(); ++i) {
      const Json prefixes = entry.value("prefixes", Json::object());
      if (const auto prefix = prefixes.find(std::to_string(i)); prefix != prefixes.end()) {
        EXPECT_TRUE(info.value.errors[i].starts_with(prefix->get<std::string>())) << info.value.errors[i];
      } else {
        EXPECT_EQ(entry["errors"][i], info.value.errors[i]) << expected["id"];
      }
    }
  }
  EXPECT_EQ(next, expected["output"].size()) << expected["id"];
  EXPECT_EQ(expected["error_count"], actual.error_count) << expected["id"];
}

TEST(Golden, CommonOptions) {
  std::ifstream file(golden_root() / "connect-data/configdef.jsonl");
  if (!file) GTEST_SKIP() << "no recordings under " << golden_root();
  const GoldenCatalog catalog;
  int checked = 0;
  for (std::string line; std::getline(file, line);) {
    const Json recorded = Json::parse(line);
    if (recorded["op"] != "connector-validate") continue;
    const RawConfig config = to_config(recorded["props"]);
    bool known = true;  // by this build
    for (const auto& [key, value] : config) {
      constexpr std::string_view kPackage = "org.apache.kafka.connect.transforms.";
      if (key.ends_with(".type") && value->starts_with(kPackage)) known = known && !catalog.find_any(*value).empty();
    }
    if (!known) continue;
    const bool sink = recorded["class"].get<std::string>().ends_with("SinkConnectorConfig");
    ConnectorPlugin plugin = sink ? fake_sink() : fake_source();
    plugin.table.config_count = 0;
    const auto infos = validate_connector(plugin, config, {}, {.components = &catalog});
    ASSERT_TRUE(infos) << recorded["id"] << ": " << infos.error().message;
    compare_errors(recorded, *infos);
    ++checked;
  }
  EXPECT_GE(checked, 28);
}

TEST(Golden, OptionsOfConnectors) {
  const auto scenario = read_scenario("02-plugins.json");
  if (!scenario) GTEST_SKIP() << "no recordings under " << golden_root();
  for (const Json& step : (*scenario)["steps"]) {
    if (step["id"] != "source-config" && step["id"] != "sink-config") continue;
    const auto keys = plugin_key_infos(step["id"] == "sink-config" ? fake_sink() : fake_source());
    const Json& expected = step["response"]["body"];
    ASSERT_EQ(keys.size(), expected.size());
    for (size_t i = 0; i < keys.size(); ++i) {
      EXPECT_TRUE(contains(to_json(keys[i]), expected[i])) << to_json(keys[i]) << "\nexpected " << expected[i];
    }
  }
}

/// GET /connector-plugins/{plugin}/config of components; those that are stand-ins here are compared by others.
TEST(Golden, OptionsOfComponents) {
  const auto scenario = read_scenario("02-plugins.json");
  if (!scenario) GTEST_SKIP() << "no recordings under " << golden_root();
  const BuiltInComponents catalog;
  int checked = 0;
  for (const Json& step : (*scenario)["steps"]) {
    const std::string id = step["id"], path = step["request"]["path"];
    constexpr std::string_view kBefore = "/connector-plugins/", kAfter = "/config";
    if (!path.ends_with(kAfter) || path.find("FileStream") != path.npos || step["request"]["method"] != "GET") continue;
    const std::string name = path.substr(kBefore.size(), path.size() - kBefore.size() - kAfter.size());
    const auto keys = component_key_infos(catalog, name);
    if (step["response"]["status"] == 404) {
      EXPECT_FALSE(keys) << id;
      continue;
    }
    if (!keys && !id.starts_with("converter") && !id.starts_with("header")) continue;  // not in this build
    ASSERT_TRUE(keys) << id;
    const Json& expected = step["response"]["body"];
    ASSERT_EQ(keys->size(), expected.size()) << id;
    for (size_t i = 0; i < keys->size(); ++i)
      EXPECT_TRUE(contains(to_json((*keys)[i]), expected[i]))
          << id << to_json((*keys)[i]) << "\nexpected " << expected[i];
    ++checked;
  }
  EXPECT_GE(checked, 3);
}

}  // namespace
}  // namespace millrace
