#include "connect_client/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connect_client/config_diff.h"
#include "connect_client/trace.h"

namespace millrace::connect {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

TEST(Table, ColumnsAreAsWideAsTheirCharactersAndLinesEndWithoutBlanks) {
  Table table({"NAME", "STATE", "X"});
  table.add({"ünï", "RUNNING", ""}, {"a note"});
  table.add({"longer", "", "end"});
  EXPECT_EQ(table.text(), "NAME    STATE    X\nünï     RUNNING\n    a note\nlonger           end\n");
  EXPECT_THAT(table.text(true), HasSubstr("ünï     \033[32mRUNNING\033[0m\n"));
}

TEST(FirstLine, CutsAtCharactersNotInsideThem) {
  EXPECT_EQ(first_line("one\ntwo"), "one");
  EXPECT_EQ(first_line("äöüß", 3), "äö…");
  EXPECT_EQ(first_line("äöü", 3), "äöü");
}

TEST(Nearest, FindsTyposAndBeginningsButNotAnything) {
  const std::vector<std::string> names{"list", "status", "restart", "orders-sink"};
  EXPECT_EQ(nearest("lst", names), "list");
  EXPECT_EQ(nearest("sttaus", names), "status");
  EXPECT_EQ(nearest("ORDERS-SINK", names), "orders-sink");
  EXPECT_EQ(nearest("orders", names), "orders-sink");
  EXPECT_EQ(nearest("frobnicate", names), "");
  EXPECT_EQ(nearest("x", {"ab"}), "");
}

TEST(ConfigDiff, NamesWhatIsNewGoneAndOther) {
  const auto changes = diff({{"a", "1"}, {"gone", "x"}, {"same", "s"}}, {{"a", "2"}, {"new", "n"}, {"same", "s"}});
  EXPECT_THAT(diff_lines(changes, {}), ElementsAre("~ a = 1 → 2", "- gone = x", "+ new = n"));
  EXPECT_TRUE(diff({{"a", "1"}}, {{"a", "1"}}).empty());
}

TEST(ConfigDiff, HidesSecretsButNotVariables) {
  EXPECT_EQ(shown_value("connection.password", "abc"), "[hidden]");
  EXPECT_EQ(shown_value("sasl.jaas.config", "x"), "[hidden]");
  EXPECT_EQ(shown_value("pin", "1234", {"pin"}), "[hidden]");
  EXPECT_EQ(shown_value("connection.password", "${file:/s:pw}"), "${file:/s:pw}");
  EXPECT_EQ(shown_value("connection.password", "${file:/s:pw}tail"), "[hidden]");
  EXPECT_EQ(shown_value("connection.url", "jdbc:mysql://u:p@h/db?a=b&password=x&c=d"),
            "jdbc:mysql://u:[hidden]@h/db?a=b&password=[hidden]&c=d");
  EXPECT_EQ(shown_value("connection.url", "jdbc:mysql://h:3306/db"), "jdbc:mysql://h:3306/db");
  EXPECT_EQ(shown_value("topic", "orders"), "orders");
}

TEST(Providers, AreThoseOfVariablesWithAColon) {
  EXPECT_THAT(providers_of({{"a", "${file:/x:k} ${env:Y}"}, {"b", "${topic}-x"}, {"c", "${vault:p}"}}),
              UnorderedElementsAre("file", "env", "vault"));
}

constexpr std::string_view kTrace =
    "org.apache.kafka.connect.errors.ConnectException: Tolerance exceeded in error handler\n"
    "\tat org.apache.kafka.connect.runtime.X.y(X.java:1)\n"
    "Caused by: org.apache.kafka.connect.errors.DataException: JsonConverter with schemas.enable requires \"schema\"\n"
    "and a second line\n"
    "\tat Z.z(Z.java:2)\n\t... 13 more\n"
    "Caused by: java.io.IOException\n";

TEST(Trace, IsAChainWithoutFrames) {
  const auto causes = parse_trace(kTrace);
  ASSERT_EQ(causes.size(), 3u);
  EXPECT_EQ(causes[0].exception, "ConnectException");
  EXPECT_EQ(causes[1].message, "JsonConverter with schemas.enable requires \"schema\"\nand a second line");
  EXPECT_EQ(causes[2].exception, "IOException");
  EXPECT_EQ(causes[2].message, "");
  EXPECT_TRUE(parse_trace("").empty());
}

TEST(Trace, TheTellingMessageComesBeforeItsWrappers) {
  const Explanation explanation = explain(kTrace, "orders");
  EXPECT_THAT(explanation.what, HasSubstr("JsonConverter with schemas.enable"));
  EXPECT_THAT(explanation.to_do, HasSubstr("value.converter.schemas.enable=false"));
  EXPECT_THAT(explanation.to_do, HasSubstr("millrace connectors restart orders --failed"));
  EXPECT_EQ(explain("a.B: record of topic orders, partition 3, offset 77 is bad", "c").where,
            "topic orders, partition 3, offset 77");
  EXPECT_EQ(explain("", "c").what, "it failed without saying why");
  EXPECT_EQ(explain("plain words: no class", "c").what, "plain words: no class");
}

}  // namespace
}  // namespace millrace::connect
