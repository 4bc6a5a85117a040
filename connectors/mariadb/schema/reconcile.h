/// A table definition against the table map of the row events it is to be used with: whether they are of the same
/// version of the table, and which column is which.
#pragma once

#include <vector>

#include "connectors/mariadb/binlog/table_map.h"
#include "connectors/mariadb/schema/table_definition.h"

namespace millrace::mariadb {

/// For each column of the definition, the index of its column in the map. Columns of the map that the definition does
/// not have are only allowed to be the server's hidden ones: DB_ROW_HASH_n, and row_start and row_end of system
/// versioning. kBadRecord: they disagree in names (if the map has them), types or count; the text says where.
Result<std::vector<uint32_t>> match_columns(const TableDefinition& definition, const TableMap& map);
/// match_columns without its answer.
Status reconcile(const TableDefinition& definition, const TableMap& map);

/// A definition from a map alone (binlog_row_metadata=FULL): all that is in it; no defaults, comments, display widths,
/// and BINARY for UUID and INET6, LONGTEXT for JSON. Hidden columns are left out. Labels of ENUM and SET are in the
/// column's character set, as in the map. kBadRecord: the map has no names.
Result<TableDefinition> from_table_map(const TableMap& map);

}  // namespace millrace::mariadb
