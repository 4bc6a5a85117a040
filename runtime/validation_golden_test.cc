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

/// The components that the recorded requests name: the built-in ones and three others.
class GoldenCatalog final : public ComponentCatalog {
 public:
  std::string_view find(ComponentKind kind, std::string_view name) const override {
    for (const std::string_view full : classes(kind)) {
      if (full == name ||
          (full.ends_with(name) && full.size() > name.size() && full[full.size() - name.size() - 1] == '.'))
        return full;
    }
    return built_in_.find(kind, name);
  }
  std::vector<std::string_view> classes(ComponentKind kind) const override {
    if (kind == ComponentKind::kTransformation) return {kHoist, kRouter};
    if (kind == ComponentKind::kPredicate) return {kTopicMatches};
    return built_in_.classes(kind);
  }
  const ConfigDef* options(ComponentKind kind, std::string_view class_name) const override {
    if (class_name == kHoist) return &hoist_;
    if (class_name == kRouter) return &router_;
    if (class_name == kTopicMatches) return &topic_matches_;
    return built_in_.options(kind, class_name);
  }

 private:
  static constexpr std::string_view kHoist = "org.apache.kafka.connect.transforms.HoistField$Value";
  static constexpr std::string_view kRouter = "org.apache.kafka.connect.transforms.RegexRouter";
  static constexpr std::string_view kTopicMatches = "org.apache.kafka.connect.transforms.predicates.TopicNameMatches";
  BuiltInComponents built_in_;
  ConfigDef hoist_ = *ConfigDef::create({{.name = "field"}});
  ConfigDef router_ = *ConfigDef::create(
      {{.name = "regex", .importance = ConfigImportance::kHigh, .validator = validators::text_check(check_topic_regex)},
       {.name = "replacement", .importance = ConfigImportance::kHigh}});
  ConfigDef topic_matches_ = *ConfigDef::create({{.name = "pattern"}});
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

}  // namespace
}  // namespace millrace
