/// DECIMAL of row images: base 10^9 groups of four bytes, big-endian, shorter at both ends; the first bit inverted, and
/// all bits of a negative one.
#pragma once

#include "connectors/common/byte_arena.h"
#include "connectors/mariadb/cell.h"

namespace millrace::mariadb {

/// `metadata`: precision << 8 | scale, with 1 <= precision <= 65 and scale <= precision. Returns what follows the
/// value, nullptr when truncated. Up to 38 digits become kDecimal, more kDecimalText in `scratch`.
const uint8_t* read_decimal(uint16_t metadata, const uint8_t* at, const uint8_t* end, Cell& cell,
                            connectors::ByteArena& scratch);

}  // namespace millrace::mariadb
