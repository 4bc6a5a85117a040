/// Change events, their types, wall clock values, geometries and field lists: all that needs no server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connectors/jdbc/change_event.h"
#include "connectors/jdbc/debezium_sink_config.h"
#include "connectors/jdbc/debezium_types.h"
#include "connectors/jdbc/geometry.h"
#include "connectors/jdbc/temporal.h"

namespace millrace::jdbc {
namespace {

using ::testing::HasSubstr;
using Pairs = std::vector<std::pair<std::string, std::string>>;

std::string shown(CellForm form, const mr_value& value, const WriteOptions& options = {}) {
  WallTime wall;
  const Status s = wall_time(form, value, options, wall);
  return s.ok() ? quoted(wall) : s.message();
}
mr_value count(int64_t n) { return sdk::int_value(MR_INT64, n); }
mr_value text(std::string_view t) { return sdk::string_value(t); }

TEST(Temporal, CountsInTheGregorianCalendarWithoutZones) {
  WriteOptions west;
  west.clock.zone = west.date_zone = *TimeZone::load("-08:00");
  EXPECT_EQ(shown(CellForm::kEventDate, count(0), west), "'1970-01-01'");
  EXPECT_EQ(shown(CellForm::kDate, count(0), west), "'1969-12-31'");  // Connect's, moved into the zone
  EXPECT_EQ(shown(CellForm::kEventDate, count(-141438)), "'1582-10-04'");
  EXPECT_EQ(shown(CellForm::kEventMicros, count(-1), west), "'1969-12-31 23:59:59.999999'");
  EXPECT_EQ(shown(CellForm::kEventNanos, count(-1)), "'1969-12-31 23:59:59.999999'");
}

TEST(Temporal, DurationsAreSignedAndLongerThanADay) {
  EXPECT_EQ(shown(CellForm::kTimeMillis, count(-1)), "'-00:00:00.001000'");
  EXPECT_EQ(shown(CellForm::kTimeMicros, count(3'020'399'999'999)), "'838:59:59.999999'");
  EXPECT_THAT(shown(CellForm::kTimeMicros, count(3'020'400'000'000)), HasSubstr("outside the range of TIME"));
  EXPECT_THAT(shown(CellForm::kTimeNanos, count(INT64_MIN)), HasSubstr("outside the range of TIME"));
}

TEST(Temporal, ReadsIsoTexts) {
  EXPECT_EQ(shown(CellForm::kZonedTimestamp, text("1969-12-31T23:59:59.9999999Z")), "'1969-12-31 23:59:59.999999'");
  EXPECT_EQ(shown(CellForm::kZonedTimestamp, text("2024-01-01T00:00+05:30")), "'2023-12-31 18:30:00.000000'");
  EXPECT_EQ(shown(CellForm::kIsoDate, text("2017-09-15")), "'2017-09-15'");
  EXPECT_EQ(shown(CellForm::kIsoTimestamp, text("2017-09-15T01:02:03")), "'2017-09-15 01:02:03.000000'");
  for (const char* bad : {"", "2017", "2017-13-01T00:00:00Z", "2017-01-01", "2017-01-01T25:00:00Z",
                          "2017-01-01T00:00:00Zx", "2017-01-01T00:00:00+", "+12345-01-01T00:00:00Z"}) {
    EXPECT_THAT(shown(CellForm::kZonedTimestamp, text(bad)), HasSubstr("is no ISO 8601 text")) << bad;
  }
}

TEST(Temporal, RefusesYearsThatNoColumnHas) {
  EXPECT_THAT(shown(CellForm::kEventDate, count(4'000'000)), HasSubstr("outside the years"));
  EXPECT_THAT(shown(CellForm::kEventMillis, count(-99'999'999'999'999)), HasSubstr("outside the years"));
}

TEST(Geometry, TurnsByteOrdersAndTakesTheSridInside) {
  connectors::ByteArena arena;
  const std::string numbers("\0\0\0\0\0\0\xF0\x3F\0\0\0\0\0\0\0\x40", 16),
      turned("\x3F\xF0\0\0\0\0\0\0\x40\0\0\0\0\0\0\0", 16);
  const std::string little = std::string("\x01\x01\0\0\0", 5) + numbers,
                    stored = std::string("\xE6\x10\0\0", 4) + little;
  EXPECT_EQ(*stored_geometry(little, 4326, arena), stored);
  EXPECT_EQ(*stored_geometry(std::string("\0\0\0\0\x01", 5) + turned, 4326, arena), stored);
  EXPECT_EQ(*stored_geometry(std::string("\x01\x01\0\0\x20\xE6\x10\0\0", 9) + numbers, 0, arena), stored);
  EXPECT_EQ(stored_point(1, 2, 4326, arena), stored);
  const std::string polygon = std::string("\0\0\0\0\x03\0\0\0\x01\0\0\0\x01", 13) + turned;
  EXPECT_EQ(stored_geometry(polygon, 0, arena)->substr(4),
            std::string("\x01\x03\0\0\0\x01\0\0\0\x01\0\0\0", 13) + numbers);
}

TEST(Geometry, RefusesWhatIsNone) {
  connectors::ByteArena arena;
  const std::string point("\x01\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 21);
  for (size_t size = 0; size < point.size(); ++size) {
    EXPECT_FALSE(stored_geometry(std::string_view(point).substr(0, size), 0, arena).ok()) << size;
  }
  EXPECT_FALSE(stored_geometry(point + "x", 0, arena).ok());
  EXPECT_FALSE(stored_geometry(std::string("\x01\x02\0\0\0\xFF\xFF\xFF\xFF", 9), 0, arena).ok());
  std::string nested;
  for (int i = 0; i < 10'000; ++i) nested += std::string("\x01\x07\0\0\0\x01\0\0\0", 9);
  EXPECT_FALSE(stored_geometry(nested, 0, arena).ok());
}

TEST(FieldLists, NameFieldsOfAllTopicsOrOfOne) {
  auto include = FieldFilter::make({"a", "t\\..*:b"}, {});
  ASSERT_TRUE(include.ok());
  EXPECT_TRUE(include->takes("x", "a"));
  EXPECT_FALSE(include->takes("x", "ab"));
  EXPECT_TRUE(include->takes("t.u", "b"));
  EXPECT_FALSE(include->takes("x", "b"));
  EXPECT_FALSE(FieldFilter::make({}, {"a"})->takes("x", "a"));
  EXPECT_TRUE(FieldFilter::make({}, {})->takes("x", "a"));
  EXPECT_FALSE(FieldFilter::make({"a"}, {"b"}).ok());
  EXPECT_FALSE(FieldFilter::make({"("}, {}).ok());
}

Result<SinkConfig> debezium(const Pairs& more) {
  std::vector<mr_pair> pairs{{sdk::to_mr("connection.url"), sdk::to_mr("jdbc:mariadb://h/shop")}};
  for (const auto& [key, value] : more) pairs.push_back({sdk::to_mr(key), sdk::to_mr(value)});
  return parse_debezium_sink(sdk::Config(mr_config{pairs.data(), pairs.size()}, debezium_sink_config_keys()));
}

TEST(DebeziumSettings, HaveDebeziumsDefaults) {
  auto config = debezium({});
  ASSERT_TRUE(config.ok()) << config.status().message();
  EXPECT_EQ(config->insert_mode, InsertMode::kInsert);
  EXPECT_EQ(config->key_mode, KeyMode::kNone);
  EXPECT_EQ(config->batch_size, 500U);
  EXPECT_EQ(config->retries_max, 5);
  EXPECT_EQ(config->retry_backoff_ms, 1000);
  EXPECT_EQ(config->table_name_format, "${topic}");
  EXPECT_TRUE(config->underscore_topic && config->event_types && config->ignore_tombstones);
  EXPECT_FALSE(config->auto_create || config->auto_evolve || config->delete_enabled || config->truncate_enabled);
}

TEST(DebeziumSettings, MeanTheSameAsOurs) {
  auto config = debezium({{"connection.username", "u"},
                          {"connection.password", "p"},
                          {"connection.pool.max_size", "9"},
                          {"schema.evolution", "basic"},
                          {"insert.mode", "upsert"},
                          {"primary.key.mode", "record_key"},
                          {"primary.key.fields", "a, b"},
                          {"delete.enabled", "true"},
                          {"truncate.enabled", "true"},
                          {"database.time_zone", "+02:00"},
                          {"table.name.format", "x_${topic}"}});
  ASSERT_TRUE(config.ok()) << config.status().message();
  EXPECT_EQ(config->connection.user, "u");
  EXPECT_EQ(config->connection.password, "p");
  EXPECT_FALSE(config->connection.url.parameters.contains("pool.max_size"));
  EXPECT_TRUE(config->auto_create && config->auto_evolve && config->delete_enabled && config->truncate_enabled);
  EXPECT_EQ(config->key_fields, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(config->write.clock.zone.offset_at(0), 7200);
  EXPECT_TRUE(config->write.date_zone.utc());
  EXPECT_EQ(config->table_name_format, "x_${topic}");
  EXPECT_EQ(debezium({{"collection.name.format", "new"}, {"table.name.format", "old"}})->table_name_format, "new");
  EXPECT_FALSE(debezium({{"delete.enabled", "true"}}).ok());
}

TEST(KeyValues, AreTheSameByContent) {
  const mr_value a[] = {count(1), text("x")}, b[] = {count(1), text(std::string_view("xy").substr(0, 1))};
  mr_value left{}, right{};
  left.kind = right.kind = MR_STRUCT;
  left.size = right.size = 2;
  left.u.items = a;
  right.u.items = b;
  EXPECT_TRUE(same_value(left, right));
  const mr_value c[] = {count(1), text("y")};
  right.u.items = c;
  EXPECT_FALSE(same_value(left, right));
  EXPECT_FALSE(same_value(left, mr_value{}));
}

}  // namespace
}  // namespace millrace::jdbc
