#include "connectors/mariadb/binlog/decimal_value.h"

#include <algorithm>

namespace millrace::mariadb {
namespace {

constexpr int kGroupDigits = 9;
constexpr uint32_t kPowers[] = {1, 10, 100, 1'000, 10'000, 100'000, 1'000'000, 10'000'000, 100'000'000, 1'000'000'000};
constexpr uint8_t kBytesOf[] = {0, 1, 1, 2, 2, 3, 3, 4, 4, 4};  // of a group of 0 to 9 digits
constexpr int kDigitsMax128 = 38;

/// The digits of one value, group by group from the left, as they would stand in a number of `precision` digits.
class Groups {
 public:
  Groups(const uint8_t* at, int whole, int fraction)
      : at_(at), negative_((at[0] & 0x80) == 0), whole_(whole), fraction_(fraction) {}
  bool negative() const { return negative_; }
  /// The next group and how many digits it has; 0 digits = the end.
  int next(uint32_t& value) {
    int digits = 0;
    if (whole_ > 0) {
      digits = whole_ % kGroupDigits == 0 ? kGroupDigits : whole_ % kGroupDigits;
      whole_ -= digits;
    } else if (fraction_ > 0) {
      digits = std::min(fraction_, kGroupDigits);
      fraction_ -= digits;
    }
    value = 0;
    for (int i = 0; i < kBytesOf[digits]; ++i) value = value << 8 | byte();
    // Only damaged bytes hold more than their digits can; cut them so that no result exceeds its precision.
    if (value >= kPowers[digits]) value %= kPowers[digits];
    return digits;
  }

 private:
  uint32_t byte() {
    uint8_t value = *at_++;
    if (negative_) value = static_cast<uint8_t>(~value);
    if (first_) value ^= 0x80;
    first_ = false;
    return value;
  }
  const uint8_t* at_;
  bool negative_, first_ = true;
  int whole_, fraction_;
};

void read_text(Groups groups, int whole, int scale, Cell& cell, connectors::ByteArena& scratch) {
  char digits[80];
  int count = 0;
  uint32_t value = 0;
  while (const int size = groups.next(value)) {
    for (int i = size - 1; i >= 0; --i, value /= 10) digits[count + i] = static_cast<char>('0' + value % 10);
    count += size;
  }
  char* const text = scratch.allocate(static_cast<size_t>(count) + 3);
  char* out = text;
  if (groups.negative()) *out++ = '-';
  int first = 0;
  while (first < whole - 1 && digits[first] == '0') ++first;
  if (whole == 0) *out++ = '0';
  out = std::copy(digits + first, digits + whole, out);
  if (scale > 0) {
    *out++ = '.';
    out = std::copy(digits + whole, digits + count, out);
  }
  cell.kind = Cell::Kind::kDecimalText;
  cell.bytes = text;
  cell.size = static_cast<uint32_t>(out - text);
}

}  // namespace

const uint8_t* read_decimal(uint16_t metadata, const uint8_t* at, const uint8_t* end, Cell& cell,
                            connectors::ByteArena& scratch) {
  const int precision = metadata >> 8, scale = metadata & 0xFF, whole = precision - scale;
  const auto size = static_cast<size_t>(whole / kGroupDigits * 4 + kBytesOf[whole % kGroupDigits] +
                                        scale / kGroupDigits * 4 + kBytesOf[scale % kGroupDigits]);
  if (static_cast<size_t>(end - at) < size) return nullptr;
  Groups groups(at, whole, scale);
  cell.scale = static_cast<int16_t>(scale);
  if (precision > kDigitsMax128) {
    read_text(groups, whole, scale, cell, scratch);
    return at + size;
  }
  uint32_t group = 0;
  cell.kind = Cell::Kind::kDecimal;
  if (precision <= 18) {
    int64_t value = 0;
    while (const int digits = groups.next(group)) value = value * kPowers[digits] + group;
    cell.i128 = groups.negative() ? -value : value;
  } else {
    __int128 value = 0;
    while (const int digits = groups.next(group)) value = value * kPowers[digits] + group;
    cell.i128 = groups.negative() ? -value : value;
  }
  return at + size;
}

}  // namespace millrace::mariadb
