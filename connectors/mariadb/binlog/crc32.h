/// CRC-32 as zlib's, which the binlog closes each event with.
#pragma once

#include <cstdint>
#include <span>

namespace millrace::mariadb {

uint32_t crc32_of(std::span<const uint8_t> bytes);

}  // namespace millrace::mariadb
