/// What CREATE TABLE and ALTER TABLE make of a table definition.
#pragma once

#include <string_view>

#include "connectors/mariadb/schema/ddl_statement.h"

namespace millrace::mariadb {

/// `database_charset` is used where the statement names none; empty = not known.
TableDefinition make_table(const CreateTable& statement, std::string_view database_charset);
/// All actions but the renaming of the table; `database_charset` as above. False: the statement does not fit the table,
/// which is then unchanged.
bool alter_table(const AlterTable& statement, std::string_view database_charset, TableDefinition& table);
/// A unique key takes the place of a missing primary key when none of its columns can be NULL.
void add_key(const KeyClause& key, TableDefinition& table);

}  // namespace millrace::mariadb
