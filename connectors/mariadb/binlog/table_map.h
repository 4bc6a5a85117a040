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
  /// By type: BLOB and GEOMETRY bytes of the length; VARCHAR and CHAR most bytes; DECIMAL precision << 8 | scale; the
  /// temporal types digits of the fraction; BIT bits; ENUM and SET bytes of a value; FLOAT and DOUBLE size. The old
  /// TIMESTAMP 7, TIME 11 and DATETIME 12 leave it 0 because the binlog does not say it: with a fraction they are
  /// stored otherwise, so put the digits here from the table's definition before reading rows.
  uint16_t metadata = 0;
  bool nullable = true;
  bool is_unsigned = false;  ///< needs has_signs
  /// 63 = binary; needs has_charsets; 0 = not said. A fixed-length column (254) with 63 gets its trailing zeros back
  /// that the binlog drops; without has_charsets put 63 here for BINARY, UUID and INET columns, else they stay short.
  uint16_t collation = 0;
  uint8_t geometry = 0;             ///< 1 POINT, 2 LINESTRING, …; 0 = not said
  std::string name;                 ///< needs has_names
  std::vector<std::string> labels;  ///< of ENUM and SET in the column's character set; needs has_names
};

struct TableMap {
  uint64_t table_id = 0;
  TableId table;
  std::vector<WireColumn> columns;
  /// Whether the event says it, or has no column that it matters for. MINIMAL: signs, charsets. FULL: names.
  bool has_signs = false, has_charsets = false, has_names = false;
  std::vector<uint32_t> primary_key;  ///< column indexes; FULL; a NOT NULL unique key in its place
};

/// The table id alone, the first field: to find a parsed map again. 0 when truncated.
uint64_t table_map_id(const Event& event);

/// kInternal for truncated or contradicting bytes and for column types that nobody knows.
Result<TableMap> parse_table_map(const Event& event);

}  // namespace millrace::mariadb
