/// The settings of values: modes, masks, truncation, hashes, propagated types, converters.
#include "connectors/mariadb/types/types_testing.h"

namespace millrace::mariadb::testing {
namespace {

using Kind = Cell::Kind;

std::string error_of(const Settings& settings) {
  const Result<ValueOptions> parsed = parse_options(settings);
  if (parsed.ok()) return "";
  EXPECT_EQ(parsed.status().code(), Code::kInvalidConfig);
  return parsed.status().message();
}

TEST(ValueOptions, RefusesUnknownWordsByKey) {
  for (const char* key :
       {"decimal.handling.mode", "bigint.unsigned.handling.mode", "time.precision.mode", "binary.handling.mode"})
    EXPECT_THAT(error_of({{key, "odd"}}), ::testing::AllOf(::testing::HasSubstr(key), ::testing::HasSubstr("'odd'")));
  EXPECT_NE(error_of({{"time.precision.mode", "adaptive"}}), "");
  EXPECT_EQ(error_of({{"decimal.handling.mode", "STRING"}}), "");
  EXPECT_NE(error_of({{"column.truncate.to.many.chars", "a"}}), "");
  EXPECT_NE(error_of({{"column.mask.hash.ROT13.with.salt.s", "a"}}), "");
  EXPECT_NE(error_of({{"column.mask.hash.SHA-256.with.salt.", "a"}}), "");
}

TEST(ValueOptions, SaysThatOtherConvertersAreJava) {
  const std::string message = error_of({{"converters", "mine"}, {"mine.type", "com.example.Mine"}});
  for (const char* part :
       {"mine.type", "com.example.Mine", "Java", "TinyIntOneToBoolean", "JdbcSinkDataTypes", "ZeroDateFallback"})
    EXPECT_THAT(message, ::testing::HasSubstr(part));
  EXPECT_THAT(error_of({{"converters", "mine"}}), ::testing::HasSubstr("mine.type"));
}

// The expected values are those of golden case 150.
const Settings kMasks = {{"column.mask.with.6.chars", "db.t.full,db.t.num"},
                         {"column.mask.with.0.chars", "db.t.zero"},
                         {"column.truncate.to.4.chars", "db.t.trunc,db.t.bl"},
                         {"column.mask.hash.SHA-256.with.salt.CzQMA0cB5K", "db.t.h1"},
                         {"column.mask.hash.v2.SHA-256.with.salt.CzQMA0cB5K", "db.t.h2"},
                         {"column.mask.hash.v2.SHA-512.with.salt.s", "db.t.h5,db.t.hc"},
                         {"column.mask.hash.MD5.with.salt.s", "db.t.nn"}};

Json masked(const char* column, const char* type, std::optional<int32_t> length, const Cell& cell) {
  return converted(plan_of({.type = type, .length = length, .name = column}, options_of(kMasks)), cell);
}

TEST(Masks, AreAsterisksEvenForNull) {
  EXPECT_EQ(masked("full", "VARCHAR", 20, text("visible")), "******");
  EXPECT_EQ(masked("full", "VARCHAR", 20, cell(Kind::kNull)), "******");
  EXPECT_EQ(masked("full", "VARCHAR", 20, cell(Kind::kAbsent)), "******");
  EXPECT_EQ(masked("zero", "VARCHAR", 20, text("gone")), "");
  EXPECT_EQ(masked("num", "INT", 11, number(42)), 42);
}

TEST(Masks, HashTheSerialisedTextOrTheBytes) {
  EXPECT_EQ(masked("h1", "VARCHAR", 30, text("hash me")), "3c341f915eb5a3cd3b23f6971feb9c");
  EXPECT_EQ(masked("h1", "VARCHAR", 30, text("")), "7b061bc77caec9afdc6b986ab6c4de");
  EXPECT_EQ(masked("h1", "VARCHAR", 30, text("é")), "cd5f88b87ac569e0aa433807ddea27");
  EXPECT_EQ(masked("h2", "VARCHAR", 30, text("hash me")), "a0cf216a11ca354a086fef834a9154");
  EXPECT_EQ(masked("hc", "CHAR", 8, text("hash me")), "546b5fba");
  EXPECT_EQ(masked("nn", "VARCHAR", 10, text("zz")), "e7d1999b89");
  EXPECT_EQ(masked("h1", "VARCHAR", 30, cell(Kind::kNull)), nullptr);
  EXPECT_EQ(masked("h1", "TEXT", {}, text("hash me")).get<std::string>().size(), 64U) << "no length, no cut";
}

TEST(Masks, CutByUtf16UnitsOrBytes) {
  EXPECT_EQ(masked("trunc", "VARCHAR", 40, text("abcdefghij")), "abcd");
  EXPECT_EQ(masked("trunc", "VARCHAR", 40, text("abc")), "abc");
  EXPECT_EQ(masked("trunc", "VARCHAR", 40, text("😀😀😀x")), "😀😀");
  EXPECT_EQ(masked("trunc", "VARCHAR", 40, text("abc😀")), "abc") << "no half of a pair";
  EXPECT_EQ(masked("trunc", "VARCHAR", 40, text("éééééé")), "éééé");
  EXPECT_EQ(masked("bl", "BLOB", {}, bytes(std::string_view("\0\x11\x22\x33\x44", 5))), "ABEiMw==");
}

TEST(Masks, AreNeverLostToAnotherRule) {
  const ValueOptions options = options_of({{"column.truncate.to.3.chars", ".*"},
                                           {"column.mask.with.5.chars", ".*\\.secret"},
                                           {"column.propagate.source.type", ".*"}});
  const ColumnPlan plan = plan_of({.type = "VARCHAR", .length = 20, .name = "secret"}, options);
  EXPECT_EQ(converted(plan, text("visible")), "*****");
  EXPECT_EQ(schema_json(plan.schema())["parameters"]["masked"], "true");
  EXPECT_EQ(schema_json(plan.schema())["parameters"]["__debezium.source.column.type"], "VARCHAR");
}

// ---- converters

TEST(TinyIntOneToBoolean, TakesTinyintsOfLengthOne) {
  const ValueOptions one = options_of(
      {{"converters", "b"}, {"b.type", "io.debezium.connector.mysql.converters.TinyIntOneToBooleanConverter"}});
  EXPECT_EQ(plan_of({"TINYINT", 1}, one).schema().type, MR_BOOLEAN);
  EXPECT_EQ(plan_of({"TINYINT", 4}, one).schema().type, MR_INT16);
  const ValueOptions all =
      options_of({{"converters", "b"},
                  {"b.type", "io.debezium.connector.binlog.converters.TinyIntOneToBooleanConverter"},
                  {"b.length.checker", "false"},
                  {"b.selector", "db\\.t\\.flag"}});
  EXPECT_EQ(plan_of({"TINYINT", 4}, all).schema().type, MR_INT16) << "not selected";
  const ColumnPlan flag = plan_of({.type = "TINYINT UNSIGNED", .length = 4, .name = "flag"}, all);
  EXPECT_EQ(converted(flag, number(255)), true);
  EXPECT_EQ(converted(flag, number(-1)), true) << "255 without the signs of the binlog";
  EXPECT_EQ(converted(plan_of({.type = "TINYINT", .name = "flag"}, all), number(-1)), false);
  EXPECT_EQ(schema_json(plan_of({.type = "TINYINT", .default_text = "1", .name = "flag"}, all).schema())["default"],
            true);
}

TEST(JdbcSinkDataTypes, UnifiesBooleansRealsAndStrings) {
  Settings settings = {{"converters", "j"},
                       {"j.type", "io.debezium.connector.binlog.converters.JdbcSinkDataTypesConverter"},
                       {"j.selector.boolean", ".*\\.b"},
                       {"j.selector.real", ".*\\.r"},
                       {"j.selector.string", ".*\\.s"}};
  const ValueOptions options = options_of(settings);
  const ColumnPlan boolean = plan_of({.type = "BOOL", .name = "b"}, options);
  EXPECT_EQ(boolean.schema().type, MR_INT16);
  EXPECT_EQ(converted(boolean, number(1)), 1);
  EXPECT_EQ(converted(plan_of({.type = "FLOAT", .name = "r"}, options), floating(1.5, Kind::kFloat)), 1.5);
  EXPECT_EQ(plan_of({.type = "FLOAT", .name = "r"}, options).schema().type, MR_FLOAT64);
  const ColumnPlan string = plan_of({.type = "VARCHAR", .charset = "latin1", .name = "s"}, options);
  EXPECT_EQ(schema_json(string.schema())["parameters"]["__debezium.source.column.character_set"], "latin1");
  EXPECT_EQ(converted(string, bytes("\xe9")), "é");
  settings.emplace_back("j.treat.real.as.double", "false");
  EXPECT_EQ(plan_of({.type = "DOUBLE", .name = "r"}, options_of(settings)).schema().type, MR_FLOAT32);
}

Settings zero_dates(const Settings& more) {
  Settings settings = {{"converters", "z"},
                       {"z.type", "io.debezium.connector.binlog.converters.ZeroDateFallbackConverter"}};
  settings.insert(settings.end(), more.begin(), more.end());
  return settings;
}

TEST(ZeroDateFallback, IsNullOrTheLiteral) {
  const ValueOptions null = options_of(zero_dates({}));
  const ColumnPlan date = plan_of({.type = "DATE", .optional = false, .default_text = "2020-01-01"}, null);
  EXPECT_TRUE(date.schema().optional);
  EXPECT_FALSE(date.schema().default_value.has_value());
  EXPECT_EQ(converted(date, reading({}, Kind::kDate)), nullptr);
  EXPECT_EQ(converted(date, reading({2024, 2, 29}, Kind::kDate)), 19782);
  EXPECT_EQ(converted(plan_of({"TIMESTAMP"}, null), number(0, Kind::kTimestamp)), nullptr);

  const ValueOptions literal = options_of(zero_dates({{"z.fallback.date", "1900-01-01"},
                                                      {"z.fallback.datetime", "1970-01-02 00:00:00"},
                                                      {"z.fallback.timestamp", "1970-01-01T00:00:00Z"},
                                                      {"z.column.db.t.mine.fallback", "2000-01-01"}}));
  const ColumnPlan kept = plan_of({.type = "DATE", .optional = false, .default_text = "2020-01-01"}, literal);
  EXPECT_EQ(converted(kept, reading({}, Kind::kDate)), -25567);
  EXPECT_EQ(value_json(*kept.schema().default_value), -25567);
  EXPECT_EQ(converted(plan_of({.type = "DATE", .name = "mine"}, literal), reading({}, Kind::kDate)), 10957);
  EXPECT_EQ(converted(plan_of({.type = "DATETIME", .length = 6}, literal), reading({})), 86'400'000);
  EXPECT_EQ(plan_of({.type = "DATETIME", .length = 6}, literal).schema().name, "io.debezium.time.Timestamp");
  const ColumnPlan stamp = plan_of({"TIMESTAMP"}, literal);
  EXPECT_EQ(converted(stamp, number(0, Kind::kTimestamp)), "1970-01-01T00:00:00Z");
  EXPECT_EQ(converted(stamp, in_snapshot(number(0, Kind::kTimestamp))), "1970-01-01T00:00:00Z");
}

TEST(ZeroDateFallback, RefusesWhatIsNoDate) {
  EXPECT_THAT(error_of(zero_dates({{"z.fallback.date", "soon"}})), ::testing::HasSubstr("z.fallback.date"));
  EXPECT_NE(error_of(zero_dates({{"z.fallback.datetime", "2020-01-01"}})), "");
  const ValueOptions only = options_of(zero_dates({{"z.target.types", "TIMESTAMP"}}));
  EXPECT_FALSE(plan_of({.type = "DATE", .optional = false}, only).schema().optional);
}

}  // namespace
}  // namespace millrace::mariadb::testing
