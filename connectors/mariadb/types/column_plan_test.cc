/// Schemas and values of every type in every mode.
#include "connectors/mariadb/types/column_plan.h"

#include <cmath>
#include <limits>

#include "connectors/mariadb/types/types_testing.h"

namespace millrace::mariadb::testing {
namespace {

using Kind = Cell::Kind;

Json described(const Wanted& wanted, const ValueOptions& options = {}) {
  return schema_json(plan_of(wanted, options).schema());
}
Json typed(const char* type, const char* name = nullptr) {
  Json json = {{"type", type}, {"optional", true}};
  if (name != nullptr) {
    json["name"] = name;
    json["version"] = 1;
  }
  return json;
}

TEST(Integers, HaveTheNextLargerTypeWhenUnsigned) {
  const std::pair<const char*, const char*> kTypes[] = {{"TINYINT", "int16"},
                                                        {"TINYINT UNSIGNED", "int16"},
                                                        {"SMALLINT", "int16"},
                                                        {"SMALLINT UNSIGNED", "int32"},
                                                        {"MEDIUMINT", "int32"},
                                                        {"MEDIUMINT UNSIGNED", "int32"},
                                                        {"INT", "int32"},
                                                        {"INT UNSIGNED", "int64"},
                                                        {"BIGINT", "int64"},
                                                        {"BIGINT UNSIGNED", "int64"},
                                                        {"INT UNSIGNED ZEROFILL", "int64"},
                                                        {"int4", "int32"},
                                                        {"MIDDLEINT", "int32"},
                                                        {"SERIAL", "int64"}};
  for (const auto& [type, connect] : kTypes) EXPECT_EQ(described({type}), typed(connect)) << type;
}

TEST(Integers, KeepTheirValues) {
  EXPECT_EQ(converted(plan_of({"TINYINT"}), number(-128)), -128);
  EXPECT_EQ(converted(plan_of({"TINYINT UNSIGNED"}), number(255)), 255);
  EXPECT_EQ(converted(plan_of({"INT UNSIGNED"}), unsigned_number(4294967295)), 4294967295);
  EXPECT_EQ(converted(plan_of({"BIGINT"}), number(std::numeric_limits<int64_t>::min())),
            std::numeric_limits<int64_t>::min());
  EXPECT_EQ(converted(plan_of({"BIGINT UNSIGNED"}), unsigned_number(18446744073709551615U)), -1);
  EXPECT_EQ(converted(plan_of({"INT"}), cell(Kind::kNull)), nullptr);
  EXPECT_EQ(converted(plan_of({"INT"}), cell(Kind::kAbsent)), nullptr);
}

TEST(Integers, AreUnsignedByDefinitionWhenTheBinlogDoesNotSay) {
  EXPECT_EQ(converted(plan_of({"TINYINT UNSIGNED"}), number(-1)), 255);
  EXPECT_EQ(converted(plan_of({"MEDIUMINT UNSIGNED"}), number(-1)), 16777215);
  EXPECT_EQ(converted(plan_of({"INT UNSIGNED"}), number(-1)), 4294967295);
}

TEST(Integers, OfSelectsMayComeAsText) {
  EXPECT_EQ(converted(plan_of({"INT"}), text("-42")), -42);
  const Json wrong = converted(plan_of({"INT"}), text("many"));
  ASSERT_TRUE(wrong.contains("error"));
  EXPECT_THAT(wrong["error"].get<std::string>(),
              ::testing::AllOf(::testing::HasSubstr("db.t.c"), ::testing::HasSubstr("many")));
}

TEST(BigintUnsigned, IsADecimalWhenPrecise) {
  const ValueOptions precise = options_of({{"bigint.unsigned.handling.mode", "precise"}});
  const ColumnPlan plan = plan_of({"BIGINT UNSIGNED"}, precise);
  Json schema = typed("bytes", "org.apache.kafka.connect.data.Decimal");
  schema["parameters"] = {{"scale", "0"}, {"connect.decimal.precision", "20"}};
  EXPECT_EQ(schema_json(plan.schema()), schema);
  EXPECT_EQ(converted(plan, unsigned_number(18446744073709551615U)),
            base64(std::string("\0\xff\xff\xff\xff\xff\xff\xff\xff", 9)));
  EXPECT_EQ(converted(plan, unsigned_number(0)), base64(std::string(1, '\0')));
  EXPECT_EQ(described({"BIGINT"}, precise), typed("int64"));
}

TEST(Booleans, AreNumbersUnlessTheDdlSaidBool) {
  EXPECT_EQ(described({"TINYINT", 1}), typed("int16"));
  EXPECT_EQ(described({"BOOL"}), typed("boolean"));
  EXPECT_EQ(converted(plan_of({"BOOLEAN"}), number(1)), true);
  EXPECT_EQ(converted(plan_of({"BOOLEAN"}), number(0)), false);
}

TEST(Floats, NeedADoubleWithAScaleOrMoreThan24Bits) {
  EXPECT_EQ(described({"FLOAT"}), typed("float"));
  EXPECT_EQ(described({"FLOAT", 24}), typed("float"));
  EXPECT_EQ(described({"FLOAT", 25}), typed("double"));
  EXPECT_EQ(described({"FLOAT", 7, 4}), typed("double"));
  EXPECT_EQ(described({"FLOAT4"}), typed("float"));
  EXPECT_EQ(described({"REAL"}), typed("float"));
  for (const char* type : {"DOUBLE", "DOUBLE PRECISION", "FLOAT8", "DOUBLE UNSIGNED ZEROFILL"})
    EXPECT_EQ(described({type}), typed("double")) << type;
  EXPECT_EQ(converted(plan_of({"FLOAT"}), floating(16777216.0F, Kind::kFloat)), 16777216.0F);
  EXPECT_EQ(converted(plan_of({"FLOAT", 7, 4}), floating(123.4567F, Kind::kFloat)), 123.45670318603516);
  EXPECT_EQ(converted(plan_of({"DOUBLE"}), floating(-1.7976931348623157e308)), -1.7976931348623157e308);
}

TEST(Decimals, FollowTheMode) {
  const Wanted wanted{"DECIMAL", 12, 2};
  Json schema = typed("bytes", "org.apache.kafka.connect.data.Decimal");
  schema["parameters"] = {{"scale", "2"}, {"connect.decimal.precision", "12"}};
  EXPECT_EQ(described(wanted), schema);
  const ValueOptions strings = options_of({{"decimal.handling.mode", "string"}});
  const ValueOptions doubles = options_of({{"decimal.handling.mode", "double"}});
  EXPECT_EQ(described(wanted, strings), typed("string"));
  EXPECT_EQ(described(wanted, doubles), typed("double"));
  EXPECT_EQ(converted(plan_of(wanted), decimal(150, 2)), "AJY=");
  EXPECT_EQ(converted(plan_of(wanted, strings), decimal(150, 2)), "1.50");
  EXPECT_EQ(converted(plan_of(wanted, doubles), decimal(150, 2)), 1.5);
}

TEST(Decimals, OfAnySizeAreExact) {
  // The texts and base64 forms of golden cases 020 and 021.
  const std::pair<const char*, const char*> kLong[] = {
      {"-99999999999999999999999999999999999.999999999999999999999999999999",
       "/wzp2OOAPG91dBC5sca6EIXayfYAAAAAAAAAAQ=="},
      {"12345678901234567.890000000000000000000000000000", "AimZcYN/vHoECIJnjmOrBlAAAAA="},
      {"0.000000000000000000000000000000", "AA=="}};
  const ColumnPlan plan = plan_of({"DECIMAL", 65, 30});
  for (const auto& [digits, expected] : kLong) EXPECT_EQ(converted(plan, bytes(digits, Kind::kDecimalText)), expected);
  const ColumnPlan small = plan_of({"DECIMAL", 38, 38});
  const ValueOptions strings = options_of({{"decimal.handling.mode", "string"}});
  EXPECT_EQ(converted(small, decimal(1, 38)), "AQ==");
  EXPECT_EQ(converted(plan_of({"DECIMAL", 38, 38}, strings), decimal(-1, 38)),
            "-0.00000000000000000000000000000000000001");
  EXPECT_EQ(converted(plan_of({"DECIMAL", 10, 0}, strings), decimal(0, 0)), "0");
  __int128 nines = 0;
  for (int i = 0; i < 38; ++i) nines = nines * 10 + 9;
  EXPECT_EQ(converted(small, decimal(-nines, 38)), "tMSzV6V5O4X2dd3AAAAAAQ==");
}

TEST(Decimals, AreShortestTwosComplement) {
  const ColumnPlan plan = plan_of({"DECIMAL", 10, 0});
  const std::pair<int64_t, const char*> kNumbers[] = {{127, "fw=="},  {128, "AIA="}, {-128, "gA=="},
                                                      {-129, "/38="}, {-1, "/w=="},  {255, "AP8="}};
  for (const auto& [value, expected] : kNumbers) EXPECT_EQ(converted(plan, decimal(value, 0)), expected) << value;
}

TEST(Decimals, OfAnotherScaleTakeThatOfTheSchema) {
  const ColumnPlan plan = plan_of({"DECIMAL", 9, 4});
  EXPECT_EQ(converted(plan, decimal(15, 1)), converted(plan, decimal(15000, 4)));
}

TEST(Bits, OfOneAreBooleanElseLittleEndianBytes) {
  EXPECT_EQ(described({"BIT", 1}), typed("boolean"));
  EXPECT_EQ(converted(plan_of({"BIT", 1}), number(1, Kind::kBits)), true);
  Json schema = typed("bytes", "io.debezium.data.Bits");
  schema["parameters"] = {{"length", "9"}};
  EXPECT_EQ(described({"BIT", 9}), schema);
  EXPECT_EQ(converted(plan_of({"BIT", 9}), number(0x101, Kind::kBits)), "AQE=");
  EXPECT_EQ(converted(plan_of({"BIT", 64}), number(std::numeric_limits<int64_t>::min() + 1, Kind::kBits)),
            "AQAAAAAAAIA=");
}

TEST(Years, KeepZero) {
  EXPECT_EQ(described({"YEAR", 4}), typed("int32", "io.debezium.time.Year"));
  EXPECT_EQ(converted(plan_of({"YEAR"}), number(2155, Kind::kYear)), 2155);
  EXPECT_EQ(converted(plan_of({"YEAR"}), number(0, Kind::kYear)), 0);
}

TEST(EnumsAndSets, GiveTheirLabels) {
  const Wanted letters{.type = "ENUM", .labels = {"x,y", "it's", "ü", "😀"}};
  Json schema = typed("string", "io.debezium.data.Enum");
  schema["parameters"] = {{"allowed", "x\\,y,it's,ü,😀"}};
  EXPECT_EQ(described(letters), schema);
  const ColumnPlan plan = plan_of(letters);
  EXPECT_EQ(converted(plan, number(1, Kind::kEnum)), "x,y");
  EXPECT_EQ(converted(plan, number(4, Kind::kEnum)), "😀");
  EXPECT_EQ(converted(plan, number(0, Kind::kEnum)), "");
  EXPECT_EQ(converted(plan, number(9, Kind::kEnum)), "");
  EXPECT_EQ(converted(plan, in_snapshot(text("it's"))), "it's");

  const ColumnPlan set = plan_of({.type = "SET", .labels = {"a", "b", "c"}});
  EXPECT_EQ(set.schema().name, "io.debezium.data.EnumSet");
  EXPECT_EQ(converted(set, number(5, Kind::kSet)), "a,c");
  EXPECT_EQ(converted(set, number(0, Kind::kSet)), "");
  EXPECT_EQ(converted(set, number(255, Kind::kSet)), "a,b,c");
  std::vector<std::string> many;
  for (int i = 0; i < 64; ++i) many.push_back("v" + std::to_string(i));
  EXPECT_EQ(
      converted(plan_of({.type = "SET", .labels = many}), number(std::numeric_limits<int64_t>::min() + 1, Kind::kSet)),
      "v0,v63");
}

TEST(EnumsAndSets, TakeLabelsFromTheWireWhenTheDefinitionHasNone) {
  WireColumn wire;
  wire.type = 247;
  wire.collation = 8;
  wire.labels = {"\xe9"};
  EXPECT_EQ(converted(plan_of({"ENUM"}, {}, &wire), number(1, Kind::kEnum)), "é");
}

TEST(Binary, FollowsTheMode) {
  const std::string content("\xff\xfe\0", 3);
  const std::pair<const char*, const char*> kModes[] = {
      {"bytes", "//4A"}, {"base64", "//4A"}, {"base64-url-safe", "__4A"}, {"hex", "fffe00"}};
  for (const auto& [mode, expected] : kModes) {
    const ValueOptions options = options_of({{"binary.handling.mode", mode}});
    EXPECT_EQ(described({"BLOB"}, options), typed(std::string(mode) == "bytes" ? "bytes" : "string")) << mode;
    EXPECT_EQ(converted(plan_of({"BLOB"}, options), bytes(content)), expected) << mode;
    EXPECT_EQ(converted(plan_of({"BLOB"}, options), bytes("")), "") << mode;
  }
  const ValueOptions base64 = options_of({{"binary.handling.mode", "base64"}});
  EXPECT_EQ(converted(plan_of({"VARBINARY", 9}, base64), bytes("a")), "YQ==");
  EXPECT_EQ(converted(plan_of({"VARBINARY", 9}, base64), bytes("ab")), "YWI=");
}

TEST(Binary, OfFixedLengthIsFull) {
  EXPECT_EQ(converted(plan_of({"BINARY", 4}), bytes("A")), base64(std::string("A\0\0\0", 4)));
  EXPECT_EQ(converted(plan_of({"VARBINARY", 4}), bytes("A")), base64("A"));
  EXPECT_EQ(described({.type = "VARCHAR", .length = 4, .charset = "binary"}), typed("bytes"));
}

TEST(Uuids, KeepTheZerosThatTheBinlogLeavesOut) {
  const ColumnPlan plan = plan_of({"UUID"});
  EXPECT_EQ(schema_json(plan.schema()), typed("string", "io.debezium.data.Uuid"));
  const std::string stored("\x12\x3e\x45\x67\xe8\x9b\x12\xd3\xa4\x56\x42\x66\x55\x44", 14);
  EXPECT_EQ(converted(plan, bytes(stored)), "123e4567-e89b-12d3-a456-426655440000");
  EXPECT_EQ(converted(plan, bytes("")), "00000000-0000-0000-0000-000000000000");
  EXPECT_EQ(converted(plan, in_snapshot(text("123e4567-e89b-12d3-a456-426655440000"))),
            "123e4567-e89b-12d3-a456-426655440000");
}

TEST(Inet, IsTextInBothForms) {
  EXPECT_EQ(described({"INET6"}), typed("string"));
  EXPECT_EQ(converted(plan_of({"INET4"}), bytes(std::string("\x0a\0\0\x01", 4))), "10.0.0.1");
  EXPECT_EQ(converted(plan_of({"INET4"}), bytes("\x0a")), "10.0.0.0");
  EXPECT_EQ(converted(plan_of({"INET6"}), bytes("\x20\x01\x0d\xb8")), "2001:db8::");
  EXPECT_EQ(converted(plan_of({"INET6"}), in_snapshot(text("::1"))), "::1");
}

TEST(Json, IsTextUnderItsName) {
  EXPECT_EQ(described({"JSON"}), typed("string", "io.debezium.data.Json"));
  EXPECT_EQ(described({"LONGTEXT"}), typed("string"));
  EXPECT_EQ(converted(plan_of({"JSON"}), bytes("  {\"a\": 1}")), "  {\"a\": 1}");
}

std::string wkb_point(uint32_t srid, double x, double y) {
  std::string out(25, '\0');
  std::memcpy(out.data(), &srid, 4);
  out[4] = out[5] = 1;
  std::memcpy(out.data() + 9, &x, 8);
  std::memcpy(out.data() + 17, &y, 8);
  return out;
}

TEST(Geometry, IsSridAndWkb) {
  const std::string point = wkb_point(4326, 13.4, 52.5), nowhere = wkb_point(0, 1, 2);
  const Json wkb = base64(std::string_view(point).substr(4));
  EXPECT_EQ(converted(plan_of({"POINT"}), bytes(point)), Json({13.4, 52.5, wkb, 4326}));
  EXPECT_EQ(converted(plan_of({"GEOMETRY"}), bytes(point)), Json({wkb, 4326}));
  EXPECT_EQ(converted(plan_of({"POINT"}), in_snapshot(bytes(nowhere)))[3], nullptr);
  EXPECT_EQ(described({"POINT"})["doc"], "Geometry (POINT)");
  EXPECT_EQ(described({"MULTIPOLYGON"})["name"], "io.debezium.data.geometry.Geometry");
  EXPECT_TRUE(converted(plan_of({"POINT"}), bytes("abc")).contains("error"));
}

TEST(Vectors, AreArraysOfFloats) {
  const float numbers[] = {1.5F, -2.25F};
  const ColumnPlan plan = plan_of({"VECTOR", 2});
  EXPECT_EQ(plan.schema().name, "io.debezium.data.FloatVector");
  EXPECT_EQ(plan.schema().elements->type, MR_FLOAT32);
  EXPECT_EQ(converted(plan, bytes({reinterpret_cast<const char*>(numbers), sizeof(numbers)})), Json({1.5, -2.25}));
  EXPECT_TRUE(converted(plan, bytes("abc")).contains("error"));
}

TEST(AbsentCells, AreThePlaceholderForTextAndBlobs) {
  const ValueOptions options = options_of({{"unavailable.value.placeholder", "gone"}});
  EXPECT_EQ(converted(plan_of({"LONGTEXT"}, options), cell(Kind::kAbsent)), "gone");
  EXPECT_EQ(converted(plan_of({"BLOB"}, options), cell(Kind::kAbsent)), base64("gone"));
  EXPECT_EQ(converted(plan_of({"BLOB"}), cell(Kind::kAbsent)), base64("__debezium_unavailable_value"));
  EXPECT_EQ(converted(plan_of({"DATE"}, options), cell(Kind::kAbsent)), nullptr);
  EXPECT_EQ(converted(plan_of({"LONGTEXT"}, options), cell(Kind::kNull)), nullptr);
}

TEST(Types, ThatNobodyKnowsAreReadAsTheyLieInTheBinlog) {
  WireColumn wire;
  wire.type = 8;
  EXPECT_EQ(schema_json(plan_of({"HOLOGRAM"}, {}, &wire).schema()), typed("int64"));
  wire.type = 252;
  wire.collation = 45;
  EXPECT_EQ(schema_json(plan_of({"HOLOGRAM"}, {}, &wire).schema()), typed("string"));
  EXPECT_EQ(described({"HOLOGRAM"}), typed("bytes"));
}

// ---- defaults: the rest is compared with the recordings

TEST(Defaults, AreConvertedByThePlan) {
  EXPECT_EQ(described({.type = "BIGINT", .default_text = "9007199254740993"})["default"], 9007199254740993);
  EXPECT_EQ(described({.type = "BIGINT UNSIGNED", .default_text = "18446744073709551615"})["default"],
            9223372036854775807);
  EXPECT_EQ(described({.type = "BIT", .length = 12, .default_text = "b'100000000001'"})["default"], "AQg=");
  EXPECT_EQ(described({.type = "DATETIME", .default_text = "current_timestamp()"})["default"], 0);
  EXPECT_EQ(
      described(
          {.type = "TIMESTAMP", .length = 6, .optional = false, .default_text = "current_timestamp(6)"})["default"],
      "1970-01-01T00:00:00Z");
  EXPECT_EQ(described({.type = "VARCHAR", .default_text = "😀"})["default"], "😀");
  EXPECT_EQ(described({.type = "DECIMAL", .length = 5, .scale = 2, .default_text = "1.5"},
                      options_of({{"decimal.handling.mode", "string"}}))["default"],
            "1.50");
}

TEST(Defaults, ThatAreNoLiteralsAreNone) {
  for (const char* type : {"DATE", "INT", "DECIMAL", "UUID", "POINT", "BIT"})
    EXPECT_FALSE(described({.type = type, .default_text = "curdate()"}).contains("default")) << type;
  EXPECT_FALSE(described({.type = "DATE", .default_text = "0000-00-00"}).contains("default"));
}

}  // namespace
}  // namespace millrace::mariadb::testing
