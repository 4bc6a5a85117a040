#include "connectors/mariadb/binlog/crc32.h"

#include <zlib.h>

namespace millrace::mariadb {

uint32_t crc32_of(std::span<const uint8_t> bytes) {
  return static_cast<uint32_t>(::crc32_z(0, bytes.data(), bytes.size()));
}

}  // namespace millrace::mariadb
