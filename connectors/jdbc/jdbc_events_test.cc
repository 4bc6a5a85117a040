/// What change events do to a table.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "connectors/jdbc/jdbc_events_test.h"

namespace millrace::jdbc {
namespace {

using ::testing::HasSubstr;

INSTANTIATE_TEST_SUITE_P(Sinks, BothSinks, ::testing::Values(kSink, kDebezium));

TEST_P(BothSinks, ApplyCreatesUpdatesReadsAndDeletes) {
  upsert("r", 1, text("one"));
  upsert("c", 2, text("two"));
  upsert("c", 3, mr_value{});
  upsert("u", 1, text("uno"));
  event("d", 2, std::nullopt);
  tombstone(2);
  expect_put(GetParam(), {{"delete.enabled", "true"}});
  EXPECT_EQ(rows(), (Rows{{"1", "uno"}, {"3", "\\N"}}));
  EXPECT_EQ(columns("p_shop_orders"), (Rows{{"id", "int(11)", "NO"}, {"name", "longtext", "YES"}}));
}

TEST_P(BothSinks, FollowAChangedKey) {
  upsert("c", 1, text("moves"));
  event("d", 1, std::nullopt);
  tombstone(1);
  upsert("c", 9, text("moved"));
  event("d", 9, std::nullopt);
  tombstone(9);
  upsert("c", 1, text("back"));
  expect_put(GetParam(), {{"delete.enabled", "true"}});
  EXPECT_EQ(rows(), (Rows{{"1", "back"}}));
}

TEST_P(BothSinks, SkipDeletesAndTruncatesThatAreNotEnabled) {
  upsert("c", 1, text("stays"));
  event("d", 1, std::nullopt);
  tombstone(1);
  event("t", std::nullopt, std::nullopt);
  event("m", std::nullopt, std::nullopt);
  expect_put(GetParam(), {});
  EXPECT_EQ(rows(), (Rows{{"1", "stays"}}));
}

TEST_P(BothSinks, TruncateInOrder) {
  event("t", std::nullopt, std::nullopt);  // before there is a table
  upsert("c", 1, text("gone"));
  event("t", std::nullopt, std::nullopt);
  upsert("c", 2, text("after"));
  expect_put(GetParam(), {{"truncate.enabled", "true"}});
  EXPECT_EQ(rows(), (Rows{{"2", "after"}}));
}

TEST_P(BothSinks, ADeleteBeforeItsTableExistsIsNothing) {
  event("d", 7, std::nullopt);
  tombstone(7);
  upsert("c", 8, text("x"));
  expect_put(GetParam(), {{"delete.enabled", "true"}});
  EXPECT_EQ(rows(), (Rows{{"8", "x"}}));
}

TEST_P(BothSinks, RefuseAnEventWithoutItsKey) {
  event("c", std::nullopt, {{number(1), text("x")}});
  EXPECT_THAT(put(GetParam(), {}).message(), HasSubstr("requires records with a non-null key"));
}

TEST_P(BothSinks, AddAColumnInMidStream) {
  upsert("c", 1, text("old"));
  SchemaSpec required = spec(MR_INT32, "", false);
  use({{"id", spec(MR_INT32, "", false)}, {"name", spec(MR_STRING)}, {"qty", spec(MR_INT64)}, {"must", required}});
  event("u", 1, {{number(1), text("new"), number(5, MR_INT64), number(6)}});
  event("c", 2, {{number(2), text("two"), mr_value{}, number(7)}});
  event("d", 1, std::nullopt);
  expect_put(GetParam(), {{"delete.enabled", "true"}});
  EXPECT_EQ(rows(), (Rows{{"2", "two", "\\N", "7"}}));
}

TEST_P(BothSinks, LeaveAnUnavailableColumnAsItIs) {
  use({{"id", spec(MR_INT32, "", false)}, {"name", spec(MR_STRING)}, {"big", spec(MR_STRING, "", false)}});
  const mr_value mark = text("__debezium_unavailable_value");
  event("c", 1, {{number(1), text("a"), text("large 1")}});
  event("c", 2, {{number(2), text("b"), text("large 2")}});
  event("u", 1, {{number(1), text("c"), mark}});
  event("u", 2, {{number(2), mark, mark}});
  event("u", 1, {{number(1), text("d"), mark}});
  event("u", 2, {{number(2), text("e"), text("small 2")}});
  expect_put(GetParam(), {});
  EXPECT_EQ(rows(), (Rows{{"1", "d", "large 1"}, {"2", "e", "small 2"}}));
  event("u", 1, {{number(1), mark, text("small 1")}});
  event("u", 2, {{number(2), mark, mark}});
  expect_put(GetParam(), {{"insert.mode", "update"}});
  EXPECT_EQ(rows(), (Rows{{"1", "d", "small 1"}, {"2", "e", "small 2"}}));
}

TEST_P(BothSinks, KeepANullWhereTheColumnHasADefault) {
  SchemaSpec qty = spec(MR_INT32);
  qty.default_value = number(42);
  use({{"id", spec(MR_INT32, "", false)}, {"qty", qty}});
  event("c", 1, {{number(1), mr_value{}}});
  expect_put(GetParam(), {});
  EXPECT_EQ(rows(), (Rows{{"1", "\\N"}}));
}

TEST_P(BothSinks, SkipSchemaChanges) {
  mr_record made = record(std::nullopt);
  made.value_schema = schema(row_of({{"ddl", spec(MR_STRING)}}, "io.debezium.connector.mariadb.SchemaChangeValue"));
  made.value = structure({text("drop table t")});
  records_.push_back(made);
  expect_put(GetParam(), {});
  EXPECT_EQ(host_.logged(MR_WARN, "are no rows and are skipped"), 1U);
}

TEST_F(Events, ATombstoneOfOtherKeysStillFailsWithoutDeletes) {
  key_ = schema(row_of({{"id", spec(MR_INT32, "", false)}}, "", false));
  tombstone(1);
  EXPECT_THAT(put(kSink, {}).message(), HasSubstr("with a null value"));
}

TEST_F(Events, DebeziumNamesTablesBySourceAndFiltersFields) {
  event("c", 1, {{number(1), text("a")}}, "first");
  event("c", 2, {{number(2), text("b")}}, "second");
  event("d", 1, std::nullopt, "first");
  tombstone(1);
  event("c", 3, {{number(3), text("c")}}, "first");
  expect_put(kDebezium, {{"delete.enabled", "true"},
                         {"collection.name.format", "${source.db}.x_${source.table}"},
                         {"field.exclude.list", "p\\.shop\\.orders:na.e"}});
  EXPECT_EQ(rows("select * from x_first"), (Rows{{"3"}}));
  EXPECT_EQ(rows("select * from x_second"), (Rows{{"2"}}));
}

TEST_F(Events, DebeziumTakesKeysFromHeaders) {
  mr_header header{};
  header.key = sdk::to_mr("tenant");
  header.schema = schema(spec(MR_STRING, "", false));
  header.value = text("acme");
  upsert("c", 1, text("a"));
  records_.back().headers = &header;
  records_.back().header_count = 1;
  expect_put(kDebezium, {{"primary.key.mode", "record_header"}, {"primary.key.fields", "tenant"}});
  EXPECT_EQ(rows("select tenant, id, name from p_shop_orders"), (Rows{{"acme", "1", "a"}}));
}

TEST_F(Events, AKeyHeaderMayChangeItsType) {
  mr_header headers[3] = {};
  const mr_schema_id texts = schema(spec(MR_STRING, "", false)), numbers = schema(spec(MR_INT64, "", false));
  const mr_value values[] = {text("acme"), number(7, MR_INT64), text("zeta")};
  for (int i = 0; i < 3; ++i) {
    headers[i].key = sdk::to_mr("tenant");
    headers[i].schema = i == 1 ? numbers : texts;
    headers[i].value = values[i];
    upsert("c", i, text("a"));
    records_.back().headers = &headers[i];
    records_.back().header_count = 1;
  }
  expect_put(kDebezium, {{"primary.key.mode", "record_header"}});
  EXPECT_EQ(rows("select tenant, id from p_shop_orders order by id"), (Rows{{"acme", "0"}, {"7", "1"}, {"zeta", "2"}}));
}

/// MariaDB commits what comes before DDL; the rows must not come again when a later record is refused.
TEST_F(Events, ABadRecordBehindAChangeOfTheTableRepeatsNothing) {
  const FakeHost::Settings inserts = {{"insert.mode", "insert"}, {"pk.mode", "none"}};
  const auto at = spec(MR_STRING, "io.debezium.time.ZonedTimestamp");
  const mr_value good = text("2024-01-01T00:00:00Z"), bad = text("yesterday");
  use({{"id", spec(MR_INT32, "", false)}, {"at", at}});
  event("c", 1, {{number(1), good}});
  use({{"id", spec(MR_INT32, "", false)}, {"at", at}, {"qty", spec(MR_INT64)}});
  event("c", 2, {{number(2), good, mr_value{}}});
  event("c", 3, {{number(3), bad, mr_value{}}});
  event("c", 4, {{number(4), good, mr_value{}}});
  expect_put(kSink, inserts);
  EXPECT_EQ(rows("select id from p_shop_orders order by id"), (Rows{{"1"}, {"2"}, {"4"}}));
  ASSERT_EQ(host_.reports().size(), 1U);
  EXPECT_EQ(host_.reports()[0].index, 2U);
  // Here the table changes only while the bad ones are looked for.
  event("c", 5, {{number(5), bad, mr_value{}}});
  event("c", 6, {{number(6), good, mr_value{}}});
  use({{"id", spec(MR_INT32, "", false)}, {"at", at}, {"price", spec(MR_INT64)}});
  event("c", 7, {{number(7), good, mr_value{}}});
  event("c", 8, {{number(8), bad, mr_value{}}});
  expect_put(kSink, inserts);
  EXPECT_EQ(rows("select id from p_shop_orders order by id"), (Rows{{"1"}, {"2"}, {"4"}, {"6"}, {"7"}}));
  EXPECT_EQ(host_.reports().size(), 3U);
}

TEST_F(Events, APutThatIsTriedAgainGoesOnBehindItsCommittedRecords) {
  const auto at = spec(MR_STRING, "io.debezium.time.ZonedTimestamp");
  const mr_value good = text("2024-01-01T00:00:00Z"), bad = text("yesterday");
  use({{"id", spec(MR_INT32, "", false)}, {"at", at}});
  event("c", 1, {{number(1), good}});
  use({{"id", spec(MR_INT32, "", false)}, {"at", at}, {"qty", spec(MR_INT64)}});
  event("c", 2, {{number(2), bad, mr_value{}}});
  event("c", 3, {{number(3), good, mr_value{}}});
  sdk::TaskRunner task(
      host_, FakeHost::connector(mr_plugin, kSink),
      settings(kSink,
               {{"insert.mode", "insert"}, {"pk.mode", "none"}, {"max.retries", "1"}, {"retry.backoff.ms", "1"}}));
  ASSERT_TRUE(task.start().ok());
  EXPECT_EQ(task.put(records_).code(), sdk::Code::kUnavailable);
  EXPECT_EQ(rows("select id from p_shop_orders order by id"), (Rows{{"1"}}));
  EXPECT_TRUE(task.put(records_).ok());
  EXPECT_EQ(rows("select id from p_shop_orders order by id"), (Rows{{"1"}, {"3"}}));
  ASSERT_EQ(host_.reports().size(), 1U);
  EXPECT_EQ(host_.reports()[0].index, 1U);
}

TEST_F(Events, OfOneKeyTheLastRecordOfABatchIsWritten) {
  ASSERT_EQ(
      server_->run(
          {"create table p_shop_orders(id varchar(20) not null primary key, name text)", "create table log(name text)",
           "create trigger i after insert on p_shop_orders for each row insert into log values (new.name)",
           "create trigger u after update on p_shop_orders for each row insert into log values (new.name)"},
          "shop"),
      "");
  const mr_schema_id plain = schema(row_of({{"id", spec(MR_STRING, "", false)}, {"name", spec(MR_STRING)}}, "", false));
  for (const char* mode : {"upsert", "update"}) {
    for (const auto& [id, name] : std::initializer_list<std::pair<const char*, const char*>>{
             {"a", "1"}, {"b", "2"}, {"a", "3"}, {"A", "4"}, {"b", "5"}, {"", "6"}, {"", "7"}}) {
      mr_record made = record(std::nullopt);
      made.value_schema = plain;
      made.value = structure({text(id), text(name)});
      records_.push_back(made);
    }
    expect_put(kSink, {{"insert.mode", mode}, {"pk.mode", "record_value"}, {"pk.fields", "id"}});
    EXPECT_EQ(rows(), (Rows{{"", "7"}, {"a", "4"}, {"b", "5"}}));
    // Only the server's collation holds a and A equal.
    EXPECT_EQ(rows("select * from log"), (Rows{{"3"}, {"4"}, {"5"}, {"7"}})) << mode;
    ASSERT_EQ(server_->run({"delete from log", "update p_shop_orders set name=''", "delete from log"}, "shop"), "");
  }
}

TEST_F(Events, ADecimalNumberThatIsTooLongIsRefused) {
  use({{"id", spec(MR_INT32, "", false)},
       {"n", with(spec(MR_BYTES, "org.apache.kafka.connect.data.Decimal"), "scale", "0")}});
  const std::string digits(129, '\x11');
  mr_value huge = bytes(digits);
  huge.kind = MR_DECIMAL;
  event("c", 1, {{number(1), huge}});
  expect_put(kSink, {});
  EXPECT_EQ(rows("select id from p_shop_orders"), Rows{});
  ASSERT_EQ(host_.reports().size(), 1U);
  EXPECT_THAT(host_.reports()[0].message, HasSubstr("a decimal number of 129 bytes with scale 0; at most 128 bytes"));
}

TEST_F(Events, DebeziumsSettingsAreCheckedAgainstEachOther) {
  const auto complaints = [&](FakeHost::Settings more) {
    FakeHost host;
    std::vector<mr_pair> pairs;
    const auto config = settings(kDebezium, std::move(more));
    for (const auto& [key, value] : config) pairs.push_back({sdk::to_mr(key), sdk::to_mr(value)});
    const mr_config raw{pairs.data(), pairs.size()};
    mr_error error{};
    FakeHost::connector(mr_plugin, kDebezium)->validate(host.context(), &raw, &error);
    std::string keys;
    for (const auto& complaint : host.config_errors()) keys += complaint.key + ";";
    return keys;
  };
  EXPECT_EQ(complaints({}), "");
  EXPECT_EQ(complaints({{"primary.key.mode", "none"}}), "insert.mode;");
  EXPECT_EQ(complaints({{"delete.enabled", "true"}, {"primary.key.mode", "record_value"}}), "delete.enabled;");
  EXPECT_EQ(complaints({{"field.include.list", "a"}, {"field.exclude.list", "b"}}), "field.include.list;");
  EXPECT_EQ(complaints({{"connection.password", "wrong"}}), "connection.url;");
}

/// Thousands of events in one put, so that the bulk statements of several kinds meet.
TEST_P(BothSinks, KeepTheOrderOfManyEvents) {
  constexpr int kKeys = 50, kEvents = 5000;
  std::map<int, std::string> expected;
  std::deque<std::string> names;
  for (int i = 0; i < kEvents; ++i) {
    const int key = i * 7919 % kKeys;
    if (i % 11 == 0 && expected.contains(key)) {
      event("d", key, std::nullopt);
      tombstone(key);
      expected.erase(key);
    } else {
      upsert(expected.contains(key) ? "u" : "c", key, text(names.emplace_back("n" + std::to_string(i))));
      expected[key] = names.back();
    }
  }
  expect_put(GetParam(), {{"delete.enabled", "true"}});
  Rows left;
  for (const auto& [key, name] : expected) left.push_back({std::to_string(key), name});
  EXPECT_EQ(rows(), left);
}

TEST_P(BothSinks, ReportTheEventThatCannotBeWritten) {
  use({{"id", spec(MR_INT32, "", false)}, {"at", spec(MR_STRING, "io.debezium.time.ZonedTimestamp")}});
  event("c", 1, {{number(1), text("2024-01-01T00:00:00Z")}});
  event("c", 2, {{number(2), text("yesterday")}});
  event("c", 3, {{number(3), text("2024-01-03T00:00:00Z")}});
  expect_put(GetParam(), {{GetParam() == kDebezium ? "flush.max.retries" : "max.retries", "0"}});
  EXPECT_EQ(rows("select id from p_shop_orders order by id"), (Rows{{"1"}, {"3"}}));
  ASSERT_EQ(host_.reports().size(), 1U);
  EXPECT_EQ(host_.reports()[0].index, 1U);
  EXPECT_THAT(host_.reports()[0].message, HasSubstr("'yesterday' is no ISO 8601 text"));
}

}  // namespace
}  // namespace millrace::jdbc
