/// Values of a row image to cells, by the types of a TABLE_MAP.
#pragma once

#include "connectors/common/byte_arena.h"
#include "connectors/mariadb/binlog/table_map.h"
#include "connectors/mariadb/cell.h"

namespace millrace::mariadb {

/// Reads one row image from [at, end) into `cells`, one for each column, and returns what follows it. `present`: one
/// bit a column; `all_present` says that all are set. Cells borrow from the bytes or, where the bytes are not the
/// value as such, from `scratch`. nullptr: the image is truncated or makes no sense, and `failed_column` tells where.
const uint8_t* read_row_image(const std::vector<WireColumn>& columns, Bytes present, bool all_present,
                              const uint8_t* at, const uint8_t* end, Cell* cells, connectors::ByteArena& scratch,
                              size_t& failed_column);

}  // namespace millrace::mariadb
