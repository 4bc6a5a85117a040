/// The dialect of PostgreSQL, and the statements that write many rows at once from arrays.
/// Threads: any (pure).
#pragma once

#include <span>

#include "connectors/jdbc/sql.h"

namespace millrace::jdbc {

/// As make_dialect().
std::unique_ptr<Dialect> make_postgres_dialect(bool quote_identifiers, bool fold_identifiers = false);

/// `text` as a string literal whatever standard_conforming_strings says.
std::string postgres_literal(std::string_view text);

/// How a column's values travel: as an array of its type, or as texts that are cast where arrays of it cannot be
/// (columns that are arrays themselves).
struct ArrayParameter {
  std::string type;      ///< of the column, as casts spell it
  bool as_text = false;  ///< text[] and a cast
};

/// `write` for any number of rows: one array parameter for each cell, in the order of the cells.
/// `distinct`: rows whose keys are equal by the database's rules can still meet; the last one counts.
std::string array_statement(const RowWrite& write, std::span<const ArrayParameter> parameters, bool distinct);

/// COPY … FROM STDIN in text form for an insert.
std::string copy_statement(const RowWrite& write);

/// The column for a field of a change event (debezium_types.h); empty when there is none.
std::string postgres_event_column_type(const mr_schema& schema, bool key);

}  // namespace millrace::jdbc
