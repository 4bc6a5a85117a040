#include "core/config_def.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/java_text.h"
#include "core/properties.h"

namespace millrace {
namespace {

using Json = nlohmann::ordered_json;

ConfigValidator validator_of(const Json& json);

ConfigValidator named_validator(const std::string& name) {
  if (name == "NonNullValidator") return validators::non_null();
  if (name == "NonEmptyString") return validators::non_empty_string();
  if (!name.starts_with("ValidString(")) return {};
  std::vector<std::string> words;
  std::stringstream inner(name.substr(12, name.size() - 13));
  for (std::string word; std::getline(inner, word, ',');) words.push_back(word);
  return validators::one_of(words);
}

validators::Number number_of(const Json& json) {
  return json.is_number_float() ? validators::Number(json.get<double>()) : validators::Number(json.get<int64_t>());
}

ConfigValidator even_number() {
  return [](std::string_view key, const ConfigValue& value) -> std::optional<std::string> {
    const auto* number = std::get_if<int64_t>(&value);
    if (number == nullptr) return invalid_config_value(key, value, "may not be null");
    return *number % 2 == 0 ? std::nullopt : std::optional(invalid_config_value(key, value, "must be even"));
  };
}

ConfigValidator validator_of(const Json& json) {
  const std::string kind = json.at("kind");
  if (kind == "Range") {
    return json.contains("max") ? validators::between(number_of(json.at("min")), number_of(json.at("max")))
                                : validators::at_least(number_of(json.at("min")));
  }
  if (kind == "ValidString") return validators::one_of(json.at("in"));
  if (kind == "CaseInsensitiveValidString") return validators::one_of_ignoring_case(json.at("in"));
  if (kind == "ValidList") return validators::list_of(json.at("in"));
  if (kind == "ListSize") return validators::list_size_max(json.at("max"));
  if (kind == "NonEmptyStringWithoutControlChars") return validators::non_empty_string_without_control_chars();
  if (kind == "LambdaValidator") return even_number();
  if (kind == "CompositeValidator") {
    std::vector<ConfigValidator> parts;
    for (const auto& part : json.at("of")) parts.push_back(named_validator(part));
    return validators::all_of(parts);
  }
  return named_validator(kind);
}

Expected<ConfigDef> definition_of(const Json& json) {
  static const std::map<std::string, ConfigType> kTypes = {
      {"BOOLEAN", ConfigType::kBoolean}, {"STRING", ConfigType::kString}, {"INT", ConfigType::kInt},
      {"SHORT", ConfigType::kShort},     {"LONG", ConfigType::kLong},     {"DOUBLE", ConfigType::kDouble},
      {"LIST", ConfigType::kList},       {"CLASS", ConfigType::kClass},   {"PASSWORD", ConfigType::kPassword}};
  std::vector<ConfigKey> keys;
  for (const auto& one : json) {
    ConfigKey key{.name = one.at("name"), .type = kTypes.at(one.at("type"))};
    if (one.contains("default")) {
      key.default_value = one["default"].is_null() ? ConfigKey::Default(nullptr)
                                                   : ConfigKey::Default(one["default"].get<std::string>());
    }
    if (one.contains("validator")) key.validator = validator_of(one["validator"]);
    if (one.contains("dependents")) key.dependents = one["dependents"];
    keys.push_back(std::move(key));
  }
  return ConfigDef::create(std::move(keys), [](std::string_view name) {
    return name.starts_with("java.lang.") || name.starts_with("org.");
  });
}

RawConfig settings_of(const Json& json) {
  RawConfig settings;
  for (const auto& [key, value] : json.items())
    settings[key] = value.is_null() ? std::nullopt : std::optional(value.get<std::string>());
  return settings;
}

Json json_of(const ConfigValue& value) {
  if (std::holds_alternative<std::monostate>(value)) return nullptr;
  if (const auto* name = std::get_if<ClassName>(&value)) return {{"@class", name->value}};
  if (const auto* secret = std::get_if<Password>(&value)) return {{"@password", secret->value}};
  if (const auto* number = std::get_if<double>(&value)) {
    return std::isfinite(*number) ? Json(*number) : Json{{"@float64", java_double_text(*number)}};
  }
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) return *list;
  if (const auto* flag = std::get_if<bool>(&value)) return *flag;
  if (const auto* number = std::get_if<int64_t>(&value)) return *number;
  return std::get<std::string>(value);
}

Json run_parse(const ConfigDef& def, const Json& line) {
  const auto parsed = def.parse(settings_of(line.at("props")));
  if (!parsed) return {{"error", parsed.error().message}};
  Json output = Json::object();
  for (const auto& [key, value] : parsed->values()) output[key] = json_of(value);
  return output;
}

Json run_validate(const ConfigDef& def, const Json& line) {
  Json output = Json::array();
  for (const auto& one : def.validate(settings_of(line.at("props")))) {
    output.push_back({{"name", one.name},
                      {"value", one.value ? Json(*one.value) : Json(nullptr)},
                      {"errors", one.errors},
                      {"visible", one.visible}});
  }
  return output;
}

std::filesystem::path golden_folder() {
  const char* root = std::getenv("MILLRACE_GOLDEN");
  std::filesystem::path folder = root != nullptr ? root : MILLRACE_SOURCE_DIR "/../shared/golden";
  if (!std::filesystem::exists(folder / "connect-data")) folder = MILLRACE_SOURCE_DIR "/tests/golden";
  return folder / "connect-data";
}

TEST(ConfigDef, GoldenParseAndValidate) {
  std::ifstream file(golden_folder() / "configdef.jsonl");
  ASSERT_TRUE(file) << golden_folder();
  int run = 0, skipped = 0;
  for (std::string text; std::getline(file, text);) {
    const Json line = Json::parse(text);
    const bool parse = line.at("op") == "parse";
    if (!parse && line.at("op") != "validate") continue;
    // A missing list under a list validator crashes the original; here it is the ordinary "missing" message.
    if (line.contains("error") && line["error"].at("class") == "java.lang.NullPointerException") {
      ++skipped;
      continue;
    }
    ++run;
    const auto def = definition_of(line.at("definitions"));
    Json output = !def    ? Json{{"error", def.error().message}}
                  : parse ? run_parse(*def, line)
                          : run_validate(*def, line);
    if (line.contains("error")) {
      EXPECT_EQ(output, (Json{{"error", line["error"].at("message")}})) << line["id"];
    } else {
      EXPECT_EQ(nlohmann::json(output), nlohmann::json(line.at("output"))) << line["id"];
    }
  }
  std::printf("configdef: %d cases, %d skipped as known differences\n", run, skipped);
  EXPECT_GT(run, 0);
}

TEST(ConfigDef, RecommendationsAndVisibilitySeeAllValues) {
  const auto def = ConfigDef::create(
      {{.name = "mode", .default_value = "bulk"},
       {.name = "column",
        .default_value = nullptr,
        .recommended = [](const auto&) { return std::vector<std::string>{"id"}; },
        .visible = [](const auto& values) { return config_text(values.at("mode")) == "incrementing"; }}});
  ASSERT_TRUE(def);
  EXPECT_FALSE(def->validate({})[1].visible);
  const auto checked = def->validate({{"mode", "incrementing"}});
  EXPECT_TRUE(checked[1].visible);
  EXPECT_EQ(checked[1].recommended_values, std::vector<std::string>{"id"});
}

TEST(ConfigDef, ASecretIsNotShownInMessages) {
  const auto def = ConfigDef::create(
      {{.name = "password", .type = ConfigType::kPassword, .validator = validators::text_check([](std::string_view) {
                                                             return std::optional<std::string>("too short");
                                                           })}});
  ASSERT_TRUE(def);
  const auto checked = def->validate({{"password", "s3cret"}});
  EXPECT_EQ(checked[0].errors,
            std::vector<std::string>{"Invalid value [hidden] for configuration password: too short"});
  EXPECT_EQ(checked[0].value, "[hidden]");
}

TEST(Properties, EscapesContinuationsAndSeparators) {
  const auto pairs = parse_properties(
      "# comment\n! other\n\na=1\nb : 2\r\nc   3\n  d\\ e=\\u00e9\\t\\\\x\nlong=one,\\\n    "
      "two\nempty\nf==g\nh=\\uD83D\\uDE00\nutf=\xC3\xA9\ni=x  \nj=a\\\\\nk=1\\");
  ASSERT_TRUE(pairs);
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"a", "1"},          {"b", "2"},    {"c", "3"},   {"d e", "\xC3\xA9\t\\x"},
      {"long", "one,two"}, {"empty", ""}, {"f", "=g"},  {"h", "\xF0\x9F\x98\x80"},
      {"utf", "\xC3\xA9"}, {"i", "x  "},  {"j", "a\\"}, {"k", "1"}};
  EXPECT_EQ(*pairs, expected);
}

TEST(Properties, ABrokenEscapeNamesItsLine) {
  const auto pairs = parse_properties("a=1\npath=C:\\users\n");
  ASSERT_FALSE(pairs);
  EXPECT_EQ(pairs.error().code, ErrorCode::kInvalidConfig);
  EXPECT_NE(pairs.error().message.find("line 2"), std::string::npos);
}

TEST(JavaText, NumbersReadAsJavaWritesThem) {
  EXPECT_EQ(java_double_text(1e7), "1.0E7");
  EXPECT_EQ(java_double_text(9999999.5), "9999999.5");
  EXPECT_EQ(java_double_text(0.001), "0.001");
  EXPECT_EQ(java_double_text(1.5e-9), "1.5E-9");
  EXPECT_EQ(java_double_text(-0.0), "-0.0");
  EXPECT_EQ(java_double_text(100), "100.0");
  EXPECT_EQ(java_float_text(1.1F), "1.1");
  EXPECT_EQ(parse_java_double(" 0x1p3 "), 8.0);
  EXPECT_EQ(parse_java_double("1_0"), std::nullopt);
  std::string decimal;
  append_java_decimal(decimal, std::string("\x02\x60\xB0\x5F\xFB\xE7\xFC\xB1\x17\xA0\x24\xF1\xE2\xDF\x79", 15), 5);
  EXPECT_EQ(decimal, "123456789012345678901234567890.12345");
  decimal.clear();
  append_java_decimal(decimal, std::string("\xFD\x9F\x4F\xA0\x04\x18\x03\x4E\xE8\x5F\xDB\x0E\x1D\x20\x87", 15), 0);
  EXPECT_EQ(decimal, "-12345678901234567890123456789012345");
}

}  // namespace
}  // namespace millrace
