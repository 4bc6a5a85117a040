#include "connectors/mariadb/config/filters.h"

#include <gtest/gtest.h>

namespace millrace::mariadb {
namespace {

RegexList list(std::string_view text) {
  auto parsed = RegexList::parse("k", text);
  EXPECT_TRUE(parsed.ok()) << parsed.status().message();
  return parsed.ok() ? *parsed : RegexList();
}

std::string refusal(std::string_view text) {
  auto parsed = RegexList::parse("the.key", text);
  EXPECT_FALSE(parsed.ok()) << text;
  if (parsed.ok()) return {};
  EXPECT_EQ(parsed.status().code(), sdk::Code::kInvalidConfig);
  return parsed.status().message();
}

template <class Filter>
Filter filter(std::vector<std::pair<std::string, std::string>> settings) {
  std::vector<mr_pair> pairs;
  for (const auto& [key, value] : settings) pairs.push_back({sdk::to_mr(key), sdk::to_mr(value)});
  auto parsed = Filter::parse(sdk::Config({pairs.data(), pairs.size()}, {}));
  EXPECT_TRUE(parsed.ok()) << parsed.status().message();
  return parsed.ok() ? *parsed : Filter();
}

TEST(RegexList, MatchesWholeNamesInAnyCase) {
  const RegexList names = list("shop\\.ord.*, shop.items");
  EXPECT_TRUE(names.matches("shop.orders"));
  EXPECT_TRUE(names.matches("SHOP.Items"));
  EXPECT_FALSE(names.matches("myshop.orders"));
  EXPECT_FALSE(names.matches("shop.items2"));
  EXPECT_TRUE(list("a|b").matches("b"));
  EXPECT_FALSE(list("a|b,c").matches("ab"));
}

TEST(RegexList, AnEscapedCommaBelongsToTheExpression) {
  const RegexList names = list("t\\,1,u[0-9]{1\\,2}");
  EXPECT_TRUE(names.matches("t,1"));
  EXPECT_EQ(names.first_match("u12"), 1);
  EXPECT_EQ(names.first_match("u123"), -1);
  EXPECT_EQ(split_regex_list("a\\\\,b"), (std::vector<std::string>{"a\\\\", "b"}));
}

TEST(RegexList, BlankElementsDoNotCount) {
  EXPECT_TRUE(list("").empty());
  EXPECT_TRUE(list(" , ,").empty());
  EXPECT_FALSE(list(" , ,").matches(""));
  EXPECT_EQ(list("a,,\n b ,").first_match("b"), 1);
}

TEST(RegexList, QuotationsStayWithinTheirElement) {
  const RegexList names = list("\\Qa.b,x.y");
  EXPECT_TRUE(names.matches("a.b"));
  EXPECT_FALSE(names.matches("azb"));
  EXPECT_TRUE(names.matches("xzy"));
}

TEST(RegexList, JavasNamedGroups) { EXPECT_TRUE(list("(?<db>shop)\\.(?<t>a)").matches("shop.a")); }

TEST(RegexList, SaysWhatIsWrong) {
  EXPECT_EQ(refusal("a.b["),
            "The 'the.key' value is invalid: A comma-separated list of valid regular expressions is expected, but "
            "Unclosed character class near index 3\na.b[\n   ^");
  EXPECT_NE(refusal("ok,^(?!tmp).*").find("`^(?!tmp).*` uses (?!"), std::string::npos) << refusal("^(?!tmp).*");
  EXPECT_NE(refusal("(a)\\1").find("\\1"), std::string::npos);
  EXPECT_NE(refusal("a(b").find("Unclosed group"), std::string::npos);
  EXPECT_NE(refusal("*").find("Dangling meta character '*'"), std::string::npos);
  EXPECT_NE(refusal("a*+").find("second sign"), std::string::npos);
  // A comma of a repetition that is not escaped splits the expression.
  EXPECT_NE(refusal("a{1,2}").find("written \\,"), std::string::npos);
}

TEST(RegexList, RefusesWhatJavaWouldReadOtherwise) {
  EXPECT_NE(refusal("[a-z&&[^b]]").find("intersection"), std::string::npos);
  EXPECT_NE(refusal("[a[bc]]").find("within a character class"), std::string::npos);
  EXPECT_TRUE(list("[a&b]\\[x").matches("a[x"));
}

TEST(RegexList, ThousandsOfTables) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "shop_" + std::to_string(i) + "\\.orders,";
  const RegexList names = list(text);
  EXPECT_TRUE(names.matches("shop_4999.orders"));
  EXPECT_FALSE(names.matches("shop_5000.orders"));
}

TEST(TableFilter, EverythingButTheBuiltinsByDefault) {
  const auto all = filter<TableFilter>({});
  EXPECT_TRUE(all.captures({"shop", "orders"}));
  for (const char* name : {"mysql", "performance_schema", "sys", "information_schema", "MySQL"}) {
    EXPECT_FALSE(all.captures({name, "t"})) << name;
    EXPECT_FALSE(all.captures_database(name)) << name;
  }
  EXPECT_TRUE(filter<TableFilter>({{"table.ignore.builtin", "false"}}).captures({"mysql", "user"}));
}

TEST(TableFilter, DatabaseListsHoldForTablesToo) {
  const auto both = filter<TableFilter>({{"database.include.list", "shop"}, {"table.include.list", ".*\\.orders"}});
  EXPECT_TRUE(both.captures({"shop", "orders"}));
  EXPECT_FALSE(both.captures({"shop", "items"}));
  EXPECT_FALSE(both.captures({"other", "orders"}));
  EXPECT_FALSE(both.captures_database("other"));
  const auto excluded =
      filter<TableFilter>({{"database.exclude.list", "other"}, {"table.exclude.list", "shop.tmp_.*"}});
  EXPECT_TRUE(excluded.captures({"shop", "orders"}));
  EXPECT_FALSE(excluded.captures({"shop", "tmp_1"}));
  EXPECT_FALSE(excluded.captures({"other", "orders"}));
}

TEST(TableFilter, SignalTablesAreAlwaysCaptured) {
  const auto signals =
      filter<TableFilter>({{"database.include.list", "shop"}, {"signal.data.collection", "ops.signals, `ops`.`more`"}});
  EXPECT_TRUE(signals.captures({"ops", "signals"}));
  EXPECT_TRUE(signals.is_signal_table({"ops", "more"}));
  EXPECT_FALSE(signals.captures({"ops", "other"}));
  EXPECT_TRUE(signals.captures_database("ops"));
}

TEST(ColumnFilter, MatchesDatabaseTableColumn) {
  EXPECT_TRUE(filter<ColumnFilter>({}).includes({"d", "t"}, "c"));
  const auto include = filter<ColumnFilter>({{"column.include.list", "d\\.t\\.(a|b)"}});
  EXPECT_TRUE(include.includes({"d", "t"}, "A"));
  EXPECT_FALSE(include.includes({"d", "t"}, "c"));
  EXPECT_FALSE(include.includes({"d", "u"}, "a"));
  const auto exclude = filter<ColumnFilter>({{"column.exclude.list", ".*\\.secret"}});
  EXPECT_TRUE(exclude.includes({"d", "t"}, "a"));
  EXPECT_FALSE(exclude.includes({"d", "t"}, "secret"));
}

}  // namespace
}  // namespace millrace::mariadb
