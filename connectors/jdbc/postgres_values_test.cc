/// Decoders of PostgreSQL's binary values, from bytes as the wire has them.
#include "connectors/jdbc/postgres_values.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "connectors/jdbc/decimal.h"

namespace millrace::jdbc {
namespace {

std::string be16(int number) { return {static_cast<char>(number >> 8), static_cast<char>(number)}; }

/// A NUMERIC of these base-10000 groups.
std::string numeric(int weight, const std::vector<int>& groups, int sign = 0, int scale = 0) {
  std::string out = be16(static_cast<int>(groups.size())) + be16(weight) + be16(sign) + be16(scale);
  for (const int group : groups) out += be16(group);
  return out;
}
constexpr int kMinus = 0x4000;

PgNumeric parsed(const std::string& binary) {
  PgNumeric number;
  EXPECT_TRUE(PgNumeric::parse(binary, number));
  return number;
}

/// The unscaled bytes as decimal text, or "lost" when digits would be.
std::string unscaled(const std::string& binary, int scale) {
  std::vector<uint32_t> scratch;
  ByteArena arena;
  std::string_view bytes;
  if (!unscaled_bytes(parsed(binary), scale, scratch, arena, bytes)) return "lost";
  char text[kDecimalTextMax];
  return {text, decimal_text(bytes, 0, text)};
}

std::string unscaled_hex(const std::string& binary, int scale) {
  std::vector<uint32_t> scratch;
  ByteArena arena;
  std::string_view bytes;
  EXPECT_TRUE(unscaled_bytes(parsed(binary), scale, scratch, arena, bytes));
  std::string out;
  for (const char c : bytes) {
    char hex[3];
    std::snprintf(hex, sizeof(hex), "%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
    out += hex;
  }
  return out;
}

TEST(PostgresValues, NumbersAreBigEndian) {
  EXPECT_EQ(load_number<int16_t>("\xff\xfe"), -2);
  EXPECT_EQ(load_number<int32_t>("\x00\x01\x00\x00"), 65536);
  EXPECT_EQ(load_number<int64_t>("\x80\0\0\0\0\0\0\0"), std::numeric_limits<int64_t>::min());
  EXPECT_EQ(load_number<uint32_t>("\xff\xff\xff\xff"), 4294967295U);
  EXPECT_EQ(load_number<float>("\x3f\xc0\x00\x00"), 1.5F);
  EXPECT_EQ(load_number<double>("\xbf\xf8\0\0\0\0\0\0"), -1.5);
}

TEST(PostgresValues, DecimalsKeepEveryDigit) {
  EXPECT_EQ(unscaled(numeric(0, {}), 0), "0");
  EXPECT_EQ(unscaled(numeric(0, {}), 5), "0");
  EXPECT_EQ(unscaled(numeric(0, {12, 3400}), 2), "1234");  // 12.34
  EXPECT_EQ(unscaled(numeric(0, {12, 3400}, kMinus), 4), "-123400");
  EXPECT_EQ(unscaled(numeric(-1, {1}), 4), "1");     // 0.0001
  EXPECT_EQ(unscaled(numeric(-2, {5000}), 5), "5");  // 0.00005
  EXPECT_EQ(unscaled(numeric(-2, {5000}), 4), "lost");
  EXPECT_EQ(unscaled(numeric(0, {1, 5}), 3), "lost");  // 1.0005
  EXPECT_EQ(unscaled(numeric(2, {7}), 0), "700000000");
  EXPECT_EQ(unscaled(numeric(2, {7}), -2), "7000000");  // numeric(5,-2)
  EXPECT_EQ(unscaled(numeric(2, {7}), -8), "7");
  EXPECT_EQ(unscaled(numeric(2, {7}), -9), "lost");
  EXPECT_EQ(unscaled(numeric(4, {9999, 9999, 9999, 9999, 9999}), 0), "99999999999999999999");
  EXPECT_EQ(unscaled(numeric(3, {9999, 9999, 9999, 9999, 9990}), 3), "9999999999999999999");
  EXPECT_EQ(unscaled(numeric(6, {9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9900}, kMinus), 10),
            "-99999999999999999999999999999999999999");
  EXPECT_EQ(unscaled(numeric(0, {1}), 30), "1" + std::string(30, '0'));
}

TEST(PostgresValues, DecimalBytesAreTheShortest) {
  EXPECT_EQ(unscaled_hex(numeric(0, {}), 0), "00");
  EXPECT_EQ(unscaled_hex(numeric(0, {127}), 0), "7f");
  EXPECT_EQ(unscaled_hex(numeric(0, {128}), 0), "0080");
  EXPECT_EQ(unscaled_hex(numeric(0, {128}, kMinus), 0), "80");
  EXPECT_EQ(unscaled_hex(numeric(0, {129}, kMinus), 0), "ff7f");
  EXPECT_EQ(unscaled_hex(numeric(0, {1}, kMinus), 0), "ff");
  EXPECT_EQ(unscaled_hex(numeric(2, {42, 9496, 7296}), 0), "0100000000");  // 2^32
}

TEST(PostgresValues, WholePartsAreCutAndBounded) {
  int64_t out = 0;
  EXPECT_TRUE(whole_part(parsed(numeric(0, {9, 7500})), out));
  EXPECT_EQ(out, 9);
  EXPECT_TRUE(whole_part(parsed(numeric(-1, {7500}, kMinus)), out));
  EXPECT_EQ(out, 0);
  EXPECT_TRUE(whole_part(parsed(numeric(4, {922, 3372, 368, 5477, 5808}, kMinus)), out));
  EXPECT_EQ(out, std::numeric_limits<int64_t>::min());
  EXPECT_FALSE(whole_part(parsed(numeric(4, {922, 3372, 368, 5477, 5808})), out));
  EXPECT_FALSE(whole_part(parsed(numeric(40, {1})), out));
}

TEST(PostgresValues, DoublesAreTheNearest) {
  std::string scratch;
  EXPECT_EQ(real_of(parsed(numeric(0, {183, 9382})), scratch), 183.9382);
  EXPECT_EQ(real_of(parsed(numeric(-1, {1000}, kMinus)), scratch), -0.1);
  EXPECT_EQ(real_of(parsed(numeric(0, {})), scratch), 0.0);
  EXPECT_EQ(real_of(parsed(numeric(5, {1})), scratch), 1e20);
  EXPECT_TRUE(std::isinf(real_of(parsed(numeric(2000, {1})), scratch)));
  EXPECT_EQ(real_of(parsed(numeric(-2000, {1})), scratch), 0.0);
  EXPECT_TRUE(std::isnan(real_of(parsed(numeric(0, {}, 0xC000)), scratch)));
  EXPECT_EQ(real_of(parsed(numeric(0, {}, 0xF000)), scratch), -std::numeric_limits<double>::infinity());
}

TEST(PostgresValues, DamagedNumericsAreRefused) {
  PgNumeric number;
  EXPECT_FALSE(PgNumeric::parse("", number));
  EXPECT_FALSE(PgNumeric::parse(numeric(0, {1}) + "x", number));
  EXPECT_FALSE(PgNumeric::parse(numeric(0, {1}, 0x1234), number));
}

TEST(PostgresValues, ModifiersOfNumerics) {
  int precision = -1, scale = -1;
  EXPECT_TRUE(numeric_modifier((10 << 16 | 2) + 4, precision, scale));
  EXPECT_EQ(precision, 10);
  EXPECT_EQ(scale, 2);
  EXPECT_TRUE(numeric_modifier(329730, precision, scale));  // numeric(5,-2)
  EXPECT_EQ(precision, 5);
  EXPECT_EQ(scale, -2);
  EXPECT_FALSE(numeric_modifier(-1, precision, scale));
}

TEST(PostgresValues, DatesFollowTheCalendar) {
  int64_t days = 0;
  EXPECT_TRUE(days_of_date(0, CalendarSystem::kLegacy, days));
  EXPECT_EQ(days, 10957);
  // 1582-10-04 of the proleptic calendar is read as the day of that name before the change.
  EXPECT_TRUE(days_of_date(-152395, CalendarSystem::kLegacy, days));
  EXPECT_EQ(days, -141428);
  EXPECT_TRUE(days_of_date(-152395, CalendarSystem::kProlepticGregorian, days));
  EXPECT_EQ(days, -141438);
  EXPECT_FALSE(days_of_date(std::numeric_limits<int32_t>::max(), CalendarSystem::kLegacy, days));
  EXPECT_FALSE(days_of_date(std::numeric_limits<int32_t>::min(), CalendarSystem::kLegacy, days));
}

TEST(PostgresValues, TimestampsMeetTheZone) {
  const WallClock utc{}, east{*TimeZone::load("+02:00"), CalendarSystem::kLegacy};
  EXPECT_EQ(instant_of_timestamp(-1, utc), (Instant{946684799, 999'999'000}));
  EXPECT_EQ(instant_of_timestamp(0, east), (Instant{946684800 - 7200, 0}));
  EXPECT_EQ(instant_of_timestamptz(1'500'000, CalendarSystem::kLegacy), (Instant{946684801, 500'000'000}));
  EXPECT_EQ(instant_of_timestamp(std::numeric_limits<int64_t>::max(), east).millis(), 9223372036825200000);
  EXPECT_EQ(instant_of_timestamptz(std::numeric_limits<int64_t>::min(), CalendarSystem::kLegacy).millis(),
            -9223372036832400000);
  const Civil civil = civil_of_timestamp(-1);
  EXPECT_EQ(civil.year, 1999);
  EXPECT_EQ(civil.month, 12U);
  EXPECT_EQ(civil.day, 31U);
  EXPECT_EQ(civil.hour, 23U);
  EXPECT_EQ(civil.second, 59U);
  EXPECT_EQ(civil.micros, 999'999U);
}

TEST(PostgresValues, UuidsAndBitsAsText) {
  char uuid[kUuidText];
  uuid_text("\x12\x3e\x45\x67\xe8\x9b\x12\xd3\xa4\x56\x42\x66\x14\x17\x40\x00", uuid);
  EXPECT_EQ(std::string(uuid, kUuidText), "123e4567-e89b-12d3-a456-426614174000");
  const std::string bits("\0\0\0\x09\xaa\x80", 6);
  ASSERT_EQ(bit_count(bits.data()), 9);
  char text[9];
  bit_text(bits.data(), text);
  EXPECT_EQ(std::string(text, 9), "101010101");
}

}  // namespace
}  // namespace millrace::jdbc
