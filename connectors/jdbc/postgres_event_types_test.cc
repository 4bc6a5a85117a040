/// The columns and values of Debezium's semantic types in PostgreSQL.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connectors/jdbc/postgres_events_test.h"

namespace millrace::jdbc {
namespace {

using ::testing::HasSubstr;

struct TypeCase {
  SchemaSpec schema;
  mr_value value;
  std::string type, shown;  ///< column type; the column as text
};

mr_value decimal(std::string_view unscaled, int16_t scale) {
  mr_value value = bytes(unscaled);
  value.kind = MR_DECIMAL;
  value.scale = scale;
  return value;
}

/// Every semantic type: its column, and a value there and back.
TEST_P(PgBothSinks, WriteEverySemanticType) {
  const std::string t = "io.debezium.time.", d = "io.debezium.data.", c = "org.apache.kafka.connect.data.";
  const std::string type = "__debezium.source.column.type", length = "__debezium.source.column.length",
                    scale = "__debezium.source.column.scale";
  const SchemaSpec point =
      row_of({{"x", spec(MR_FLOAT64)}, {"y", spec(MR_FLOAT64)}, {"wkb", spec(MR_BYTES)}, {"srid", spec(MR_INT32)}},
             d + "geometry.Point");
  const SchemaSpec scaled = row_of({{"scale", spec(MR_INT32)}, {"value", spec(MR_BYTES)}}, d + "VariableScaleDecimal");
  SchemaSpec vector = spec(MR_ARRAY, d + "DoubleVector");
  vector.elements = std::make_shared<SchemaSpec>(spec(MR_FLOAT64));
  SchemaSpec days = spec(MR_ARRAY);
  days.elements = std::make_shared<SchemaSpec>(spec(MR_INT32, t + "Date"));
  const std::vector<mr_value> reals = {real(1.5), real(-2)}, numbers = {number(0), mr_value{}, number(19000)};
  const auto array = [](const std::vector<mr_value>& items) {
    mr_value value{};
    value.kind = MR_ARRAY;
    value.size = static_cast<uint32_t>(items.size());
    value.u.items = items.data();
    return value;
  };
  const std::vector<TypeCase> cases = {
      {spec(MR_INT32, t + "Date"), number(-719162), "date", "0001-01-01"},
      {spec(MR_INT32, t + "Date"), number(-719163), "date", "0001-12-31 BC"},
      {spec(MR_INT32, t + "Date"), number(4'000'000), "date", "12921-08-18"},
      {spec(MR_INT64, t + "Timestamp"), number(-1, MR_INT64), "timestamp(6) without time zone",
       "1969-12-31 23:59:59.999"},
      {with(with(spec(MR_INT64, t + "Timestamp"), length, "23"), scale, "3"), number(1001, MR_INT64),
       "timestamp(3) without time zone", "1970-01-01 00:00:01.001"},
      {spec(MR_INT64, t + "MicroTimestamp"), number(1'700'000'000'123'456, MR_INT64), "timestamp(6) without time zone",
       "2023-11-14 22:13:20.123456"},
      {spec(MR_INT64, t + "NanoTimestamp"), number(1'700'000'000'123'456'789, MR_INT64),
       "timestamp(6) without time zone", "2023-11-14 22:13:20.123456"},
      {spec(MR_INT32, t + "Time"), number(3'600'001), "time(6) without time zone", "01:00:00.001"},
      {spec(MR_INT64, t + "MicroTime"), number(86'400'000'000, MR_INT64), "time(6) without time zone", "24:00:00"},
      {spec(MR_INT64, t + "NanoTime"), number(1'000'001'000, MR_INT64), "time(6) without time zone", "00:00:01.000001"},
      {spec(MR_STRING, t + "ZonedTimestamp"), text("2024-02-29T23:30:00.5-01:00"), "timestamp(6) with time zone",
       "2024-03-01 00:30:00.5+00"},
      {spec(MR_STRING, t + "ZonedTime"), text("10:15:30+01:00"), "time(6) with time zone", "09:15:30+00"},
      {spec(MR_INT32, t + "Year"), number(2024), "integer", "2024"},
      {spec(MR_STRING, t + "IsoDate"), text("2017-09-15Z"), "date", "2017-09-15"},
      {spec(MR_STRING, t + "IsoTime"), text("14:05:10.25Z"), "time(6) without time zone", "14:05:10.25"},
      {spec(MR_STRING, t + "IsoTimestamp"), text("2017-09-15T14:05:10Z"), "timestamp(6) without time zone",
       "2017-09-15 14:05:10"},
      {spec(MR_INT64, t + "MicroDuration"), number(-90'000'001, MR_INT64), "interval", "-00:01:30.000001"},
      {spec(MR_INT64, t + "NanoDuration"), number(1'000'001'000, MR_INT64), "interval", "00:00:01.000001"},
      {spec(MR_STRING, t + "Interval"), text("P1Y2M3DT4H5M6.5S"), "interval", "1 year 2 mons 3 days 04:05:06.5"},
      {with(spec(MR_BYTES, d + "Bits"), "length", "10"), bytes("\x05\x02"), "bit(10)", "1000000101"},
      {spec(MR_BYTES, d + "Bits"), bytes("\x05"), "bit varying", "00000101"},
      {with(spec(MR_STRING, d + "Enum"), "allowed", "a,b\\,c,it's"), text("b,c"), "text", "b,c"},
      {with(spec(MR_STRING, d + "EnumSet"), "allowed", "x,y,z"), text("x,z"), "text", "x,z"},
      {spec(MR_STRING, d + "Json"), text("{\"a\":  1}"), "json", "{\"a\":  1}"},
      {with(spec(MR_STRING, d + "Json"), type, "JSONB"), text("{\"a\":  1}"), "jsonb", "{\"a\": 1}"},
      {spec(MR_STRING, d + "Xml"), text("<a>1</a>"), "xml", "<a>1</a>"},
      {spec(MR_STRING, d + "Uuid"), text("6f1c3c5e-0000-4000-8000-000000000001"), "uuid",
       "6f1c3c5e-0000-4000-8000-000000000001"},
      {spec(MR_STRING, d + "Ltree"), text("Top.Science"), "text", "Top.Science"},
      {point, structure({real(1.5), real(-2), mr_value{}, mr_value{}}), "point", "(1.5,-2)"},
      {vector, array(reals), "double precision[]", "{1.5,-2}"},
      {days, array(numbers), "date[]", "{1970-01-01,NULL,2022-01-08}"},
      {with(with(spec(MR_BYTES, c + "Decimal"), "scale", "2"), "connect.decimal.precision", "8"),
       decimal("\x04\xD2", 2), "numeric(8,2)", "12.34"},
      {with(spec(MR_BYTES, c + "Decimal"), "scale", "2"), decimal("\xFB\x2E", 2), "numeric", "-12.34"},
      {scaled, structure({number(1), bytes("\x7B")}), "numeric", "12.3"},
      {spec(MR_BOOLEAN), number(1, MR_BOOLEAN), "boolean", "t"},
      {spec(MR_INT8), number(-5, MR_INT8), "smallint", "-5"},
      {with(spec(MR_INT64), type, "BIGINT UNSIGNED"), number(-1, MR_INT64), "numeric(20,0)", "18446744073709551615"},
      {with(with(spec(MR_STRING), type, "VARCHAR"), length, "30"), text("abc"), "character varying(30)", "abc"},
      {with(with(spec(MR_STRING), type, "VARCHAR"), length, "2147483647"), text("abc"), "text", "abc"},
      {with(with(spec(MR_STRING), type, "BPCHAR"), length, "3"), text("abc"), "character(3)", "abc"},
      {with(spec(MR_STRING), type, "INET"), text("10.0.0.1"), "inet", "10.0.0.1"},
      {spec(MR_BYTES), bytes("\xFF"), "bytea", "\\xff"},
      {spec(MR_FLOAT64), real(std::numeric_limits<double>::infinity()), "double precision", "Infinity"},
  };
  std::vector<SchemaSpec::Field> fields{{"id", spec(MR_INT32, "", false)}};
  std::vector<mr_value> first{number(1)}, second{number(2)}, nulls{number(3)};
  for (size_t i = 0; i < cases.size(); ++i) {
    fields.push_back({"c" + std::to_string(i), cases[i].schema});
    first.push_back(cases[i].value);
    second.push_back(cases[i].value);
    nulls.emplace_back();
  }
  use(std::move(fields));
  for (auto* row : {&first, &second, &nulls}) event("c", static_cast<int>(row->front().u.i64), *row);
  expect_put(GetParam(), {});
  const Rows made = columns("p_shop_orders"), written = rows();
  ASSERT_EQ(made.size(), cases.size() + 1);
  ASSERT_EQ(written.size(), 3U);
  for (size_t i = 0; i < cases.size(); ++i) {
    EXPECT_EQ(made[i + 1][1], cases[i].type) << cases[i].schema.name;
    EXPECT_EQ(written[0][i + 1], cases[i].shown) << cases[i].schema.name;
    EXPECT_EQ(written[1][i + 1], cases[i].shown) << cases[i].schema.name;
    EXPECT_EQ(written[2][i + 1], "\\N") << cases[i].schema.name;
  }
}

/// Columns of other types than auto.create would make, as people have them.
TEST_F(PgEvents, SemanticTypesGoIntoColumnsThatAreThere) {
  sql(
      {"create table p_shop_orders(id int primary key, flag boolean, mask int, raw bytea, at timestamptz, span "
       "interval,"
       " geo bytea)"});
  const std::string d = "io.debezium.data.", t = "io.debezium.time.";
  const SchemaSpec geometry = row_of({{"wkb", spec(MR_BYTES)}, {"srid", spec(MR_INT32)}}, d + "geometry.Geometry");
  const auto bits = [&](const char* length) { return with(spec(MR_BYTES, d + "Bits"), "length", length); };
  use({{"id", spec(MR_INT32, "", false)},
       {"flag", bits("1")},
       {"mask", bits("16")},
       {"raw", bits("16")},
       {"at", spec(MR_INT64, "org.apache.kafka.connect.data.Timestamp")},
       {"span", spec(MR_INT64, t + "MicroTime")},
       {"geo", geometry}});
  const std::string wkb("\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\xF0\x3F\x00\x00\x00\x00\x00\x00\x00\x40", 21);
  event("c", 1,
        {{number(1), bytes("\x01"), bytes("\x05\x02"), bytes("\x05\x02"), number(0, MR_INT64),
          number(-3'020'399'000'001, MR_INT64), structure({bytes(wkb), number(4326)})}});
  expect_put(kDebezium, {{"use.time.zone", "+05:30"}});
  EXPECT_EQ(rows(), (Rows{{"1", "t", "517", "\\x0502", "1970-01-01 00:00:00+00", "-838:59:59.000001",
                           "\\x0101000000000000000000f03f0000000000000040"}}));
}

TEST_F(PgEvents, ZonedTimestampsAreInstantsAndWallClocksStay) {
  sql({"alter database shop set timezone = 'Asia/Tokyo'"});
  use({{"id", spec(MR_INT32, "", false)},
       {"z", spec(MR_STRING, "io.debezium.time.ZonedTimestamp")},
       {"w", spec(MR_INT64, "io.debezium.time.Timestamp")}});
  event("c", 1, {{number(1), text("2024-01-01T00:00:00Z"), number(0, MR_INT64)}});
  expect_put(kDebezium, {{"use.time.zone", "-05:00"}});
  EXPECT_EQ(rows("select z at time zone 'UTC', w from p_shop_orders"),
            (Rows{{"2024-01-01 00:00:00", "1970-01-01 00:00:00"}}));
}

TEST_F(PgEvents, ValuesThatNoColumnTakesAreReported) {
  use({{"id", spec(MR_INT32, "", false)}, {"t", spec(MR_INT64, "io.debezium.time.MicroTime")}});
  event("c", 1, {{number(1), number(-1, MR_INT64)}});
  event("c", 2, {{number(2), number(1, MR_INT64)}});
  expect_put(kSink, {});
  EXPECT_EQ(rows(), (Rows{{"2", "00:00:00.000001"}}));
  ASSERT_EQ(host_.reports().size(), 1U);
  EXPECT_THAT(host_.reports()[0].message, HasSubstr("time"));
}

}  // namespace
}  // namespace millrace::jdbc
