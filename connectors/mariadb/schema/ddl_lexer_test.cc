#include "connectors/mariadb/schema/ddl_lexer.h"

#include <gtest/gtest.h>

namespace millrace::mariadb {
namespace {

std::string texts(std::string_view sql) {
  std::string out;
  for (const Token& token : tokenize(sql)) out += (out.empty() ? "" : "|") + token.text;
  return out;
}

TEST(DdlLexer, CommentsAreLeftOut) {
  EXPECT_EQ(texts("a /* b */ c -- d\n e # f\n g--1"), "a|c|e|g|-|-|1|");
  EXPECT_EQ(texts("a /* never closed"), "a|");
}

TEST(DdlLexer, ExecutableCommentsAreRead) {
  EXPECT_EQ(texts("a /*!50100 b */ c"), "a|b|c|");
  EXPECT_EQ(texts("a /*!b */ c"), "a|b|c|");
  EXPECT_EQ(texts("a /*M!100301 COMPRESSED*/ c"), "a|COMPRESSED|c|");
  EXPECT_EQ(texts("a /*!80013 b */ c"), "a|c|") << "MySQL 8 only";
  EXPECT_EQ(texts("a /*M!80013 b */ c"), "a|b|c|");
  EXPECT_EQ(texts("a /*!50100 b /* inner */ c */ d"), "a|b|c|d|");
}

TEST(DdlLexer, QuotesAndEscapes) {
  EXPECT_EQ(texts("`a``b` 'it''s' 'it\\'s' 'a\\\\' \"x\"\"y\""), "a`b|it'sit'sa\\|x\"y|");
  EXPECT_EQ(texts("N'a' x'4142' b'101' 0x43 0b11"), "a|AB|101|C|11|");
  EXPECT_EQ(texts("'a\\0b'"), std::string("a\0b|", 4));
}

TEST(DdlLexer, NumbersAndNames) {
  EXPECT_EQ(texts("1 -1.5 1e3 .5 2nd_table db.1a a.b"), "1|-|1.5|1e3|.5|2nd_table|db|.|1a|a|.|b|");
}

TEST(DdlLexer, PlacesAreThoseOfTheStatement) {
  const std::string_view sql = "RENAME  `a b` TO 'x'";
  const std::vector<Token> tokens = tokenize(sql);
  ASSERT_EQ(tokens.size(), 5u);
  EXPECT_EQ(sql.substr(tokens[1].begin, tokens[1].end - tokens[1].begin), "`a b`");
  EXPECT_EQ(sql.substr(tokens[3].begin, tokens[3].end - tokens[3].begin), "'x'");
}

TEST(DdlLexer, EscapesReadBack) {
  const std::string text("it's \\ \0 \n end", 14);
  EXPECT_EQ(unescape_literal(escape_literal(text), '\''), text);
}

}  // namespace
}  // namespace millrace::mariadb
