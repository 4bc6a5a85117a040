/// CRC-32C (Castagnoli), the checksum of Kafka's record batch v2 and of producer snapshots.
#pragma once

#include <cstdint>
#include <string_view>

namespace millrace {

/// The checksum of `bytes`, continuing from `previous` (0 to start). About memory speed on x86-64.
uint32_t crc32c(std::string_view bytes, uint32_t previous = 0);

}  // namespace millrace
