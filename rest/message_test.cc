#include "rest/message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(Target, SegmentsAreDecodedAfterTheyWereCut) {
  EXPECT_THAT(parse_target("/")->segments, ElementsAre());
  EXPECT_THAT(parse_target("/connectors/a%2Fb/config")->segments, ElementsAre("connectors", "a/b", "config"));
  EXPECT_THAT(parse_target("/connectors/a%252Fb")->segments, ElementsAre("connectors", "a%2Fb"));
  EXPECT_THAT(parse_target("/connectors/a+b%20")->segments, ElementsAre("connectors", "a+b "));
  EXPECT_THAT(parse_target("/connectors/a;v=1/config")->segments, ElementsAre("connectors", "a", "config"));
}

TEST(Target, OneTrailingSlashIsNoSegment) {
  EXPECT_THAT(parse_target("/connectors/")->segments, ElementsAre("connectors"));
  EXPECT_THAT(parse_target("//")->segments, ElementsAre(""));
  EXPECT_THAT(parse_target("/connectors//x")->segments, ElementsAre("connectors", "", "x"));
}

TEST(Target, QueryAndAbsoluteForm) {
  const auto target = parse_target("http://host:1/connectors?expand=info&expand&onlyFailed=TRUE&a=b+c");
  ASSERT_TRUE(target);
  EXPECT_THAT(target->segments, ElementsAre("connectors"));
  EXPECT_THAT(target->query,
              ElementsAre(Pair("expand", "info"), Pair("expand", ""), Pair("onlyFailed", "TRUE"), Pair("a", "b c")));
  EXPECT_TRUE(target->flag("onlyFailed", false));
  EXPECT_FALSE(target->flag("a", true));
  EXPECT_TRUE(target->flag("absent", true));
}

TEST(Target, BrokenEscapesAreRefused) {
  EXPECT_FALSE(parse_target("/connectors/a%zz"));
  EXPECT_FALSE(parse_target("/connectors/a%2"));
  EXPECT_FALSE(parse_target("/connectors?x=%"));
}

TEST(MediaTypes, AcceptAndContentType) {
  EXPECT_TRUE(accepts_json("application/json"));
  EXPECT_TRUE(accepts_json("text/html, application/json;q=0.5"));
  EXPECT_TRUE(accepts_json("*/*"));
  EXPECT_FALSE(accepts_json("text/plain"));
  EXPECT_FALSE(accepts_json("application/json;q=0"));
  EXPECT_TRUE(is_json_type("Application/JSON; charset=utf-8"));
  EXPECT_FALSE(is_json_type("application/merge-patch+json"));
}

TEST(Location, KeepsWhatUrisKeepAndEscapesTheRest) {
  EXPECT_EQ(encode_path("a b"), "a%20b");
  EXPECT_EQ(encode_path("a/b;c"), "a/b;c");
  EXPECT_EQ(encode_path("a%2Fb"), "a%2Fb");
  EXPECT_EQ(encode_path("100%"), "100%25");
  EXPECT_EQ(encode_path("éclair"), "%C3%A9clair");
  EXPECT_EQ(encode_path("a?b#c"), "a%3Fb%23c");
  EXPECT_EQ(encode_path("a->b:c"), "a-%3Eb:c");
  EXPECT_EQ(encode_path("it's \"q\""), "it's%20%22q%22");
  EXPECT_EQ(encode_path("a\\b"), "a%5Cb");
}

}  // namespace
}  // namespace millrace
