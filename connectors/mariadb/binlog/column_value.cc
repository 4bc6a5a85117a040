#include "connectors/mariadb/binlog/column_value.h"

#include <bit>
#include <cstring>

#include "connectors/mariadb/binlog/byte_reader.h"
#include "connectors/mariadb/binlog/column_type.h"
#include "connectors/mariadb/binlog/compression.h"
#include "connectors/mariadb/binlog/decimal_value.h"
#include "connectors/mariadb/binlog/temporal_value.h"

namespace millrace::mariadb {
namespace {

namespace type = column_type;
using Arena = connectors::ByteArena;
using Kind = Cell::Kind;
constexpr uint16_t kBinaryCollation = 63;

size_t left(const uint8_t* at, const uint8_t* end) { return static_cast<size_t>(end - at); }

template <size_t kBytes>
const uint8_t* read_integer(const WireColumn& column, const uint8_t* at, const uint8_t* end, Cell& cell) {
  if (left(at, end) < kBytes) return nullptr;
  uint64_t bits = 0;
  std::memcpy(&bits, at, kBytes);  // little-endian machines only, see the assertion below
  cell.kind = Kind::kInteger;
  cell.is_unsigned = column.is_unsigned;
  constexpr int kShift = 64 - 8 * static_cast<int>(kBytes);
  cell.i64 = column.is_unsigned ? static_cast<int64_t>(bits) : static_cast<int64_t>(bits << kShift) >> kShift;
  return at + kBytes;
}
static_assert(std::endian::native == std::endian::little);

template <class Float>
const uint8_t* read_float(Kind kind, const uint8_t* at, const uint8_t* end, Cell& cell) {
  if (left(at, end) < sizeof(Float)) return nullptr;
  Float value;
  std::memcpy(&value, at, sizeof(value));
  cell.kind = kind;
  cell.f64 = value;
  return at + sizeof(value);
}

/// `bytes` with zeros after them, up to the column's length.
void pad(const WireColumn& column, Arena& scratch, Cell& cell) {
  char* padded = scratch.allocate(column.metadata);
  std::memcpy(padded, cell.bytes, cell.size);
  std::memset(padded + cell.size, 0, column.metadata - cell.size);
  cell.bytes = padded;
  cell.size = column.metadata;
}

const uint8_t* read_bytes(size_t length_bytes, const uint8_t* at, const uint8_t* end, Cell& cell) {
  if (left(at, end) < length_bytes) return nullptr;
  const uint64_t size = length_bytes == 1 ? *at : read_little(at, length_bytes);
  at += length_bytes;
  if (left(at, end) < size) return nullptr;
  cell.kind = Kind::kBytes;
  cell.size = static_cast<uint32_t>(size);
  cell.bytes = reinterpret_cast<const char*>(at);
  return at + size;
}

/// A COMPRESSED column's content behind its length: one byte says how it is kept, nothing at all is the empty value.
bool expand(Cell& cell, Arena& scratch) {
  if (cell.size == 0) return true;
  const Bytes kept(reinterpret_cast<const uint8_t*>(cell.bytes), cell.size);
  if (kept[0] == 0) {
    ++cell.bytes;
    --cell.size;
    return true;
  }
  const CompressedBlock block = column_block(kept);
  if (block.problem != nullptr) return false;
  char* content = scratch.allocate(block.size);
  cell.bytes = content;
  cell.size = static_cast<uint32_t>(block.size);
  return inflate(block, reinterpret_cast<uint8_t*>(content));
}

const uint8_t* read_number(Kind kind, size_t bytes, bool big_endian, const uint8_t* at, const uint8_t* end,
                           Cell& cell) {
  if (left(at, end) < bytes) return nullptr;
  cell.kind = kind;
  cell.i64 = static_cast<int64_t>(big_endian ? read_big(at, bytes) : read_little(at, bytes));
  return at + bytes;
}

size_t prefix_bytes(uint16_t most_bytes) { return most_bytes > 255 ? 2 : 1; }

/// The types that few rows have; kept out of the loop that all rows run through.
[[gnu::noinline]] const uint8_t* read_rare(const WireColumn& column, const uint8_t* at, const uint8_t* end, Cell& cell,
                                           Arena& scratch) {
  switch (column.type) {
    case type::kFloat:
      return read_float<float>(Kind::kFloat, at, end, cell);
    case type::kYear:
      at = read_number(Kind::kYear, 1, false, at, end, cell);
      if (at != nullptr && cell.i64 != 0) cell.i64 += 1900;
      return at;
    case type::kBit:
      return read_number(Kind::kBits, (column.metadata + 7U) / 8, true, at, end, cell);
    case type::kEnum:
      return read_number(Kind::kEnum, column.metadata, false, at, end, cell);
    case type::kSet:
      return read_number(Kind::kSet, column.metadata, false, at, end, cell);
    case type::kVarcharCompressed:
      at = read_bytes(prefix_bytes(column.metadata), at, end, cell);
      return at != nullptr && expand(cell, scratch) ? at : nullptr;
    case type::kBlobCompressed:
      at = read_bytes(column.metadata, at, end, cell);
      return at != nullptr && expand(cell, scratch) ? at : nullptr;
    case type::kNull:
      cell.kind = Kind::kNull;
      return at;
    default:
      return read_old_temporal(column, at, end, cell);
  }
}

inline const uint8_t* read_value(const WireColumn& column, const uint8_t* at, const uint8_t* end, Cell& cell,
                                 Arena& scratch) {
  switch (column.type) {
    case type::kTiny:
      return read_integer<1>(column, at, end, cell);
    case type::kShort:
      return read_integer<2>(column, at, end, cell);
    case type::kInt24:
      return read_integer<3>(column, at, end, cell);
    case type::kLong:
      return read_integer<4>(column, at, end, cell);
    case type::kLongLong:
      return read_integer<8>(column, at, end, cell);
    case type::kDouble:
      return read_float<double>(Kind::kDouble, at, end, cell);
    case type::kNewDecimal:
      return read_decimal(column.metadata, at, end, cell, scratch);
    case type::kDate:
    case type::kNewDate:
      return read_date(at, end, cell);
    case type::kDateTime2:
      return read_datetime(column.metadata, at, end, cell);
    case type::kTimestamp2:
      return read_timestamp(column.metadata, at, end, cell);
    case type::kTime2:
      return read_time(column.metadata, at, end, cell);
    case type::kVarchar:
    case type::kVarString:
      return read_bytes(prefix_bytes(column.metadata), at, end, cell);
    case type::kString:
      at = read_bytes(prefix_bytes(column.metadata), at, end, cell);
      if (at != nullptr && column.collation == kBinaryCollation && cell.size < column.metadata)
        pad(column, scratch, cell);
      return at;
    case type::kTinyBlob:
    case type::kMediumBlob:
    case type::kLongBlob:
    case type::kBlob:
    case type::kGeometry:
    case type::kJsonMySql:
      return read_bytes(column.metadata, at, end, cell);
    default:
      return read_rare(column, at, end, cell, scratch);
  }
}

bool bit(const uint8_t* bits, size_t index) { return (bits[index / 8] >> (index % 8) & 1) != 0; }

}  // namespace

const uint8_t* read_row_image(const std::vector<WireColumn>& columns, Bytes present, bool all_present,
                              const uint8_t* at, const uint8_t* end, Cell* cells, Arena& scratch,
                              size_t& failed_column) {
  size_t present_count = columns.size();
  if (!all_present) {
    present_count = 0;
    for (size_t i = 0; i < columns.size(); ++i) present_count += bit(present.data(), i) ? 1 : 0;
  }
  const uint8_t* const nulls = at;
  failed_column = 0;
  if (left(at, end) < (present_count + 7) / 8) return nullptr;
  at += (present_count + 7) / 8;
  const WireColumn* column = columns.data();
  for (size_t i = 0, index = 0; i < columns.size(); ++i, ++column, ++cells) {
    if (!all_present && !bit(present.data(), i)) {
      cells->kind = Kind::kAbsent;
      continue;
    }
    if (bit(nulls, index++)) {
      cells->kind = Kind::kNull;
      continue;
    }
    at = read_value(*column, at, end, *cells, scratch);
    if (at == nullptr) {
      failed_column = i;
      return nullptr;
    }
  }
  return at;
}

}  // namespace millrace::mariadb
