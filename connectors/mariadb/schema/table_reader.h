/// The parts of CREATE TABLE and ALTER TABLE around their columns. The functions return false where the statement
/// cannot be read; the cursor then stands at the place.
#pragma once

#include "connectors/mariadb/schema/ddl_statement.h"

namespace millrace::mariadb {

/// After the name of the table.
bool read_create_table(DdlCursor& cursor, std::string_view database, CreateTable& statement);
bool read_alter_actions(DdlCursor& cursor, std::string_view database, AlterTable& statement);

/// Whether a key, constraint or period stands here rather than a column.
bool at_key(const DdlCursor& cursor);
/// Any key or constraint; those that are neither primary nor unique leave `key` empty.
bool read_key(DdlCursor& cursor, KeyClause& key);
/// ( name [(n)] [ASC | DESC], … )
bool read_key_columns(DdlCursor& cursor, std::vector<std::string>& columns);
/// CHARSET, COLLATE or COMMENT, if one stands here.
bool read_table_option(DdlCursor& cursor, TableOptions& options);

}  // namespace millrace::mariadb
