#include "connectors/mariadb/binlog/temporal_value.h"

#include "connectors/mariadb/binlog/column_type.h"

namespace millrace::mariadb {
namespace {

constexpr int64_t kMicrosPerSecond = 1'000'000;
/// What one unit of a fraction of 0 to 6 digits is in microseconds.
constexpr uint32_t kUnitMicros[] = {1'000'000, 100'000, 10'000, 1'000, 100, 10, 1};
constexpr int64_t kTimeSecondsMax = 838 * 3600 + 59 * 60 + 59;

int64_t time_of(uint64_t hours, uint64_t minutes, uint64_t seconds, uint64_t micros) {
  return static_cast<int64_t>((hours * 3600 + minutes * 60 + seconds) * 1'000'000 + micros);
}

const uint8_t* read_old_timestamp(uint16_t digits, const uint8_t* at, const uint8_t* end, Cell& cell) {
  constexpr size_t kFractionBytes[] = {0, 1, 1, 2, 2, 3, 3};
  const size_t fraction = kFractionBytes[digits];
  if (static_cast<size_t>(end - at) < 4 + fraction) return nullptr;
  cell.kind = Cell::Kind::kTimestamp;
  // Plain values are little-endian, those with a fraction big-endian.
  const uint64_t seconds = digits == 0 ? read_little(at, 4) : read_big(at, 4);
  cell.i64 = static_cast<int64_t>(seconds * 1'000'000 + read_big(at + 4, fraction) * kUnitMicros[digits]);
  return at + 4 + fraction;
}

const uint8_t* read_old_time(uint16_t digits, const uint8_t* at, const uint8_t* end, Cell& cell) {
  constexpr size_t kBytes[] = {3, 4, 4, 5, 5, 5, 6};
  const size_t size = kBytes[digits];
  if (static_cast<size_t>(end - at) < size) return nullptr;
  cell.kind = Cell::Kind::kTime;
  if (digits == 0) {  // the decimal number [-]hhmmss
    const auto bits = static_cast<uint32_t>(read_little(at, 3));
    const int32_t number = static_cast<int32_t>(bits << 8) >> 8;
    const auto size_of = static_cast<uint32_t>(number < 0 ? -number : number);
    const int64_t value = time_of(size_of / 10'000, size_of / 100 % 100, size_of % 100, 0);
    cell.i64 = number < 0 ? -value : value;
    return at + size;
  }
  // Units since the most negative time.
  const auto unit = static_cast<int64_t>(kUnitMicros[digits]);
  cell.i64 = static_cast<int64_t>(read_big(at, size)) * unit - (kTimeSecondsMax + 1) * kMicrosPerSecond;
  return at + size;
}

const uint8_t* read_old_datetime(uint16_t digits, const uint8_t* at, const uint8_t* end, Cell& cell) {
  constexpr size_t kBytes[] = {8, 6, 6, 7, 7, 7, 8};
  const size_t size = kBytes[digits];
  if (static_cast<size_t>(end - at) < size) return nullptr;
  cell.kind = Cell::Kind::kDateTime;
  if (digits == 0) {  // the decimal number YYYYMMDDhhmmss
    const uint64_t number = read_little(at, 8);
    cell.time = {static_cast<uint16_t>(number / 10'000'000'000),
                 static_cast<uint8_t>(number / 100'000'000 % 100),
                 static_cast<uint8_t>(number / 1'000'000 % 100),
                 static_cast<uint8_t>(number / 10'000 % 100),
                 static_cast<uint8_t>(number / 100 % 100),
                 static_cast<uint8_t>(number % 100),
                 0};
    return at + size;
  }
  uint64_t rest = read_big(at, size);
  const auto part = [&rest](uint32_t base) {
    const uint64_t value = rest % base;
    rest /= base;
    return value;
  };
  const uint32_t units = 1'000'000 / kUnitMicros[digits];
  const auto micros = static_cast<uint32_t>(part(units) * kUnitMicros[digits]);
  const auto second = static_cast<uint8_t>(part(60)), minute = static_cast<uint8_t>(part(60));
  const auto hour = static_cast<uint8_t>(part(24)), day = static_cast<uint8_t>(part(32));
  const auto month = static_cast<uint8_t>(part(13));
  cell.time = {static_cast<uint16_t>(rest), month, day, hour, minute, second, micros};
  return at + size;
}

}  // namespace

const uint8_t* read_time(uint16_t digits, const uint8_t* at, const uint8_t* end, Cell& cell) {
  const size_t fraction = fraction_bytes(digits), size = 3 + fraction;
  if (static_cast<size_t>(end - at) < size) return nullptr;
  // One number with its fraction, so that a negative one borrows across both.
  const int64_t zero = int64_t{0x800000} << (8 * fraction);
  const int64_t number = static_cast<int64_t>(read_big(at, size)) - zero;
  const auto bits = static_cast<uint64_t>(number < 0 ? -number : number);
  const uint64_t clock = bits >> (8 * fraction);
  const uint64_t below = bits & ((uint64_t{1} << (8 * fraction)) - 1);
  const int64_t value = time_of(clock >> 12 & 1023, clock >> 6 & 63, clock & 63, below * kFractionMicros[fraction]);
  cell.kind = Cell::Kind::kTime;
  cell.i64 = number < 0 ? -value : value;
  return at + size;
}

const uint8_t* read_old_temporal(const WireColumn& column, const uint8_t* at, const uint8_t* end, Cell& cell) {
  if (column.metadata > 6) return nullptr;
  switch (column.type) {
    case column_type::kTimestamp:
      return read_old_timestamp(column.metadata, at, end, cell);
    case column_type::kTime:
      return read_old_time(column.metadata, at, end, cell);
    case column_type::kDateTime:
      return read_old_datetime(column.metadata, at, end, cell);
    default:
      return nullptr;
  }
}

}  // namespace millrace::mariadb
