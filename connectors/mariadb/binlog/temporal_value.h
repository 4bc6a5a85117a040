/// Dates and times of row images. Each function returns what follows the value, nullptr when truncated.
#pragma once

#include "connectors/mariadb/binlog/byte_reader.h"
#include "connectors/mariadb/binlog/table_map.h"
#include "connectors/mariadb/cell.h"

namespace millrace::mariadb {

/// The fraction of DATETIME2, TIMESTAMP2 and TIME2 takes (digits + 1) / 2 bytes of hundredths, ten-thousandths or
/// microseconds.
inline constexpr uint32_t kFractionMicros[] = {0, 10'000, 100, 1};
inline constexpr size_t fraction_bytes(uint16_t digits) { return (digits + 1U) / 2; }

inline const uint8_t* read_date(const uint8_t* at, const uint8_t* end, Cell& cell) {
  if (end - at < 3) return nullptr;
  const auto bits = static_cast<uint32_t>(read_little(at, 3));
  cell.kind = Cell::Kind::kDate;
  cell.time = {static_cast<uint16_t>(bits >> 9),
               static_cast<uint8_t>(bits >> 5 & 15),
               static_cast<uint8_t>(bits & 31),
               0,
               0,
               0,
               0};
  return at + 3;
}

inline const uint8_t* read_datetime(uint16_t digits, const uint8_t* at, const uint8_t* end, Cell& cell) {
  const size_t fraction = fraction_bytes(digits);
  if (static_cast<size_t>(end - at) < 5 + fraction) return nullptr;
  const uint64_t bits = read_big(at, 5) & 0x7F'FFFF'FFFF;  // without the sign, which no value uses
  const auto months = static_cast<uint32_t>(bits >> 22);
  cell.kind = Cell::Kind::kDateTime;
  cell.time = {static_cast<uint16_t>(months / 13),
               static_cast<uint8_t>(months % 13),
               static_cast<uint8_t>(bits >> 17 & 31),
               static_cast<uint8_t>(bits >> 12 & 31),
               static_cast<uint8_t>(bits >> 6 & 63),
               static_cast<uint8_t>(bits & 63),
               static_cast<uint32_t>(read_big(at + 5, fraction)) * kFractionMicros[fraction]};
  return at + 5 + fraction;
}

inline const uint8_t* read_timestamp(uint16_t digits, const uint8_t* at, const uint8_t* end, Cell& cell) {
  const size_t fraction = fraction_bytes(digits);
  if (static_cast<size_t>(end - at) < 4 + fraction) return nullptr;
  cell.kind = Cell::Kind::kTimestamp;
  cell.i64 = static_cast<int64_t>(read_big(at, 4) * 1'000'000 + read_big(at + 4, fraction) * kFractionMicros[fraction]);
  return at + 4 + fraction;
}

const uint8_t* read_time(uint16_t digits, const uint8_t* at, const uint8_t* end, Cell& cell);

/// TIMESTAMP 7, TIME 11 and DATETIME 12 of before MariaDB 10.1 or mysql56_temporal_format=OFF; also nullptr for a type
/// that is none of them. column.metadata: digits of the fraction.
const uint8_t* read_old_temporal(const WireColumn& column, const uint8_t* at, const uint8_t* end, Cell& cell);

}  // namespace millrace::mariadb
