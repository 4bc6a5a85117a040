/// A TABLE_MAP event: how the columns of the row events that follow lie in their bytes, and, with
/// binlog_row_metadata=MINIMAL or FULL, their signs, character sets, names, labels and key (reference
/// mariadb-cdc 4.7, 5.4).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "connectors/mariadb/binlog/event.h"
#include "connectors/mariadb/table_id.h"

namespace millrace::mariadb {

/// A column as it lies in row images. `type` is MariaDB's field type number with STRING already resolved:
/// ENUM 247, SET 248, else 254.
struct WireColumn {
  uint8_t type = 0;
  uint16_t metadata = 0;  ///< by type: length bytes, max length, precision << 8 | scale, fsp, pack length
  bool nullable = true;
  bool is_unsigned = false;         ///< needs has_signs
  uint16_t collation = 0;           ///< 63 = binary; needs has_charsets; 0 = not said
  uint8_t geometry = 0;             ///< 1 POINT, 2 LINESTRING, …; 0 = not said
  std::string name;                 ///< needs has_names
  std::vector<std::string> labels;  ///< of ENUM and SET in the column's character set; needs has_names
};

struct TableMap {
  uint64_t table_id = 0;
  TableId table;
  std::vector<WireColumn> columns;
  bool has_signs = false, has_charsets = false;  ///< MINIMAL
  bool has_names = false;                        ///< FULL
  std::vector<uint32_t> primary_key;             ///< column indexes; FULL; a NOT NULL unique key in its place
};

Result<TableMap> parse_table_map(const Event& event);

}  // namespace millrace::mariadb
