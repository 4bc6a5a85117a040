// What is rebuilt of Java's library: expected values are those of a JVM, or of the rules written beside them.
#include "transforms/debezium_java.h"

#include <gtest/gtest.h>

#include "transforms/debezium_name_adjuster.h"
#include "transforms/debezium_zone.h"
#include "transforms/debezium_zoned_text.h"
#include "transforms/java_regex.h"

namespace millrace::debezium {
namespace {

std::string replaced(std::string_view pattern, std::string_view text, std::string_view replacement) {
  const auto regex = smt::JavaRegex::compile(pattern);
  if (!regex) return "error: " + regex.error().message;
  const auto result = regex->replace_first(text, replacement);
  return result ? *result : result.error().exception + ": " + result.error().message;
}

TEST(JavaSplit, LeavesOutEmptyEnds) {
  using Parts = std::vector<std::string>;
  EXPECT_EQ(java_split("a,b", ','), Parts({"a", "b"}));
  EXPECT_EQ(java_split("a,,", ','), Parts({"a"}));
  EXPECT_EQ(java_split(",a", ','), Parts({"", "a"}));
  EXPECT_EQ(java_split("", ','), Parts({""}));
  EXPECT_EQ(java_split(",", ','), Parts());
}

TEST(JavaHash, OfValues) {
  EXPECT_EQ(java_string_hash("hello"), 99162322);
  EXPECT_EQ(java_string_hash("\xC3\xA4"), 228);                           // one unit
  EXPECT_EQ(java_string_hash("\xF0\x9F\x98\x80"), 0xD83D * 31 + 0xDE00);  // a surrogate pair
  EXPECT_EQ(java_hash(nullptr, int64_value(-1)), 0);
  EXPECT_EQ(java_hash(nullptr, int64_value(int64_t{1} << 32)), 1);
  EXPECT_EQ(java_hash(nullptr, boolean_value(true)), 1231);
  EXPECT_EQ(java_hash(nullptr, floating(MR_FLOAT64, 1.0)), 0x3FF00000);
  EXPECT_EQ(java_hash(nullptr, bytes_value(MR_DECIMAL, "\x7B", 2)), 31 * 123 + 2);
  EXPECT_EQ(java_hash(nullptr, bytes_value(MR_DECIMAL, "\x85", 2)), 31 * -123 + 2);
  EXPECT_EQ(java_hash(date_schema().get(), int32_value(1)), 86'400'000);
  const Value elements[] = {int32_value(1), int32_value(2)};
  EXPECT_EQ(java_hash(nullptr, items_value(MR_ARRAY, elements)), (31 + 1) * 31 + 2);
}

TEST(JavaRegex, ReplacesTheFirstMatchOnly) {
  EXPECT_EQ(replaced("(.*)orders(.*)", "srv.orders7", "$1all$2"), "srv.all7");
  EXPECT_EQ(replaced("a|ab", "xab", "-"), "x-b") << "alternatives in their order";
  EXPECT_EQ(replaced("(?<n>b)(c)?", "abd", "[${n}$2]"), "a[b]d");
  EXPECT_EQ(replaced("(b)", "abc", "$10"), "ab0c") << "the longest number that is a group";
  EXPECT_EQ(replaced("b", "abc", "\\$1"), "a$1c");
  EXPECT_EQ(replaced("\\Qa.b\\E+", "xa.bb", "-"), "x-");
  EXPECT_EQ(replaced("b", "abc", "$1"), "java.lang.IndexOutOfBoundsException: No group 1");
  EXPECT_EQ(replaced("b", "abc", "${n}"), "java.lang.IllegalArgumentException: No group with name {n}");
}

TEST(JavaRegex, RefusesWhatRe2CannotSay) {
  for (const char* pattern : {"a(?=b)", "(a)\\1", "a++", "[a-z&&[^b]]", "(", "[x", "(?>a)"}) {
    const auto regex = smt::JavaRegex::compile(pattern);
    ASSERT_FALSE(regex) << pattern;
    EXPECT_EQ(regex.error().code, ErrorCode::kInvalidConfig);
    EXPECT_NE(regex.error().message.find(pattern), std::string::npos) << regex.error().message;
  }
}

TEST(NameAdjuster, MakesAvroNames) {
  EXPECT_EQ(adjust_name("9-a.b", NameAdjustment::kNone, false), "9-a.b");
  EXPECT_EQ(adjust_name("9-a.b", NameAdjustment::kAvro, false), "_9_a.b");
  EXPECT_EQ(adjust_name("9-a.b", NameAdjustment::kAvro, true), "_9_a_b");
  EXPECT_EQ(adjust_name("9_a", NameAdjustment::kAvroUnicode, true), "_u0039_u005fa");
  EXPECT_EQ(adjust_name("\xF0\x9F\x98\x80", NameAdjustment::kAvroUnicode, true), "_ud83d_ude00");
}

constexpr int64_t kHour = 3600;

TEST(Zone, KnowsItsChanges) {
  const auto zone = Zone::from_region("Europe/Berlin");
  ASSERT_TRUE(zone) << zone.error().message;
  const int64_t spring = 1711846800, autumn = 1729990800;  // 2024-03-31 and 2024-10-27, 01:00 UTC
  EXPECT_EQ(zone->offset_at(spring - 1), kHour);
  EXPECT_EQ(zone->offset_at(spring), 2 * kHour);
  EXPECT_EQ(zone->offset_at(autumn - 1), 2 * kHour);
  EXPECT_EQ(zone->offset_at(autumn), kHour);
  EXPECT_EQ(zone->offset_at_local(spring + kHour), kHour) << "02:00 does not exist: as before";
  EXPECT_EQ(zone->offset_at_local(spring + 2 * kHour), 2 * kHour);
  EXPECT_EQ(zone->offset_at_local(autumn + kHour), 2 * kHour) << "02:00 comes twice: the first";
  EXPECT_EQ(zone->offset_at_local(autumn + 2 * kHour), kHour);
}

TEST(Zone, GoesOnByItsRule) {
  const auto berlin = Zone::from_region("Europe/Berlin"), auckland = Zone::from_region("Pacific/Auckland");
  ASSERT_TRUE(berlin && auckland);
  const int64_t summer_2050 = 2540200000, summer_4000 = 64075600000;  // 30 June, some 24 June
  EXPECT_EQ(berlin->offset_at(summer_2050), 2 * kHour);
  EXPECT_EQ(auckland->offset_at(summer_2050), 12 * kHour);
  EXPECT_EQ(berlin->offset_at(summer_4000), 2 * kHour);
  EXPECT_EQ(berlin->offset_at_local(summer_4000), 2 * kHour);
  EXPECT_EQ(auckland->offset_at(summer_4000 + 180 * 24 * kHour), 13 * kHour);
}

TEST(Zone, RefusesOtherFilesAndOffsets) {
  for (const char* name :
       {"Mars/Base", "", "../../etc/passwd", "/etc/passwd", "posix/UTC", "utc", "zone.tab", "Europe"})
    EXPECT_FALSE(Zone::from_region(name)) << name;
  EXPECT_FALSE(Zone::from_offset("+25:00"));
  EXPECT_FALSE(Zone::from_offset("+18:01"));
  EXPECT_EQ(Zone::from_offset("-03:30:15")->offset_at(0), -(3 * kHour + 30 * 60 + 15));
}

std::string moved(std::string_view text, int32_t offset, bool with_date) {
  Arena arena;
  const auto moment = with_date ? parse_zoned_date_time(text) : parse_zoned_time(text);
  return moment ? std::string(at_offset(*moment, offset, with_date, arena)) : "malformed";
}

TEST(ZonedText, MovesToAnotherOffset) {
  EXPECT_EQ(moved("2018-06-20T15:13:16.945104Z", 19800, true), "2018-06-20T20:43:16.945104+05:30");
  EXPECT_EQ(moved("2020-02-29T23:30:00+00:00", 7200, true), "2020-03-01T01:30:00+02:00");
  EXPECT_EQ(moved("2020-02-29T23:30Z", 0, true), "2020-02-29T23:30:00Z");
  EXPECT_EQ(moved("23:30:00.500Z", 7215, false), "01:30:15.5+02:00:15");
  EXPECT_EQ(moved("01:00:00+02:00", 0, false), "23:00:00Z");
  for (const char* text : {"2019-02-29T00:00:00Z", "2020-01-01T24:00:00Z", "2020-01-01", "x", "2020-01-01T00:00:00"})
    EXPECT_EQ(moved(text, 0, true), "malformed") << text;
}

}  // namespace
}  // namespace millrace::debezium
