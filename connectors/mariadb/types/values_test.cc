/// Dates, times and text: the values that are hard to get right.
#include <limits>

#include "connectors/mariadb/types/text_decoder.h"
#include "connectors/mariadb/types/types_testing.h"

namespace millrace::mariadb::testing {
namespace {

using Kind = Cell::Kind;

constexpr Reading kLeapDay{2024, 2, 29, 12, 34, 56, 789'123};
constexpr int64_t kTime = 45'296'789'123;        // 12:34:56.789123
constexpr int64_t kLongest = 3'020'399'999'999;  // 838:59:59.999999
constexpr int64_t kDay = 86'400'000'000;

ValueOptions mode(const char* name) { return options_of({{"time.precision.mode", name}}); }

struct Expected {
  const char* mode;
  const char* name;
  Json value;
};

TEST(Temporals, OfEachMode) {
  const Expected kDates[] = {{"adaptive_time_microseconds", "io.debezium.time.Date", 19782},
                             {"microseconds", "io.debezium.time.Date", 19782},
                             {"nanoseconds", "io.debezium.time.Date", 19782},
                             {"connect", "org.apache.kafka.connect.data.Date", 19782},
                             {"isostring", "io.debezium.time.IsoDate", "2024-02-29Z"},
                             {"structured", "io.debezium.time.StructuredDate", {2024, 2, 29, nullptr}}};
  const Expected kTimes[] = {
      {"adaptive_time_microseconds", "io.debezium.time.MicroTime", kTime},
      {"microseconds", "io.debezium.time.MicroTime", kTime},
      {"nanoseconds", "io.debezium.time.NanoTime", kTime * 1000},
      {"connect", "org.apache.kafka.connect.data.Time", 45'296'789},
      {"isostring", "io.debezium.time.IsoTime", "12:34:56.789123Z"},
      {"structured", "io.debezium.time.StructuredDuration", {0, 0, 0, 12, 34, 56, 789'123'000, 6}}};
  const Expected kDateTimes[] = {
      {"adaptive_time_microseconds", "io.debezium.time.MicroTimestamp", 1'709'210'096'789'123},
      {"microseconds", "io.debezium.time.MicroTimestamp", 1'709'210'096'789'123},
      {"nanoseconds", "io.debezium.time.NanoTimestamp", 1'709'210'096'789'123'000},
      {"connect", "org.apache.kafka.connect.data.Timestamp", 1'709'210'096'789},
      {"isostring", "io.debezium.time.IsoTimestamp", "2024-02-29T12:34:56.789123Z"},
      {"structured", "io.debezium.time.StructuredTimestamp", {2024, 2, 29, 12, 34, 56, 789'123'000, nullptr, 6}}};
  for (const Expected& expected : kDates) {
    const ColumnPlan plan = plan_of({"DATE"}, mode(expected.mode));
    EXPECT_EQ(plan.schema().name, expected.name);
    EXPECT_EQ(converted(plan, reading(kLeapDay, Kind::kDate)), expected.value) << expected.name;
  }
  for (const Expected& expected : kTimes) {
    const ColumnPlan plan = plan_of({"TIME", 6}, mode(expected.mode));
    EXPECT_EQ(plan.schema().name, expected.name);
    EXPECT_EQ(converted(plan, number(kTime, Kind::kTime)), expected.value) << expected.name;
  }
  for (const Expected& expected : kDateTimes) {
    const ColumnPlan plan = plan_of({"DATETIME", 6}, mode(expected.mode));
    EXPECT_EQ(plan.schema().name, expected.name);
    EXPECT_EQ(converted(plan, reading(kLeapDay)), expected.value) << expected.name;
  }
}

TEST(DateTimes, OfUpToThreeDigitsAreMillisecondsWhenAdaptive) {
  const ColumnPlan plan = plan_of({"DATETIME", 3});
  EXPECT_EQ(plan.schema().name, "io.debezium.time.Timestamp");
  EXPECT_EQ(converted(plan, reading({2024, 2, 29, 12, 34, 56, 789'000})), 1'709'210'096'789);
  EXPECT_EQ(converted(plan, reading({1969, 12, 31, 23, 59, 59, 999'000})), -1);
  EXPECT_EQ(converted(plan_of({"DATETIME", 6}, mode("connect")), reading({1969, 12, 31, 23, 59, 59, 999'999})), -1);
  EXPECT_EQ(plan_of({"DATETIME"}).schema().name, "io.debezium.time.Timestamp");
  EXPECT_EQ(plan_of({"DATETIME", 4}).schema().name, "io.debezium.time.MicroTimestamp");
}

TEST(DateTimes, OfNanosecondsWrapOutsideTheirRange) {
  const ColumnPlan plan = plan_of({"DATETIME", 6}, mode("nanoseconds"));
  EXPECT_EQ(converted(plan, reading({1000, 1, 1, 0, 0, 0, 1})), 6283264147419104232);
  EXPECT_EQ(converted(plan, reading({9999, 12, 31, 23, 59, 59, 999'999})), -4852116231933723624);
}

TEST(Dates, OfTwoDigitYearsAreAdjustedIfAsked) {
  const ValueOptions plain = options_of({{"enable.time.adjuster", "false"}});
  EXPECT_EQ(converted(plan_of({"DATE"}, options_of()), reading({99, 1, 1}, Kind::kDate)), 10592);
  EXPECT_EQ(converted(plan_of({"DATE"}, options_of()), reading({1, 1, 1}, Kind::kDate)), 11323);
  EXPECT_EQ(converted(plan_of({"DATE"}, plain), reading({1, 1, 1}, Kind::kDate)), -719162);
  EXPECT_EQ(converted(plan_of({"DATETIME"}), reading({69, 1, 1})), 3124224000000);
  EXPECT_EQ(converted(plan_of({"DATE"}), reading({9999, 12, 31}, Kind::kDate)), 2932896);
}

TEST(ZeroDates, AreNullOrTheEpoch) {
  const Reading kNone[] = {{}, {2020, 0, 15}, {2020, 5, 0}, {0, 1, 1}, {2020, 0, 0, 10}, {2023, 2, 29}, {2024, 4, 31}};
  for (const Reading& time : kNone) {
    EXPECT_EQ(converted(plan_of({"DATE"}), reading(time, Kind::kDate)), nullptr);
    EXPECT_EQ(converted(plan_of({.type = "DATE", .optional = false}), reading(time, Kind::kDate)), 0);
    EXPECT_EQ(converted(plan_of({.type = "DATETIME", .length = 6, .optional = false}), reading(time)), 0);
    EXPECT_EQ(converted(plan_of({.type = "DATETIME", .optional = false}, mode("isostring")), reading(time)),
              "1970-01-01T00:00:00Z");
  }
  EXPECT_EQ(converted(plan_of({"DATE"}, mode("structured")), reading({2020, 0, 15}, Kind::kDate)),
            Json({2020, 0, 15, nullptr}));
}

TEST(Times, ReachFarBeyondADay) {
  const ColumnPlan micros = plan_of({"TIME", 6});
  EXPECT_EQ(converted(micros, number(kLongest, Kind::kTime)), kLongest);
  EXPECT_EQ(converted(micros, number(-kLongest, Kind::kTime)), -kLongest);
  EXPECT_EQ(converted(plan_of({"TIME", 6}, mode("structured")), number(-kLongest, Kind::kTime)),
            Json({0, 0, 0, -838, -59, -59, -999'999'000, 6}));
}

TEST(Times, OutsideOneDayAreNullForConnectAndIsoStrings) {
  for (const int64_t value : {int64_t{-1}, kDay + 1, kLongest, -kLongest}) {
    EXPECT_EQ(converted(plan_of({"TIME", 6}, mode("connect")), number(value, Kind::kTime)), nullptr);
    EXPECT_EQ(converted(plan_of({"TIME", 6}, mode("isostring")), number(value, Kind::kTime)), nullptr);
  }
  EXPECT_EQ(converted(plan_of({"TIME"}, mode("connect")), number(kDay, Kind::kTime)), 86'400'000);
  EXPECT_EQ(converted(plan_of({"TIME"}, mode("isostring")), number(kDay, Kind::kTime)), "00:00:00Z");
}

TEST(Timestamps, PadInTheStreamAndNotInASnapshot) {
  const Cell stamp = number(1'000'000'000'100'000 - 1'000'000'000'000'000 + 1'000'000, Kind::kTimestamp);  // 1.1 s
  const ColumnPlan plan = plan_of({"TIMESTAMP", 6});
  EXPECT_EQ(plan.schema().name, "io.debezium.time.ZonedTimestamp");
  EXPECT_EQ(converted(plan, stamp), "1970-01-01T00:00:01.100000Z");
  EXPECT_EQ(converted(plan, in_snapshot(stamp)), "1970-01-01T00:00:01.1Z");
  EXPECT_EQ(converted(plan_of({"TIMESTAMP"}), number(2'147'483'647'000'000, Kind::kTimestamp)), "2038-01-19T03:14:07Z");
  EXPECT_EQ(converted(plan_of({"TIMESTAMP", 3}), number(1'709'210'096'789'000, Kind::kTimestamp)),
            "2024-02-29T12:34:56.789Z");
  EXPECT_EQ(converted(plan_of({"TIMESTAMP", 6}, mode("structured")), stamp),
            Json({1970, 1, 1, 0, 0, 1, 100'000'000, 0, "Z", nullptr, 6}));
}

TEST(Timestamps, OfZeroAreTheEpochInTheStream) {
  const Cell zero = number(0, Kind::kTimestamp);
  EXPECT_EQ(converted(plan_of({"TIMESTAMP"}), zero), "1970-01-01T00:00:00Z");
  EXPECT_EQ(converted(plan_of({"TIMESTAMP"}), in_snapshot(zero)), nullptr);
  EXPECT_EQ(converted(plan_of({.type = "TIMESTAMP", .optional = false}), in_snapshot(zero)), "1970-01-01T00:00:00Z");
}

// ---- text

std::string decoded(std::string_view charset, std::string_view content) {
  connectors::ByteArena arena;
  return std::string(TextDecoder(charset).decode(content, arena));
}

TEST(Text, OfEachCharacterSetBecomesUtf8) {
  struct {
    const char* charset;
    std::string_view stored, text;
  } kTexts[] = {
      {"latin1", "\xe9\x80\x8c\x81", "é€Œ\xc2\x81"},  // cp1252, and MariaDB keeps what that leaves open
      {"latin1", "plain", "plain"},
      {"ascii", "a\xe9", "a\xef\xbf\xbd"},
      {"utf8mb4", "😀", "😀"},
      {"ucs2", std::string_view("\x65\xe5\x00\xe9", 4), "日é"},
      {"utf16", std::string_view("\xd8\x3d\xde\x00", 4), "😀"},
      {"utf16le", std::string_view("\x3d\xd8\x00\xde", 4), "😀"},
      {"utf32", std::string_view("\x00\x01\xf6\x00", 4), "😀"},
      {"sjis", "\x93\xfa\x5c", "日\\"},
      {"cp932", "\x87\x40", "①"},
      {"ujis", "\xc6\xfc", "日"},
      {"euckr", "\xc7\xd1", "한"},
      {"gbk", "\xd6\xd0", "中"},
      {"gb2312", "\xd6\xd0", "中"},
      {"big5", "\xa4\xa4", "中"},
      {"latin2", "\xe8", "č"},
      {"latin7", "\xfe", "ž"},
      {"cp1251", "\xcf", "П"},
      {"koi8r", "\xf0", "П"},
      {"greek", "\xd9", "Ω"},
      {"hebrew", "\xf9", "ש"},
      {"cp850", "\x80", "Ç"},
      {"tis620", "\xe4", "ไ"},
      {"keybcs2", "\x80\x90", "ČÉ"},
      {"swe7", "@[", "ÉÄ"},  // no ASCII
      {"koi8u", "\x95", "•"},
      {"geostd8", "\x80", "€"},
      {"eucjpms", "\xad\xa1", "①"},
  };
  for (const auto& [charset, stored, text] : kTexts) EXPECT_EQ(decoded(charset, stored), text) << charset;
  for (const auto& [charset, stored, text] : kTexts) EXPECT_EQ(decoded(charset, ""), "") << charset;
}

TEST(Text, ThatIsNoUtf8IsRepaired) {
  const std::pair<std::string, std::string> kBroken[] = {
      {"a\xff"
       "b",
       "a\xef\xbf\xbd"
       "b"},
      {"\xc3", "\xef\xbf\xbd"},
      {"\xf0\x9f\x98", "\xef\xbf\xbd"},                                          // cut: one sign for the piece
      {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},                  // a surrogate
      {"\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd"},                                  // overlong
      {"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},  // above U+10FFFF
      {"12345678\xe2\x82\xac\xe2\x82"
       "9",
       "12345678€\xef\xbf\xbd"
       "9"}};
  for (const auto& [stored, text] : kBroken) {
    EXPECT_EQ(decoded("utf8mb4", stored), text);
    EXPECT_EQ(converted(plan_of({"VARCHAR", 20}), in_snapshot(testing::text(stored))), text);
  }
  const std::string_view good = "žluťoučký 日本 😀 and a long tail of ASCII";
  connectors::ByteArena arena;
  EXPECT_EQ(TextDecoder("utf8mb3").decode(good, arena).data(), good.data()) << "good text is borrowed";
  EXPECT_EQ(arena.bytes(), 0U);
}

TEST(Text, IsInTheCharsetOfTheWireElseOfTheDefinition) {
  WireColumn wire;
  wire.type = 15;
  wire.collation = 51;  // cp1251_general_ci
  EXPECT_EQ(converted(plan_of({"VARCHAR", 20}, {}, &wire), bytes("\xcf")), "П");
  EXPECT_EQ(converted(plan_of({.type = "VARCHAR", .charset = "latin1"}, {}, &wire), bytes("\xcf")), "П");
  wire.collation = 0;  // a map without character sets
  EXPECT_EQ(converted(plan_of({.type = "VARCHAR", .charset = "latin1"}, {}, &wire), bytes("\xcf")), "Ï");
}

TEST(Text, OfFourBytesACharacterGoesOnAfterABadOne) {
  const std::string_view stored("\0\x11\0\0\0\0\0A\0\0\x65\xe5", 12);  // beyond U+10FFFF, A, 日
  EXPECT_EQ(decoded("utf32", stored),
            "\xef\xbf\xbd"
            "A日");
}

TEST(Text, OfCollationNumbers) {
  const std::pair<uint16_t, std::string_view> kNumbers[] = {
      {8, "latin1"},    {33, "utf8mb3"},   {45, "utf8mb4"},   {63, "binary"},    {95, "cp932"},    {224, "utf8mb4"},
      {192, "utf8mb3"}, {1069, "utf8mb4"}, {2304, "utf8mb4"}, {2048, "utf8mb3"}, {1032, "latin1"}, {28, "gbk"},
      {0, ""},          {9999, ""},        {54, "utf16"},     {608, "utf8mb4"}};
  for (const auto& [number, charset] : kNumbers) EXPECT_EQ(charset_of_collation(number), charset) << number;
}

}  // namespace
}  // namespace millrace::mariadb::testing
