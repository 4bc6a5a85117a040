/// PostgreSQL's binary forms of values: what a binary cursor delivers.
/// Threads: any (pure). No allocation but in the arena and in the scratch buffers given, which keep their memory.
#pragma once

#include <bit>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/jdbc/session.h"

namespace millrace::jdbc {

/// A big-endian number of the wire.
template <class T>
T load_number(const char* at) {
  using Bits = std::conditional_t<
      sizeof(T) == 1, uint8_t,
      std::conditional_t<sizeof(T) == 2, uint16_t, std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>>>;
  Bits bits = 0;
  for (size_t i = 0; i < sizeof(T); ++i)
    bits = static_cast<Bits>(static_cast<uint64_t>(bits) << 8 | static_cast<unsigned char>(at[i]));
  return std::bit_cast<T>(bits);
}

/// A NUMERIC: groups of four decimal digits, the first one of weight 10000^weight.
struct PgNumeric {
  enum class Kind : uint8_t { kFinite, kNaN, kInfinity } kind = Kind::kFinite;
  bool negative = false;
  int weight = 0;
  int scale = 0;            ///< digits that are shown behind the point
  std::string_view groups;  ///< two bytes each

  /// False when `binary` is no NUMERIC.
  static bool parse(std::string_view binary, PgNumeric& out);
  int count() const { return static_cast<int>(groups.size() / 2); }
  /// Group `i`; zero behind the last one.
  uint32_t group(int i) const {
    return i >= 0 && i < count() ? load_number<uint16_t>(groups.data() + static_cast<size_t>(i) * 2) : 0;
  }
};

/// The whole part; false when 64 bits do not hold it. Of finite numbers.
bool whole_part(const PgNumeric& number, int64_t& out);

/// number * 10^scale as shortest big-endian two's complement bytes in `bytes`. False when digits would be lost.
bool unscaled_bytes(const PgNumeric& number, int scale, std::vector<uint32_t>& scratch, ByteArena& bytes,
                    std::string_view& out);

/// The nearest double; of NaN and infinities too.
double real_of(const PgNumeric& number, std::string& scratch);

/// Precision and scale of numeric(p,s) in a type modifier; false for a numeric without them.
bool numeric_modifier(int modifier, int& precision, int& scale);

/// Days since 1970-01-01 of a date as `calendar` counts them. False for infinity.
bool days_of_date(int32_t days_since_2000, CalendarSystem calendar, int64_t& days);

/// A timestamp (wall clock of `clock.zone`) or timestamptz (a point in time) as microseconds since 2000.
/// Infinity becomes the point in time that pgjdbc has for it.
Instant instant_of_timestamp(int64_t micros, const WallClock& clock);
Instant instant_of_timestamptz(int64_t micros, CalendarSystem calendar);
/// What the wall clock of a timestamp shows.
Civil civil_of_timestamp(int64_t micros);

/// The 36 characters of a uuid.
inline constexpr size_t kUuidText = 36;
void uuid_text(const char* binary, char* out);

/// The digits of a bit string, one character each; `out` has room for bit_count() of them.
inline int32_t bit_count(const char* binary) { return load_number<int32_t>(binary); }
void bit_text(const char* binary, char* out);

}  // namespace millrace::jdbc
