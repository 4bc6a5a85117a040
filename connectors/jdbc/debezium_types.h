/// Debezium's semantic types: how their values are written, and the MariaDB and MySQL columns they become.
/// Threads: any (pure).
#pragma once

#include <string>

#include "connectors/jdbc/session.h"

namespace millrace::jdbc {

/// The value of a schema's parameter, empty when it has none.
std::string_view parameter_of(const mr_schema& schema, std::string_view key);

/// "time.Date" for the schema io.debezium.time.Date; empty for schemas that are not Debezium's.
std::string_view semantic_name(const mr_schema& schema);
/// The column's type in the source, in upper case, and its length; empty and 0 when the source does not tell.
std::string source_type(const mr_schema& schema);
int source_length(const mr_schema& schema);
/// A number in a parameter, `otherwise` when it is none.
int number_of(std::string_view text, int otherwise);

/// The form of values of a Debezium type (or of BIGINT UNSIGNED, which only the propagated source type tells); false
/// when the schema is none, and the common rules hold.
bool debezium_form(const mr_schema& schema, CellForm& form);

/// The column for a field of a change event: by its semantic type, by `__debezium.source.column.type` and `.length`
/// where the source propagates them, else wide enough for any value. Empty when there is none.
/// `key`: the column belongs to the primary key.
std::string debezium_column_type(const mr_schema& schema, bool key);

}  // namespace millrace::jdbc
