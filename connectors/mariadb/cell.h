/// One column of one row as it was read, from the binlog or from a SELECT: the common form that makes a snapshot and
/// the stream agree, because everything after it (types/) sees no difference between them.
#pragma once

#include <cstdint>
#include <string_view>

#include "connectors/common/result.h"

namespace millrace::mariadb {

using connectors::Code;
using connectors::Result;
using connectors::Status;

/// A calendar date and clock time as MariaDB keeps it: not checked, all parts may be zero ("0000-00-00").
struct WallTime {
  uint16_t year;
  uint8_t month, day, hour, minute, second;
  uint32_t micros;
  bool operator==(const WallTime&) const = default;
};

struct Cell {
  enum class Kind : uint8_t {
    kAbsent,  ///< not in the row image (binlog_row_image MINIMAL or NOBLOB)
    kNull,
    kInteger,      ///< TINYINT to BIGINT: `i64`; with is_unsigned its bits are a uint64
    kFloat,        ///< `f64`, a float32 widened
    kDouble,       ///< `f64`
    kDecimal,      ///< DECIMAL up to 38 digits: unscaled value in `i128`, with `scale`
    kDecimalText,  ///< longer ones: "-123.45", all `scale` digits present
    kBytes,        ///< content as stored: binary, or text in the column's own character set
    kText,         ///< UTF-8 text (from a SELECT)
    kDate,         ///< `time`: year, month, day
    kDateTime,     ///< `time`
    kTimestamp,    ///< `i64`: microseconds since the epoch, UTC; 0 is also MariaDB's zero timestamp
    kTime,         ///< `i64`: microseconds, signed, -838:59:59.999999 to 838:59:59.999999
    kYear,         ///< `i64`: 0, 1901 to 2155
    kBits,         ///< BIT(n): `i64`, as uint64
    kEnum,         ///< `i64`: index from 1, 0 = the empty "error" value
    kSet,          ///< `i64`: one bit a member, as uint64
  };
  Kind kind = Kind::kNull;
  bool is_unsigned = false;
  bool snapshot =
      false;  ///< from a SELECT: Debezium words a few values differently there (trailing zeros of TIMESTAMP)
  int16_t scale = 0;
  uint32_t size = 0;  ///< of `bytes`
  union {
    int64_t i64 = 0;
    double f64;
    const char* bytes;  ///< borrowed from the event or result row
    WallTime time;
    __int128 i128;
  };

  std::string_view text() const { return {bytes, size}; }
};

}  // namespace millrace::mariadb
