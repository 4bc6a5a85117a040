/// A cursor over bytes that nobody vouches for: reading past the end gives zeros and empty spans and is remembered, so
/// that a parser reads a whole structure and asks once.
#pragma once

#include <cstring>

#include "connectors/mariadb/binlog/event.h"

namespace millrace::mariadb {

/// `count` bytes from 1 to 8, least significant first.
inline uint64_t read_little(const uint8_t* at, size_t count) {
  uint64_t value = 0;
  for (size_t i = 0; i < count; ++i) value |= uint64_t{at[i]} << (8 * i);
  return value;
}

inline uint64_t read_big(const uint8_t* at, size_t count) {
  uint64_t value = 0;
  for (size_t i = 0; i < count; ++i) value = value << 8 | at[i];
  return value;
}

class ByteReader {
 public:
  explicit ByteReader(Bytes bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  bool ok() const { return ok_; }
  size_t left() const { return static_cast<size_t>(end_ - at_); }
  Bytes rest() const { return {at_, left()}; }

  Bytes take(uint64_t count) {
    if (count > left()) {
      ok_ = false;
      at_ = end_;
      return {};
    }
    const Bytes taken(at_, static_cast<size_t>(count));
    at_ += count;
    return taken;
  }
  std::string_view text(uint64_t count) {
    const Bytes taken = take(count);
    return {reinterpret_cast<const char*>(taken.data()), taken.size()};
  }
  void skip(uint64_t count) { take(count); }
  uint64_t number(size_t count) {
    const Bytes taken = take(count);
    return read_little(taken.data(), taken.size());
  }
  uint8_t u8() { return static_cast<uint8_t>(number(1)); }
  uint16_t u16() { return static_cast<uint16_t>(number(2)); }
  uint32_t u32() { return static_cast<uint32_t>(number(4)); }
  /// A length-encoded integer of the client protocol.
  uint64_t lenenc() {
    const uint8_t first = u8();
    switch (first) {
      case 0xFC:
        return number(2);
      case 0xFD:
        return number(3);
      case 0xFE:
        return number(8);
      case 0xFB:
      case 0xFF:
        ok_ = false;
        return 0;
      default:
        return first;
    }
  }

 private:
  const uint8_t* at_;
  const uint8_t* end_;
  bool ok_ = true;
};

}  // namespace millrace::mariadb
