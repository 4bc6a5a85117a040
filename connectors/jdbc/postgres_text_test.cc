/// The texts that PostgreSQL's input functions get.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "connectors/jdbc/postgres_text.h"

namespace millrace::jdbc {
namespace {

using ::testing::HasSubstr;

std::string text(CellForm form, const mr_value& value, PgType type = {}, const WriteOptions& options = {}) {
  std::string out;
  const Status s = append_text(value, form, type, options, out);
  return s.ok() ? out : s.message();
}

mr_value count(int64_t n) { return sdk::int_value(MR_INT64, n); }
mr_value bytes(std::string_view b) {
  mr_value value = sdk::string_value(b);
  value.kind = MR_BYTES;
  return value;
}
mr_value items(const std::vector<mr_value>& members, mr_kind kind = MR_STRUCT) {
  mr_value value{};
  value.kind = static_cast<uint8_t>(kind);
  value.size = static_cast<uint32_t>(members.size());
  value.u.items = members.data();
  return value;
}

TEST(PostgresText, InstantsCarryTheirOffset) {
  WriteOptions options;
  options.clock.zone = *TimeZone::load("Asia/Seoul");
  EXPECT_EQ(text(CellForm::kTimestamp, count(1'709'210'096'000), {}, options), "2024-02-29 21:34:56+09");
  EXPECT_EQ(text(CellForm::kEpochMicros, count(1'709'210'096'789'120), {}, options), "2024-02-29 21:34:56.78912+09");
  // Long ago the zone was no whole number of minutes.
  EXPECT_EQ(text(CellForm::kTimestamp, count(-3'000'000'000'000), {}, options), "1874-12-08 03:07:52+08:27:52");
  EXPECT_EQ(text(CellForm::kEventMicros, count(-1), {}, options), "1969-12-31 23:59:59.999999");
  options.clock.zone = *TimeZone::load("-03:30");
  EXPECT_EQ(text(CellForm::kTime, count(0), {}, options), "20:30:00-03:30");
}

TEST(PostgresText, DatesBeyondTheYearsOfOthers) {
  EXPECT_EQ(text(CellForm::kEventDate, count(-719'163)), "0001-12-31 BC");
  EXPECT_EQ(text(CellForm::kEventMillis, count(-62'135'596'800'001)), "0001-12-31 23:59:59.999 BC");
  EXPECT_EQ(text(CellForm::kEventDate, count(4'000'000)), "012921-08-18");
  EXPECT_EQ(text(CellForm::kEventDate, count(2'145'000'000)), "5874780-07-13");
  EXPECT_EQ(text(CellForm::kTimestamp, count(9'223'372'036'825'200'000)), "infinity");
  EXPECT_EQ(text(CellForm::kTimestamp, count(-9'223'372'036'832'400'000)), "-infinity");
}

TEST(PostgresText, DebeziumsTimesWithoutAnEnd) {
  constexpr int64_t kPlus = 9'223'372'036'825'200'000, kMinus = -9'223'372'036'832'400'000;
  for (const auto& [form, plus, minus] : std::vector<std::tuple<CellForm, int64_t, int64_t>>{
           {CellForm::kEventMillis, kPlus / 1000, kMinus / 1000},
           {CellForm::kEventMicros, kPlus, kMinus},
           {CellForm::kEventNanos, std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::min()},
           {CellForm::kEventDate, days_of(CalendarSystem::kProlepticGregorian, -5'877'611, 6, 21),
            days_of(CalendarSystem::kProlepticGregorian, -5'877'611, 6, 22)},
           {CellForm::kEventDate, days_of(CalendarSystem::kProlepticGregorian, 5'877'611, 6, 21),
            std::numeric_limits<int32_t>::min()}}) {
    EXPECT_EQ(text(form, count(plus)), "infinity");
    EXPECT_EQ(text(form, count(minus)), "-infinity");
  }
  for (const CellForm form : {CellForm::kZonedTimestamp, CellForm::kIsoTimestamp, CellForm::kIsoDate}) {
    EXPECT_EQ(text(form, sdk::string_value("infinity")), "infinity");
    EXPECT_EQ(text(form, sdk::string_value("-infinity")), "-infinity");
  }
  EXPECT_THAT(text(CellForm::kZonedTime, sdk::string_value("infinity")), HasSubstr("is no ISO 8601 text"));
  EXPECT_EQ(text(CellForm::kEventMicros, count(kPlus - 1)), "294247-01-10 04:00:25.199999");
}

TEST(PostgresText, NumbersAndTruth) {
  EXPECT_EQ(text(CellForm::kInt, sdk::int_value(MR_BOOLEAN, 1)), "true");
  EXPECT_EQ(text(CellForm::kInt, sdk::int_value(MR_BOOLEAN, 0), {pg_type::kBit, 1}), "0");
  EXPECT_EQ(text(CellForm::kUnsigned, count(-1)), "18446744073709551615");
  mr_value real{};
  real.kind = MR_FLOAT32;
  real.u.f64 = std::numeric_limits<float>::max();
  EXPECT_EQ(text(CellForm::kFloat, real), "3.4028235e+38");
  mr_value huge = bytes(std::string(300, '\x11'));
  huge.kind = MR_DECIMAL;
  EXPECT_THAT(text(CellForm::kDecimal, huge),
              HasSubstr("a decimal number of 300 bytes with scale 0; at most 128 bytes"));
}

TEST(PostgresText, BitsByTheirColumn) {
  const mr_value bits = bytes("\x05\x02");
  EXPECT_EQ(text(CellForm::kBits, bits, {pg_type::kBit, 10}), "1000000101");
  EXPECT_EQ(text(CellForm::kBits, bits, {pg_type::kVarbit, -1}), "0000001000000101");
  EXPECT_EQ(text(CellForm::kBits, bits, {pg_type::kInt4, -1}), "517");
  EXPECT_EQ(text(CellForm::kBits, bits, {pg_type::kBool, -1}), "1");
  EXPECT_EQ(text(CellForm::kBits, bits, {pg_type::kBytea, -1}), "\\x0502");
}

TEST(PostgresText, GeometriesAsPostgisReadsThem) {
  const std::string wkb("\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\xF0\x3F\x00\x00\x00\x00\x00\x00\x00\x40", 21);
  const std::vector<mr_value> with_srid = {bytes(wkb), count(4326)}, without = {bytes(wkb), mr_value{}};
  EXPECT_EQ(text(CellForm::kGeometry, items(with_srid)), "0101000020e6100000000000000000f03f0000000000000040");
  EXPECT_EQ(text(CellForm::kGeometry, items(without)), "0101000000000000000000f03f0000000000000040");
  const std::vector<mr_value> broken = {bytes("\x01\x07"), mr_value{}}, nothing = {mr_value{}, mr_value{}};
  EXPECT_THAT(text(CellForm::kGeometry, items(broken)), HasSubstr("no two-dimensional WKB"));
  EXPECT_THAT(text(CellForm::kGeometry, items(nothing)), HasSubstr("without the field wkb"));
}

TEST(PostgresText, ArraysWithinArrays) {
  const std::vector<mr_value> inner = {sdk::string_value("a\"b"), mr_value{}, sdk::string_value("NULL")};
  const std::vector<mr_value> outer = {items(inner, MR_ARRAY), items({}, MR_ARRAY)};
  EXPECT_EQ(text(CellForm::kText, items(outer, MR_ARRAY)), R"({{"a\"b",NULL,"NULL"},{}})");
}

TEST(PostgresText, RefusesWhatNoColumnTakes) {
  EXPECT_THAT(text(CellForm::kText, sdk::string_value(std::string_view("a\0b", 3))), HasSubstr("U+0000"));
  EXPECT_THAT(text(CellForm::kText, items({}, MR_MAP)), HasSubstr("Unsupported source data type"));
  EXPECT_THAT(text(CellForm::kInt, items({})), HasSubstr("Unsupported source data type"));
}

TEST(PostgresText, Packs) {
  std::string element, field;
  append_element("a\"b\\c,{d}", element);
  EXPECT_EQ(element, R"("a\"b\\c,{d}")");
  append_copy_field("a\tb\nc\rd\\.", field);
  EXPECT_EQ(field, "a\\tb\\nc\\rd\\\\.");
}

}  // namespace
}  // namespace millrace::jdbc
