#include "tools/line_reader.h"

#include <gmock/gmock.h>
#include <unistd.h>

namespace millrace {
namespace {

LineParser parser(const ClientProperties& properties) {
  auto made = LineParser::create(properties);
  EXPECT_TRUE(made) << made.error().message;
  return *made;
}

TEST(LineParser, ALineIsAValue) {
  auto record = parser({}).parse("a\tb");
  ASSERT_TRUE(record);
  EXPECT_EQ(record->value, "a\tb");
  EXPECT_EQ(record->key, std::nullopt);
  EXPECT_TRUE(record->headers.empty());
}

TEST(LineParser, HeadersKeyAndValue) {
  auto record =
      parser({{"parse.key", "true"}, {"parse.headers", " TRUE "}}).parse("h1:v1,h2:v:2\tkey\tvalue\twith tab");
  ASSERT_TRUE(record) << record.error().message;
  EXPECT_EQ(record->key, "key");
  EXPECT_EQ(record->value, "value\twith tab");
  ASSERT_EQ(record->headers.size(), 2u);
  EXPECT_EQ(record->headers[0].key, "h1");
  EXPECT_EQ(record->headers[0].value, "v1");
  EXPECT_EQ(record->headers[1].value, "v:2");
}

TEST(LineParser, NullMarkerAnywhereButInHeaderNames) {
  LineParser lines = parser({{"parse.key", "true"}, {"parse.headers", "true"}, {"null.marker", "NULL"}});
  auto record = lines.parse("h1:NULL\tNULL\tNULL");
  ASSERT_TRUE(record);
  EXPECT_EQ(record->key, std::nullopt);
  EXPECT_EQ(record->value, std::nullopt);
  ASSERT_EQ(record->headers.size(), 1u);
  EXPECT_EQ(record->headers[0].value, std::nullopt);
  auto without = lines.parse("NULL\tk\tv");
  ASSERT_TRUE(without);
  EXPECT_TRUE(without->headers.empty());
  EXPECT_FALSE(lines.parse("NULL:x\tk\tv"));
}

TEST(LineParser, EmptyIsNotNull) {
  auto record = parser({{"parse.key", "true"}}).parse("\t");
  ASSERT_TRUE(record);
  EXPECT_EQ(record->key, "");
  EXPECT_EQ(record->value, "");
}

TEST(LineParser, AMissingSeparatorNamesTheLine) {
  LineParser lines = parser({{"parse.key", "true"}, {"key.separator", "=>"}});
  ASSERT_TRUE(lines.parse("k=>v"));
  auto record = lines.parse("kv");
  ASSERT_FALSE(record);
  EXPECT_EQ(record.error().message, "No key separator found on line number 2: 'kv'");
}

TEST(LineParser, ErrorsIgnoredOnRequest) {
  LineParser lines = parser({{"parse.key", "true"}, {"parse.headers", "true"}, {"ignore.error", "true"}});
  auto record = lines.parse("only a value");
  ASSERT_TRUE(record);
  EXPECT_EQ(record->value, "only a value");
  EXPECT_EQ(record->key, std::nullopt);
}

TEST(LineParser, EqualSeparatorsAreRefused) {
  auto made = LineParser::create({{"headers.delimiter", ","}});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().message, "headers.delimiter and headers.separator may not be equal");
}

TEST(LineSource, LinesOfAPipe) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ASSERT_EQ(::write(ends[1], "one\ntwo\r\n\nlast", 14), 14);
  ::close(ends[1]);
  LineSource source(ends[0], -1);
  std::vector<std::string> lines;
  for (std::string_view line; source.next(line) == LineSource::Got::kLine;) lines.emplace_back(line);
  EXPECT_THAT(lines, testing::ElementsAre("one", "two", "", "last"));
  ::close(ends[0]);
}

TEST(LineSource, IsWokenWhileItWaits) {
  int input[2];
  int wake[2];
  ASSERT_EQ(::pipe(input), 0);
  ASSERT_EQ(::pipe(wake), 0);
  ASSERT_EQ(::write(wake[1], "x", 1), 1);
  LineSource source(input[0], wake[0]);
  std::string_view line;
  EXPECT_EQ(source.next(line), LineSource::Got::kWoken);
  for (const int end : {input[0], input[1], wake[0], wake[1]}) ::close(end);
}

}  // namespace
}  // namespace millrace
