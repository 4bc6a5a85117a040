/// Debezium's change events into a private MariaDB server, through both sinks of the plugin.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <millrace/testing.hpp>

#include "connectors/common/schema_spec.h"
#include "tests/support/mariadb_server.h"

extern "C" const mr_plugin_v1* mr_plugin(const mr_host_v1* host) noexcept;

namespace millrace::jdbc {
namespace {

using connectors::SchemaSpec;
using sdk::FakeHost;
using ::testing::HasSubstr;
using Row = std::vector<std::string>;
using Rows = std::vector<Row>;

constexpr std::string_view kSink = "JdbcSink", kDebezium = "io.debezium.connector.jdbc.JdbcSinkConnector";

SchemaSpec spec(mr_kind type, std::string name = "", bool optional = true) {
  SchemaSpec out;
  out.type = type;
  out.optional = optional;
  out.name = std::move(name);
  return out;
}

SchemaSpec with(SchemaSpec out, std::string key, std::string value) {
  out.parameters.emplace_back(std::move(key), std::move(value));
  return out;
}

SchemaSpec row_of(std::vector<SchemaSpec::Field> fields, std::string name = "", bool optional = true) {
  SchemaSpec out = spec(MR_STRUCT, std::move(name), optional);
  out.fields = std::move(fields);
  return out;
}

mr_value number(int64_t n, mr_kind kind = MR_INT32) { return sdk::int_value(kind, n); }
mr_value text(std::string_view t) { return sdk::string_value(t); }
mr_value bytes(std::string_view b) {
  mr_value value = sdk::string_value(b);
  value.kind = MR_BYTES;
  return value;
}
mr_value real(double d) {
  mr_value value{};
  value.kind = MR_FLOAT64;
  value.u.f64 = d;
  return value;
}

/// Makes schemas and records as Debezium's source does, of one table whose key is `id`.
class Events : public ::testing::Test {
 protected:
  void SetUp() override {
    static millrace::testing::MariaDbServer server;
    server_ = &server;
    if (!server_->problem().empty()) GTEST_SKIP() << server_->problem();
    ASSERT_EQ(server_->run({"drop database if exists shop", "create database shop character set utf8mb4"}), "");
    key_ = schema(row_of({{"id", spec(MR_INT32, "", false)}}, "p.shop.orders.Key", false));
    use({{"id", spec(MR_INT32, "", false)}, {"name", spec(MR_STRING)}});
  }
  mr_schema_id schema(const SchemaSpec& made) {
    // The host numbers children first, as register_with does in a task.
    std::vector<mr_pair> pairs;
    for (const auto& [key, value] : made.parameters) pairs.push_back({sdk::to_mr(key), sdk::to_mr(value)});
    std::vector<mr_field> fields;
    for (const auto& field : made.fields) fields.push_back({sdk::to_mr(field.name), schema(field.schema), 0});
    mr_schema raw{};
    raw.struct_size = sizeof(raw);
    raw.type = static_cast<uint8_t>(made.type);
    raw.optional = made.optional ? 1 : 0;
    if (!made.name.empty()) raw.name = sdk::to_mr(made.name);
    raw.parameters = pairs.data();
    raw.parameter_count = pairs.size();
    raw.fields = fields.data();
    raw.field_count = fields.size();
    raw.has_default = made.default_value ? 1 : 0;
    if (made.default_value) raw.default_value = *made.default_value;
    return host_.add_schema(raw);
  }
  /// The row of the events that follow.
  void use(std::vector<SchemaSpec::Field> columns) {
    const SchemaSpec row = row_of(std::move(columns), "p.shop.orders.Value");
    const SchemaSpec source = row_of({{"db", spec(MR_STRING, "", false)}, {"table", spec(MR_STRING)}},
                                     "io.debezium.connector.mariadb.Source", false);
    row_ = schema(row);
    envelope_ = schema(row_of({{"before", row}, {"after", row}, {"source", source}, {"op", spec(MR_STRING, "", false)}},
                              "p.shop.orders.Envelope", false));
  }
  mr_value structure(std::vector<mr_value> members) {
    const auto& kept = values_.emplace_back(std::move(members));
    mr_value value{};
    value.kind = MR_STRUCT;
    value.size = static_cast<uint32_t>(kept.size());
    value.u.items = kept.data();
    return value;
  }
  mr_record record(std::optional<int> key) {
    mr_record made{};
    made.topic = sdk::to_mr("p.shop.orders");
    made.original_topic = made.topic;
    if (key) {
      made.key_schema = key_;
      made.key = structure({number(*key)});
    }
    made.offset = static_cast<int64_t>(records_.size());
    made.timestamp_ms = MR_NO_TIMESTAMP;
    return made;
  }
  void event(std::string_view op, std::optional<int> key, std::optional<std::vector<mr_value>> after,
             std::string_view table = "orders") {
    mr_record made = record(key);
    made.value_schema = envelope_;
    made.value = structure({mr_value{}, after ? structure(std::move(*after)) : mr_value{},
                            structure({text("shop"), text(table)}), text(op)});
    records_.push_back(made);
  }
  void upsert(std::string_view op, int key, mr_value name) { event(op, key, {{number(key), name}}); }
  void tombstone(int key) { records_.push_back(record(key)); }

  FakeHost::Settings settings(std::string_view sink, FakeHost::Settings more) const {
    const bool debezium = sink == kDebezium;
    more.insert({{"connection.url", server_->url("mariadb", "shop")},
                 {debezium ? "connection.username" : "connection.user", server_->user()},
                 {"connection.password", server_->password()},
                 {"insert.mode", "upsert"},
                 {debezium ? "primary.key.mode" : "pk.mode", "record_key"}});
    if (debezium) {
      more.insert({{"schema.evolution", "basic"}});
    } else {
      more.insert({{"auto.create", "true"},
                   {"auto.evolve", "true"},
                   {"max.retries", "0"},
                   {"table.name.format", "p_shop_orders"}});
    }
    return more;
  }
  /// One task that puts all records so far at once.
  sdk::Status put(std::string_view sink, FakeHost::Settings more) {
    sdk::TaskRunner task(host_, FakeHost::connector(mr_plugin, sink), settings(sink, std::move(more)));
    if (auto s = task.start(); !s.ok()) return s;
    return task.put(std::exchange(records_, {}));
  }
  void expect_put(std::string_view sink, FakeHost::Settings more) {
    const auto status = put(sink, std::move(more));
    EXPECT_TRUE(status.ok()) << status.message();
  }
  Rows rows(const std::string& sql = "select * from p_shop_orders order by id") const {
    return server_->query(sql, "shop").rows;
  }
  Rows columns(const std::string& table) const {
    return server_
        ->query(
            "select column_name, column_type, is_nullable from information_schema.columns where "
            "table_schema='shop' and table_name='" +
            table + "' order by ordinal_position")
        .rows;
  }

  static millrace::testing::MariaDbServer* server_;
  FakeHost host_;
  mr_schema_id key_ = 0, row_ = 0, envelope_ = 0;
  std::deque<std::vector<mr_value>> values_;
  std::vector<mr_record> records_;
};
millrace::testing::MariaDbServer* Events::server_ = nullptr;

/// Both sinks; they must agree.
class BothSinks : public Events, public ::testing::WithParamInterface<std::string_view> {};
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

/// A row without an envelope, as ExtractNewRecordState leaves it: Confluent's sink has numbers, Debezium's has dates.
TEST_F(Events, FlatRowsHaveTheTypesOfTheirSink) {
  use({{"id", spec(MR_INT32, "", false)}, {"day", spec(MR_INT32, "io.debezium.time.Date")}});
  const auto flat = [&] {
    mr_record made = record(1);
    made.value_schema = row_;
    made.value = structure({number(1), number(19000)});
    records_.push_back(made);
  };
  flat();
  expect_put(kSink, {{"table.name.format", "numbers"}});
  EXPECT_EQ(rows("select day from numbers"), (Rows{{"19000"}}));
  flat();
  expect_put(kSink, {{"table.name.format", "dates"}, {"millrace.debezium.types", "always"}});
  EXPECT_EQ(rows("select day from dates"), (Rows{{"2022-01-08"}}));
  flat();
  expect_put(kDebezium, {});
  EXPECT_EQ(rows("select day from p_shop_orders"), (Rows{{"2022-01-08"}}));
}

struct TypeCase {
  SchemaSpec schema;
  mr_value value;
  std::string type, shown;  ///< column type; the column as text
};

/// Every semantic type: its column, and a value there and back.
TEST_P(BothSinks, WriteEverySemanticType) {
  const std::string t = "io.debezium.time.", d = "io.debezium.data.";
  mr_value decimal = bytes("\x04\xD2");  // 1234
  decimal.kind = MR_DECIMAL;
  decimal.scale = 2;
  const std::string big_endian("\x00\x00\x00\x00\x01\x3F\xF0\x00\x00\x00\x00\x00\x00\x40\x00\x00\x00\x00\x00\x00\x00",
                               21);
  const SchemaSpec point =
      row_of({{"x", spec(MR_FLOAT64)}, {"y", spec(MR_FLOAT64)}, {"wkb", spec(MR_BYTES)}, {"srid", spec(MR_INT32)}},
             d + "geometry.Point");
  const SchemaSpec geometry = row_of({{"wkb", spec(MR_BYTES)}, {"srid", spec(MR_INT32)}}, d + "geometry.Geometry");
  const SchemaSpec scaled = row_of({{"scale", spec(MR_INT32)}, {"value", spec(MR_BYTES)}}, d + "VariableScaleDecimal");
  const std::string type = "__debezium.source.column.type", length = "__debezium.source.column.length";
  const std::vector<TypeCase> cases = {
      {spec(MR_INT32, t + "Date"), number(-719162), "date", "0001-01-01"},
      {spec(MR_INT64, t + "Timestamp"), number(-1, MR_INT64), "datetime(6)", "1969-12-31 23:59:59.999000"},
      {with(spec(MR_INT64, t + "Timestamp"), length, "3"), number(1001, MR_INT64), "datetime(3)",
       "1970-01-01 00:00:01.001"},
      {spec(MR_INT64, t + "MicroTimestamp"), number(1'700'000'000'123'456, MR_INT64), "datetime(6)",
       "2023-11-14 22:13:20.123456"},
      {spec(MR_INT64, t + "NanoTimestamp"), number(1'700'000'000'123'456'789, MR_INT64), "datetime(6)",
       "2023-11-14 22:13:20.123456"},
      {spec(MR_INT32, t + "Time"), number(3'600'001), "time(6)", "01:00:00.001000"},
      {spec(MR_INT64, t + "MicroTime"), number(-3'020'399'000'001, MR_INT64), "time(6)", "-838:59:59.000001"},
      {spec(MR_INT64, t + "NanoTime"), number(1'000'001'000, MR_INT64), "time(6)", "00:00:01.000001"},
      {spec(MR_STRING, t + "ZonedTimestamp"), text("2024-02-29T23:30:00.5-01:00"), "datetime(6)",
       "2024-03-01 00:30:00.500000"},
      {spec(MR_STRING, t + "ZonedTime"), text("10:15:30+01:00"), "time(6)", "09:15:30.000000"},
      {spec(MR_INT32, t + "Year"), number(2024), "year(4)", "2024"},
      {spec(MR_STRING, t + "IsoDate"), text("2017-09-15Z"), "date", "2017-09-15"},
      {spec(MR_STRING, t + "IsoTime"), text("14:05:10.25Z"), "time(6)", "14:05:10.250000"},
      {spec(MR_STRING, t + "IsoTimestamp"), text("2017-09-15T14:05:10Z"), "datetime(6)", "2017-09-15 14:05:10.000000"},
      {with(spec(MR_BYTES, d + "Bits"), "length", "64"), bytes(std::string_view("\x01\x00\x00\x00\x00\x00\x00\x80", 8)),
       "bit(64)", "9223372036854775809"},
      {with(spec(MR_STRING, d + "Enum"), "allowed", "a,b\\,c,it's"), text("b,c"), "enum('a','b,c','it''s')", "b,c"},
      {with(spec(MR_STRING, d + "EnumSet"), "allowed", "x,y,z"), text("x,z"), "set('x','y','z')", "x,z"},
      {spec(MR_STRING, d + "Json"), text("{\"a\": 1}"), "longtext", "{\"a\": 1}"},
      {spec(MR_STRING, d + "Uuid"), text("6f1c3c5e-0000-4000-8000-000000000001"), "char(36)",
       "6f1c3c5e-0000-4000-8000-000000000001"},
      {point, structure({real(1.5), real(-2), mr_value{}, mr_value{}}), "point", "0 POINT(1.5 -2)"},
      {geometry, structure({bytes(big_endian), number(4326)}), "geometry", "4326 POINT(1 2)"},
      {with(with(spec(MR_BYTES, "org.apache.kafka.connect.data.Decimal"), "scale", "2"), "connect.decimal.precision",
            "8"),
       decimal, "decimal(8,2)", "12.34"},
      {scaled, structure({number(1), bytes("\x7B")}), "decimal(65,30)", "12.300000000000000000000000000000"},
      {spec(MR_BOOLEAN), number(1, MR_BOOLEAN), "tinyint(1)", "1"},
      {with(spec(MR_INT64), type, "BIGINT UNSIGNED"), number(-1, MR_INT64), "bigint(20) unsigned",
       "18446744073709551615"},
      {with(spec(MR_INT32), type, "MEDIUMINT"), number(-5), "mediumint(9)", "-5"},
      {with(with(spec(MR_STRING), type, "VARCHAR"), length, "30"), text("abc"), "varchar(30)", "abc"},
      {with(with(spec(MR_BYTES), type, "BINARY"), length, "2"), bytes("hi"), "binary(2)", "6869"},
      {spec(MR_BYTES), bytes("\xFF"), "longblob", "FF"},
  };
  std::vector<SchemaSpec::Field> fields{{"id", spec(MR_INT32, "", false)}};
  std::vector<mr_value> first{number(1)}, second{number(2)}, nulls{number(3)};
  std::string select = "select id";
  for (size_t i = 0; i < cases.size(); ++i) {
    const std::string name = "c" + std::to_string(i);
    fields.push_back({name, cases[i].schema});
    first.push_back(cases[i].value);
    second.push_back(cases[i].value);
    nulls.emplace_back();
    const std::string& column = cases[i].type;
    select += column.starts_with("bit")                   ? ", " + name + "+0"
              : column == "point" || column == "geometry" ? ", concat(srid(" + name + "),' ',astext(" + name + "))"
              : column == "longblob" || column.starts_with("bin") ? ", hex(" + name + ")"
                                                                  : ", " + name;
  }
  use(std::move(fields));
  for (auto* row : {&first, &second, &nulls}) event("c", static_cast<int>(row->front().u.i64), *row);
  expect_put(GetParam(), {});
  const Rows made = columns("p_shop_orders"), written = rows(select + " from p_shop_orders order by id");
  ASSERT_EQ(made.size(), cases.size() + 1);
  ASSERT_EQ(written.size(), 3U);
  for (size_t i = 0; i < cases.size(); ++i) {
    EXPECT_EQ(made[i + 1][1], cases[i].type) << cases[i].schema.name;
    EXPECT_EQ(written[0][i + 1], cases[i].shown) << cases[i].schema.name;
    EXPECT_EQ(written[1][i + 1], cases[i].shown) << cases[i].schema.name;
    EXPECT_EQ(written[2][i + 1], "\\N") << cases[i].schema.name;
  }
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

TEST_F(Events, ZonedTimestampsGoIntoTheSessionsZoneAndWallClocksStay) {
  use({{"id", spec(MR_INT32, "", false)},
       {"z", spec(MR_STRING, "io.debezium.time.ZonedTimestamp")},
       {"w", spec(MR_INT64, "io.debezium.time.Timestamp")},
       {"d", spec(MR_INT32, "io.debezium.time.Date")}});
  event("c", 1, {{number(1), text("2024-01-01T00:00:00Z"), number(0, MR_INT64), number(0)}});
  expect_put(kDebezium, {{"use.time.zone", "-05:00"}});
  EXPECT_EQ(rows(), (Rows{{"1", "2023-12-31 19:00:00.000000", "1970-01-01 00:00:00.000000", "1970-01-01"}}));
}

}  // namespace
}  // namespace millrace::jdbc
