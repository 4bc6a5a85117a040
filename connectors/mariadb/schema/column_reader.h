/// Reads one column of CREATE TABLE or ALTER TABLE: its type with all synonyms, and what follows the type. What is not
/// known among the attributes is skipped.
#pragma once

#include "connectors/mariadb/schema/ddl_cursor.h"
#include "connectors/mariadb/schema/table_definition.h"

namespace millrace::mariadb {

struct ColumnClause {
  ColumnDefinition column;
  bool primary = false, unique = false;
  bool takes_table_charset = false;  ///< text without a character set of its own
  bool null_given = false;           ///< an explicit NULL
  bool first = false;                ///< ALTER TABLE: FIRST
  std::string after;                 ///< ALTER TABLE: AFTER
};

/// Type and attributes, up to the comma or bracket that ends the element; the name has been read. False: no type there.
bool read_column(DdlCursor& cursor, std::string name, ColumnClause& clause);
/// The value of DEFAULT, into the column.
void read_default(DdlCursor& cursor, ColumnDefinition& column);

}  // namespace millrace::mariadb
