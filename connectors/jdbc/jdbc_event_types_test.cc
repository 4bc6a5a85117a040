/// The columns and values of Debezium's semantic types.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connectors/jdbc/jdbc_events_test.h"

namespace millrace::jdbc {
namespace {

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
