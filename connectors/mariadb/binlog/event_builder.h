/// Binlog events made by hand, for tests, fuzzing and benchmarks of the decoder.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/mariadb/binlog/crc32.h"
#include "connectors/mariadb/binlog/event.h"

namespace millrace::mariadb::testing {

class EventBuilder {
 public:
  EventBuilder& little(uint64_t value, size_t bytes) {
    for (size_t i = 0; i < bytes; ++i) bytes_.push_back(static_cast<uint8_t>(value >> (8 * i)));
    return *this;
  }
  EventBuilder& big(uint64_t value, size_t bytes) {
    for (size_t i = bytes; i-- > 0;) bytes_.push_back(static_cast<uint8_t>(value >> (8 * i)));
    return *this;
  }
  EventBuilder& raw(std::string_view content) {
    bytes_.insert(bytes_.end(), content.begin(), content.end());
    return *this;
  }
  EventBuilder& list(std::initializer_list<int> content) {
    for (const int byte : content) bytes_.push_back(static_cast<uint8_t>(byte));
    return *this;
  }
  /// One byte of length, then the text.
  EventBuilder& text(std::string_view content) { return little(content.size(), 1).raw(content); }
  EventBuilder& field(uint8_t id, const EventBuilder& content) {
    return little(id, 1).little(content.bytes_.size(), 1).append(content);
  }
  EventBuilder& append(const EventBuilder& other) {
    bytes_.insert(bytes_.end(), other.bytes_.begin(), other.bytes_.end());
    return *this;
  }
  const std::vector<uint8_t>& bytes() const { return bytes_; }

  /// What was put in as the body of a whole event.
  std::vector<uint8_t> event(EventType type, bool checksum = true, uint16_t flags = 0) const {
    EventBuilder out;
    const size_t size = 19 + bytes_.size() + (checksum ? 4 : 0);
    out.little(1'700'000'000, 4).little(static_cast<uint8_t>(type), 1).little(7, 4).little(size, 4).little(4242, 4);
    out.little(flags, 2).append(*this);
    if (checksum) out.little(crc32_of(out.bytes_), 4);
    return out.bytes_;
  }

 private:
  std::vector<uint8_t> bytes_;
};

/// TABLE_MAP of table id 9, shop.t, with all columns nullable.
inline EventBuilder table_map(std::initializer_list<int> types, const EventBuilder& metadata,
                              const EventBuilder& optional = {}) {
  EventBuilder map;
  map.little(9, 6).little(1, 2).text("shop").little(0, 1).text("t").little(0, 1).little(types.size(), 1).list(types);
  map.little(metadata.bytes().size(), 1).append(metadata);
  for (size_t i = 0; i < (types.size() + 7) / 8; ++i) map.little(0xFF, 1);
  return map.append(optional);
}

/// What stands before the present bits of a version 1 rows event of that table.
inline EventBuilder rows_head(size_t columns, uint16_t flags = 1) {
  EventBuilder rows;
  return rows.little(9, 6).little(flags, 2).little(columns, 1);
}

}  // namespace millrace::mariadb::testing
