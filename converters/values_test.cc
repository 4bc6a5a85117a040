#include <gtest/gtest.h>

#include <fstream>

#include "converters/converter.h"
#include "converters/golden_case.h"
#include "converters/values_parser.h"
#include "converters/values_text.h"

namespace millrace {
namespace {

using golden::Json;

Json parsed(std::string_view text, SchemaPool& schemas, Arena& arena) {
  const ParsedText result = parse_values_text(text, schemas, arena);
  return result.too_deep ? Json("too deep") : golden::encode(result.schema, result.value);
}

Json parsed(std::string_view text) {
  SchemaPool schemas;
  Arena arena;
  return parsed(text, schemas, arena);
}

/// Parsed, and written again.
std::string rewritten(std::string_view text) {
  SchemaPool schemas;
  Arena arena;
  const ParsedText result = parse_values_text(text, schemas, arena);
  EXPECT_TRUE(validate_value(result.schema, result.value).has_value()) << text;
  std::string out;
  append_values_text(out, result.schema, result.value);
  return out;
}

bool is_whole_string(std::string_view text) {
  SchemaPool schemas;
  Arena arena;
  const ParsedText result = parse_values_text(text, schemas, arena);
  return result.value.kind == MR_STRING && bytes_of(result.value) == text &&
         result.schema == plain_schema(Type::kString).get();
}

TEST(GoldenValues, ParseStringAndConvertToString) {
  std::ifstream file(golden::file("values.jsonl"));
  ASSERT_TRUE(file) << golden::file("values.jsonl");
  int run = 0;
  for (std::string text; std::getline(file, text);) {
    const Json line = Json::parse(text);
    const bool parse = line.at("op") == "parseString";
    if (text.find("@struct") != std::string::npos) continue;  // without a schema this data model knows no field names
    if ((!parse && line.at("op") != "convertToString") || line.contains("jvm") ||
        line.at("input").at("payload").is_null())
      continue;
    Arena arena;
    SchemaPool schemas;
    const auto input = golden::decode(line.at("input"), arena);
    if (!input.unrepresentable.empty()) continue;
    const auto expected = golden::decode(line.at("output"), arena);
    ++run;
    if (parse) {
      EXPECT_EQ(nlohmann::json(parsed(bytes_of(input.value), schemas, arena)),
                nlohmann::json(golden::encode(expected.schema.get(), expected.value)))
          << line["id"];
    } else {
      std::string out;
      append_values_text(out, input.schema.get(), input.value);
      EXPECT_EQ(out, bytes_of(expected.value)) << line["id"];
    }
  }
  EXPECT_GT(run, 0);
}

TEST(Values, ElementsTakeASchemaThatAllOfThemFit) {
  EXPECT_EQ(rewritten("[1, 300, 1.5]"), "[1.0,300.0,1.5]");
  EXPECT_EQ(rewritten("[[1],[300]]"), "[[1],[300]]");
  EXPECT_EQ(rewritten("[\"2020-01-02\",\"2020-01-02T03:04:05.678Z\"]"), "[2020-01-02,2020-01-02T03:04:05.678Z]");
  EXPECT_EQ(rewritten("[2020-01-02,\"a\",{\"k\":2020-01-03}]"), "[2020-01-02,\"a\",{\"k\":2020-01-03}]");
  EXPECT_EQ(rewritten("{1:\"a\",1:\"b\",\"1\":true}"), "{1:\"b\",\"1\":true}");
  for (const char* text : {"[1,null]", "[[300],[1]]", "[[null],[1]]", "[2020-01-02,1.5]", "{\"a\":1,\"b\":null}"}) {
    EXPECT_TRUE(is_whole_string(text)) << text;
  }
}

TEST(Values, SchemasAreSharedByEqualTexts) {
  SchemaPool schemas;
  Arena arena;
  const Schema* first = parse_values_text("[[1],[2]]", schemas, arena).schema;
  schemas.new_batch();
  EXPECT_EQ(parse_values_text("[[3]]", schemas, arena).schema, first);
}

TEST(Values, HostileTextsEnd) {
  const std::string deep(100'000, '[');
  EXPECT_EQ(parsed(deep), Json("too deep"));
  EXPECT_TRUE(is_whole_string(std::string(1'000'000, '9')));
  EXPECT_TRUE(is_whole_string("1e99999"));
  EXPECT_TRUE(is_whole_string("1e99999999999999999999"));
  EXPECT_EQ(rewritten("-1e-99999"), "-0.0");
  EXPECT_TRUE(is_whole_string("[\"" + std::string(100'000, '\\')));
}

TEST(SimpleHeaderConverter, IsForHeadersOnly) {
  for (const char* name :
       {"Simple", "SimpleHeaderConverter", "org.apache.kafka.connect.storage.SimpleHeaderConverter"}) {
    EXPECT_NE(make_header_converter(name), nullptr);
    EXPECT_EQ(make_converter(name), nullptr);
    EXPECT_EQ(converter_class(name), "org.apache.kafka.connect.storage.SimpleHeaderConverter");
  }
}

TEST(SimpleHeaderConverter, PassesOnTooDeepTextAsBytes) {
  const auto converter = make_header_converter("Simple");
  const std::string deep(1000, '{');
  Arena arena;
  const auto read = converter->to_header("t", "h", deep, arena);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->value.kind, MR_BYTES);
  EXPECT_EQ(bytes_of(read->value), deep);
}

}  // namespace
}  // namespace millrace
