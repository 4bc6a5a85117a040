#include "rest/json_body.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

TEST(ConfigBody, ScalarsKeepTheirSpelling) {
  const auto config =
      parse_config_body(R"({"a":1.50,"b":1e3,"c":true,"d":null,"e":99999999999999999999,"f":-7,"g":" x "})");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_THAT(*config, ElementsAre(Pair("a", "1.50"), Pair("b", "1e3"), Pair("c", "true"), Pair("d", std::nullopt),
                                   Pair("e", "99999999999999999999"), Pair("f", "-7"), Pair("g", " x ")));
}

TEST(ConfigBody, SignedZeroKeepsItsSign) {
  const auto config = parse_config_body(R"({"a":-0,"b":0,"c":-0.0})");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_THAT(*config, ElementsAre(Pair("a", "-0"), Pair("b", "0"), Pair("c", "-0.0")));
}

TEST(ConfigBody, OfEqualNamesTheLastCounts) { EXPECT_EQ((*parse_config_body(R"({"a":"1","a":"2"})"))["a"], "2"); }

TEST(ConfigBody, OtherShapesAreInternalErrors) {
  for (const char* text :
       {"", "null", "[]", "\"x\"", R"({"a":{}})", R"({"a":[1]})", R"({"a")", "{} x", "name=ce", "{\"a\":\"\xff\"}"}) {
    const auto config = parse_config_body(text);
    ASSERT_FALSE(config) << text;
    EXPECT_EQ(config.error().code, ErrorCode::kInternal) << text;
  }
  EXPECT_THAT(parse_config_body(R"({"file":{"a":1}})").error().message, HasSubstr("'file'"));
  EXPECT_THAT(parse_config_body(R"({"name":)").error().message, HasSubstr("line 1, column 9"));
}

TEST(ConfigBody, DeepNestingIsRefused) {
  const std::string deep(100'000, '[');
  EXPECT_THAT(parse_config_body(deep).error().message, HasSubstr("nested deeper"));
}

TEST(CreateBody, NameIsTrimmedAndCoerced) {
  EXPECT_EQ(parse_create_body(R"({"name":"  padded\n ","config":{}})")->name, "padded");
  EXPECT_EQ(parse_create_body(R"({"name":7,"config":{}})")->name, "7");
  EXPECT_EQ(parse_create_body(R"({"name":true,"config":{}})")->name, "true");
  EXPECT_EQ(parse_create_body(R"({"name":null,"config":{}})")->name, "");
  EXPECT_EQ(parse_create_body(R"({"config":{}})")->name, "");
}

TEST(CreateBody, InitialState) {
  EXPECT_EQ(parse_create_body(R"({"config":{}})")->initial, TargetState::kStarted);
  EXPECT_EQ(parse_create_body(R"({"config":{},"initial_state":null})")->initial, TargetState::kStarted);
  EXPECT_EQ(parse_create_body(R"({"config":{},"initial_state":"stopped"})")->initial, TargetState::kStopped);
  EXPECT_EQ(parse_create_body(R"({"config":{},"initial_state":"PAUSED"})")->initial, TargetState::kPaused);
  EXPECT_FALSE(parse_create_body(R"({"config":{},"initial_state":"BOGUS"})"));
  EXPECT_FALSE(parse_create_body(R"({"config":{},"initial_state":1})"));
}

TEST(CreateBody, UnfittingBodies) {
  for (const char* text : {"", "null", "[]", R"("ce")", R"({"name":"ce"})", R"({"name":"ce","config":null})",
                           R"({"name":"ce","config":{},"owner":"me"})", R"({"name":{},"config":{}})"}) {
    const auto request = parse_create_body(text);
    ASSERT_FALSE(request) << text;
    EXPECT_EQ(request.error().code, ErrorCode::kInternal) << text;
  }
}

TEST(OffsetsBody, KeepsObjectsAsTexts) {
  const auto offsets = parse_offsets_body(
      R"({"offsets":[{"partition":{"b":1,"a":"x"},"offset":{"position":4}},{"partition":{}},{"offset":null}]})");
  ASSERT_TRUE(offsets) << offsets.error().message;
  ASSERT_EQ(offsets->size(), 3u);
  EXPECT_EQ((*offsets)[0].partition, R"({"b":1,"a":"x"})");
  EXPECT_EQ((*offsets)[0].offset, R"({"position":4})");
  EXPECT_EQ((*offsets)[1].partition, "{}");
  EXPECT_EQ((*offsets)[1].offset, "");
  EXPECT_EQ((*offsets)[2].partition, "");
}

TEST(OffsetsBody, NoneAreAMistakeOfTheUser) {
  for (const char* text : {R"({"offsets":[]})", R"({"offsets":null})", "{}"}) {
    EXPECT_EQ(parse_offsets_body(text).error().code, ErrorCode::kInvalidConfig) << text;
  }
  for (const char* text : {"", "[]", R"({"offsets":[null]})", R"({"offsets":[{"partition":"x"}]})",
                           R"({"offsets":[{"x":1}]})", R"({"offsets":[{}],"force":true})", R"({"offsets":1})"}) {
    EXPECT_EQ(parse_offsets_body(text).error().code, ErrorCode::kInternal) << text;
  }
}

}  // namespace
}  // namespace millrace
