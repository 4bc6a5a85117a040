#include "connectors/jdbc/postgres_values.h"

#include <algorithm>
#include <charconv>
#include <limits>

namespace millrace::jdbc {
namespace {

constexpr uint16_t kPositive = 0x0000, kNegative = 0x4000, kNaN = 0xC000, kPlusInfinity = 0xD000,
                   kMinusInfinity = 0xF000;
constexpr int64_t kEpochDays = 10957;  // from 1970-01-01 to 2000-01-01
constexpr int64_t kEpochSeconds = kEpochDays * 86400;
constexpr int64_t kGregorianStart = -141427;  // 1582-10-15
constexpr uint32_t kPowers[] = {1, 10, 100, 1000, 10000};
/// What pgjdbc makes of infinite timestamps, in seconds.
constexpr int64_t kInfinitySeconds = 9223372036825200, kMinusInfinitySeconds = -9223372036832400;

int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a % b < 0) != (b < 0) ? 1 : 0); }

/// limbs (least significant first) = limbs * factor + digit
void multiply_add(std::vector<uint32_t>& limbs, uint32_t factor, uint32_t digit) {
  uint64_t carry = digit;
  for (uint32_t& limb : limbs) {
    const uint64_t sum = static_cast<uint64_t>(limb) * factor + carry;
    limb = static_cast<uint32_t>(sum);
    carry = sum >> 32;
  }
  if (carry != 0) limbs.push_back(static_cast<uint32_t>(carry));
}

/// Big-endian two's complement of a magnitude, as short as possible.
std::string_view write_bytes(const std::vector<uint32_t>& limbs, bool negative, ByteArena& bytes) {
  const size_t size = limbs.size() * 4 + 1;
  char* begin = bytes.allocate(size);
  begin[0] = 0;
  for (size_t i = 0; i < limbs.size(); ++i) {
    for (size_t b = 0; b < 4; ++b) begin[size - 1 - i * 4 - b] = static_cast<char>(limbs[i] >> (8 * b));
  }
  if (negative) {
    uint32_t carry = 1;
    for (size_t i = size; i-- > 0;) {
      const uint32_t sum = static_cast<uint8_t>(~begin[i]) + carry;
      begin[i] = static_cast<char>(sum);
      carry = sum >> 8;
    }
  }
  size_t first = 0;
  const char filler = (begin[0] & 0x80) != 0 ? '\xff' : '\0';
  while (first + 1 < size && begin[first] == filler && (begin[first + 1] & 0x80) == (filler & 0x80)) ++first;
  return {begin + first, size - first};
}

/// Moves a wall clock reading of the proleptic calendar to the same reading of `calendar`.
int64_t recounted_days(int64_t days, CalendarSystem calendar) {
  if (calendar == CalendarSystem::kProlepticGregorian || days >= kGregorianStart) return days;
  const Civil date = date_of(CalendarSystem::kProlepticGregorian, days);
  return days_of(calendar, date.year, date.month, date.day);
}

bool infinite(int64_t micros) {
  return micros == std::numeric_limits<int64_t>::max() || micros == std::numeric_limits<int64_t>::min();
}

/// Seconds of the reading in `calendar` and the nanoseconds behind them.
Instant reading_of(int64_t micros, CalendarSystem calendar) {
  const int64_t second = floor_div(micros, 1'000'000);
  const auto nanos = static_cast<int32_t>((micros - second * 1'000'000) * 1000);
  const int64_t since_1970 = second + kEpochSeconds, days = floor_div(since_1970, 86400);
  return {since_1970 + (recounted_days(days, calendar) - days) * 86400, nanos};
}

}  // namespace

bool PgNumeric::parse(std::string_view binary, PgNumeric& out) {
  if (binary.size() < 8) return false;
  const auto count = load_number<uint16_t>(binary.data());
  if (binary.size() != 8 + static_cast<size_t>(count) * 2) return false;
  const auto sign = load_number<uint16_t>(binary.data() + 4);
  out.kind = sign == kNaN                                      ? Kind::kNaN
             : sign == kPlusInfinity || sign == kMinusInfinity ? Kind::kInfinity
                                                               : Kind::kFinite;
  out.negative = sign == kNegative || sign == kMinusInfinity;
  out.weight = load_number<int16_t>(binary.data() + 2);
  out.scale = load_number<uint16_t>(binary.data() + 6);
  out.groups = binary.substr(8);
  return out.kind != Kind::kFinite || sign == kPositive || sign == kNegative;
}

bool whole_part(const PgNumeric& number, int64_t& out) {
  uint64_t magnitude = 0;
  for (int i = 0; i <= number.weight; ++i) {
    if (__builtin_mul_overflow(magnitude, uint64_t{10000}, &magnitude) ||
        __builtin_add_overflow(magnitude, uint64_t{number.group(i)}, &magnitude))
      return false;
  }
  constexpr auto kMost = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  if (magnitude > kMost + (number.negative ? 1 : 0)) return false;
  out = static_cast<int64_t>(number.negative ? ~magnitude + 1 : magnitude);
  return true;
}

bool unscaled_bytes(const PgNumeric& number, int scale, std::vector<uint32_t>& scratch, ByteArena& bytes,
                    std::string_view& out) {
  // Whole groups up to `last` stand at or before the last digit wanted; of the next one only `rest` digits do.
  const int last = number.weight + static_cast<int>(floor_div(scale, 4));
  const auto rest = static_cast<uint32_t>(scale - floor_div(scale, 4) * 4);
  const uint32_t split = kPowers[4 - rest], partial = last >= -1 ? number.group(last + 1) : 0;
  scratch.clear();
  if (last < 4) {  // at most 19 digits: one machine word does
    uint64_t magnitude = 0;
    for (int i = 0; i <= last; ++i) magnitude = magnitude * 10000 + number.group(i);
    if (last <= 2) {
      magnitude = magnitude * kPowers[rest] + partial / split;
      scratch.push_back(static_cast<uint32_t>(magnitude));
      if (magnitude >> 32 != 0) scratch.push_back(static_cast<uint32_t>(magnitude >> 32));
    } else {
      scratch.push_back(static_cast<uint32_t>(magnitude));
      if (magnitude >> 32 != 0) scratch.push_back(static_cast<uint32_t>(magnitude >> 32));
      multiply_add(scratch, kPowers[rest], partial / split);
    }
  } else {
    for (int i = 0; i <= last; ++i) multiply_add(scratch, 10000, number.group(i));
    multiply_add(scratch, kPowers[rest], partial / split);
  }
  out = write_bytes(scratch, number.negative, bytes);
  if (partial % split != 0) return false;
  for (int i = std::max(last + 2, 0); i < number.count(); ++i) {
    if (number.group(i) != 0) return false;
  }
  return true;
}

double real_of(const PgNumeric& number, std::string& scratch) {
  if (number.kind == PgNumeric::Kind::kNaN) return std::numeric_limits<double>::quiet_NaN();
  if (number.kind == PgNumeric::Kind::kInfinity) {
    const double infinity = std::numeric_limits<double>::infinity();
    return number.negative ? -infinity : infinity;
  }
  scratch.assign(number.negative ? "-0" : "0");
  for (int i = 0; i < number.count(); ++i) {
    const uint32_t group = number.group(i);
    for (int digit = 3; digit >= 0; --digit) scratch += static_cast<char>('0' + group / kPowers[digit] % 10);
  }
  scratch += 'e';
  scratch += std::to_string((number.weight + 1 - number.count()) * 4);
  double out = 0;
  const auto parsed = std::from_chars(scratch.data(), scratch.data() + scratch.size(), out);
  if (parsed.ec == std::errc::result_out_of_range && number.weight > 0)
    out = number.negative ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
  return out;
}

bool numeric_modifier(int modifier, int& precision, int& scale) {
  precision = scale = 0;
  if (modifier < 4) return false;
  const auto packed = static_cast<uint32_t>(modifier - 4);
  precision = static_cast<int>(packed >> 16);
  scale = static_cast<int>((packed & 0x7ff) ^ 1024) - 1024;  // eleven bits with sign, since PostgreSQL 15
  return true;
}

bool days_of_date(int32_t days_since_2000, CalendarSystem calendar, int64_t& days) {
  if (days_since_2000 == std::numeric_limits<int32_t>::max() || days_since_2000 == std::numeric_limits<int32_t>::min())
    return false;
  days = recounted_days(days_since_2000 + kEpochDays, calendar);
  return true;
}

Instant instant_of_timestamp(int64_t micros, const WallClock& clock) {
  if (infinite(micros)) return {micros > 0 ? kInfinitySeconds : kMinusInfinitySeconds, 0};
  Instant instant = reading_of(micros, clock.calendar);
  if (!clock.zone.utc()) instant.seconds = clock.zone.utc_of(instant.seconds);
  return instant;
}

Instant instant_of_timestamptz(int64_t micros, CalendarSystem calendar) {
  if (infinite(micros)) return {micros > 0 ? kInfinitySeconds : kMinusInfinitySeconds, 0};
  return reading_of(micros, calendar);
}

Civil civil_of_timestamp(int64_t micros) {
  const int64_t second = floor_div(micros, 1'000'000), since_1970 = second + kEpochSeconds;
  const int64_t days = floor_div(since_1970, 86400);
  Civil civil = date_of(CalendarSystem::kProlepticGregorian, days);
  const auto of_day = static_cast<uint32_t>(since_1970 - days * 86400);
  civil.hour = of_day / 3600;
  civil.minute = of_day / 60 % 60;
  civil.second = of_day % 60;
  civil.micros = static_cast<uint32_t>(micros - second * 1'000'000);
  return civil;
}

void uuid_text(const char* binary, char* out) {
  constexpr char kDigits[] = "0123456789abcdef";
  for (size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) *out++ = '-';
    *out++ = kDigits[static_cast<unsigned char>(binary[i]) >> 4];
    *out++ = kDigits[static_cast<unsigned char>(binary[i]) & 15];
  }
}

void bit_text(const char* binary, char* out) {
  const int32_t count = bit_count(binary);
  for (int32_t i = 0; i < count; ++i) out[i] = (binary[4 + i / 8] >> (7 - i % 8) & 1) != 0 ? '1' : '0';
}

}  // namespace millrace::jdbc
