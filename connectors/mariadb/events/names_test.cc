/// Options, topic names, key columns and the adjustment of names.
#include "connectors/mariadb/events/events_testing.h"

namespace millrace::mariadb::testing {
namespace {

TEST(NameAdjustment, SchemaNamesKeepTheirDots) {
  EXPECT_EQ(adjusted_schema_name(NameAdjustment::kNone, "1a-b.c"), "1a-b.c");
  EXPECT_EQ(adjusted_schema_name(NameAdjustment::kAvro, "a-b.2020.c_d$"), "a_b.2020.c_d_");
  EXPECT_EQ(adjusted_schema_name(NameAdjustment::kAvroUnicode, "a-b.c_d"), "a_u002db.c_u005fd");
}

TEST(NameAdjustment, FieldNames) {
  EXPECT_EQ(adjusted_field_name(NameAdjustment::kAvro, "1st.x"), "_1st_x");
  EXPECT_EQ(adjusted_field_name(NameAdjustment::kAvro,
                                "\xc3\xbc"
                                "ber"),
            "_ber");
  EXPECT_EQ(adjusted_field_name(NameAdjustment::kAvro, "\xf0\x9f\x98\x80"), "__") << "two units of UTF-16";
  EXPECT_EQ(adjusted_field_name(NameAdjustment::kAvroUnicode, "1a.b"), "_u0031a_u002eb");
  EXPECT_EQ(adjusted_field_name(NameAdjustment::kAvroUnicode, "\xf0\x9f\x98\x80"), "_ud83d_ude00");
  EXPECT_FALSE(parse_name_adjustment("field.name.adjustment.mode", "snake").ok());
}

TEST(Topics, AreCutAtKafkasLimit) {
  const TableId table{std::string(200, 'd'), std::string(200, 't')};
  EXPECT_EQ(events_of().rules->topics.data_topic(table).size(), 249U);
}

TEST(Topics, TheRegexStrategyRewrites) {
  const EventOptions events =
      events_of({{"topic.naming.strategy", "io.debezium.schema.DefaultRegexTopicNamingStrategy"},
                 {"topic.regex", "(.*)\\.(?<table>[a-z]+)_(\\d+)"},
                 {"topic.replacement", "$1.all_${table}\\$"},
                 {"topic.key.field.name", "shard"},
                 {"topic.key.field.regex", ".*_(\\d+)"},
                 {"topic.key.field.replacement", "s$1"}});
  const TopicNaming& topics = events.rules->topics;
  EXPECT_EQ(topics.data_topic({"db", "orders_12"}), "srv.db.all_orders_");
  EXPECT_EQ(topics.data_topic({"db", "orders"}), "srv.db.orders");
  EXPECT_EQ(topics.key_field(), "shard");
  EXPECT_EQ(topics.key_field_value({"db", "orders_12"}), "s12");
}

TEST(Topics, HeartbeatNames) {
  EXPECT_EQ(events_of().rules->topics.heartbeat_topic(), "__debezium-heartbeat.srv");
  EXPECT_EQ(events_of({{"heartbeat.topics.prefix", "old"}}).rules->topics.heartbeat_topic(), "old.srv");
  EXPECT_EQ(events_of({{"heartbeat.topics.prefix", "old"}, {"topic.heartbeat.prefix", "new"}})
                .rules->topics.heartbeat_topic(),
            "new.srv");
  EXPECT_EQ(events_of({{"topic.heartbeat.name", "beats"}}).rules->topics.heartbeat_topic(), "beats");
}

void expect_refused(const Settings& settings, std::string_view part) {
  const Result<EventOptions> parsed = parse_events(settings);
  ASSERT_FALSE(parsed.ok()) << part;
  EXPECT_EQ(parsed.status().code(), Code::kInvalidConfig);
  EXPECT_NE(parsed.status().message().find(part), std::string::npos) << parsed.status().message();
}

TEST(EventOptions, RefusesWhatCannotBe) {
  const std::string regex = "io.debezium.schema.DefaultRegexTopicNamingStrategy";
  expect_refused({{"topic.naming.strategy", "com.acme.Own"}}, "'com.acme.Own' is not available");
  expect_refused({{"topic.naming.strategy", regex}}, "'topic.regex' value is invalid: A value is required");
  expect_refused({{"topic.naming.strategy", regex}, {"topic.regex", "(a"}}, "topic.regex");
  expect_refused({{"topic.naming.strategy", regex}, {"topic.regex", "a"}, {"topic.replacement", "$1"}}, "No group 1");
  expect_refused({{"topic.delimiter", ":"}}, "topic.delimiter");
  expect_refused({{"message.key.columns", "db.t"}}, "'db.t' is not of the form");
  expect_refused({{"skipped.operations", "c,x"}}, "'x' is not one of c, u, d, t, none");
  expect_refused({{"schema.name.adjustment.mode", "java"}}, "schema.name.adjustment.mode");
  expect_refused({{"event.converting.failure.handling.mode", "hide"}}, "fail, warn, skip");
}

TEST(EventOptions, SkippedOperations) {
  EXPECT_TRUE(events_of().skip_truncate);
  const EventOptions none = events_of({{"skipped.operations", "none"}});
  EXPECT_FALSE(none.skip_truncate || none.skip_create || none.skip_update || none.skip_delete);
  const EventOptions some = events_of({{"skipped.operations", "C, d"}});
  EXPECT_TRUE(some.skip_create && some.skip_delete);
  EXPECT_FALSE(some.skip_update || some.skip_truncate);
}

TEST(EventOptions, RunIdsAreNewVersion7Uuids) {
  const std::string a = events_of().run_id, b = events_of().run_id;
  EXPECT_EQ(a.size(), 36U);
  EXPECT_EQ(a[14], '7');
  EXPECT_NE(a, b);
}

TEST(KeyColumns, KeepTheOrderOfTheSetting) {
  Result<KeyColumns> keys = KeyColumns::parse("shop.orders:qty,name; (.*).other:ID;");
  ASSERT_TRUE(keys.ok());
  TableDefinition table = orders();
  EXPECT_EQ(keys->of(table), (std::vector<size_t>{2, 1}));
  table.id.table = "other";
  EXPECT_EQ(keys->of(table), (std::vector<size_t>{0}));
  table.id.table = "third";
  EXPECT_EQ(keys->of(table), (std::vector<size_t>{0})) << "the primary key";
  table.primary_key.clear();
  EXPECT_TRUE(keys->of(table).empty());
}

}  // namespace
}  // namespace millrace::mariadb::testing
