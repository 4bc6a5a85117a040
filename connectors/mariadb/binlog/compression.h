/// The two compressed forms of the binlog: events (log_bin_compress) and columns (COMPRESSED).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace millrace::mariadb {

/// A buffer that inflated more than this is given back by the next event of its kind.
inline constexpr size_t kInflatedBytesKept = 4 << 20;

struct CompressedBlock {
  std::span<const uint8_t> deflated = {};
  size_t size = 0;                ///< inflated
  bool raw = false;               ///< without zlib's header and trailer
  const char* problem = nullptr;  ///< why it cannot be read; nullptr = fine
};

/// The head of the compressed part of an event: 0x80 | algorithm << 4 | n, n length bytes, a zlib stream.
CompressedBlock event_block(std::span<const uint8_t> bytes);

/// The head of a COMPRESSED column's value that does not begin with 0 (0: the rest is plain).
CompressedBlock column_block(std::span<const uint8_t> bytes);

/// Inflates into `out`, which has block.size bytes. False unless it fills it exactly.
bool inflate(const CompressedBlock& block, uint8_t* out);

}  // namespace millrace::mariadb
