#include "connectors/mariadb/capture/new_tables.h"

#include <gmock/gmock.h>

namespace millrace::mariadb {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string lists(std::string_view tables) {
  const mr_pair pairs[] = {{sdk::to_mr("table.include.list"), sdk::to_mr(tables)},
                           {sdk::to_mr("topic.prefix"), sdk::to_mr("p")}};
  return table_lists(sdk::Config({pairs, 2}, {}));
}

TEST(NewTables, AreThoseThatTheListsBeforeLeftOut) {
  EXPECT_EQ(lists("db.a"), R"({"table.include.list":"db.a"})");
  const std::vector<TableId> captured = {{"db", "a"}, {"db", "b"}, {"db", "c,d"}};
  EXPECT_THAT(brought_in(lists("db.a,db\\.c.*"), captured).value(), ElementsAre(TableId{"db", "b"}));
  EXPECT_THAT(brought_in(lists("db\\..*"), captured).value(), IsEmpty());
  EXPECT_THAT(brought_in("{}", captured).value(), IsEmpty());
}

TEST(NewTables, OtherTextsAreRefused) {
  for (const char* text : {"", "[]", "nonsense", R"({"table.include.list":"a["})"})
    EXPECT_FALSE(brought_in(text, {}).ok()) << text;
}

}  // namespace
}  // namespace millrace::mariadb
