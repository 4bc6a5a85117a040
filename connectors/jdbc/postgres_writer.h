/// Writes batches of rows into PostgreSQL: COPY for plain inserts, one statement over arrays for everything else.
#pragma once

#include "connectors/jdbc/postgres_session.h"

namespace millrace::jdbc {

/// A writer for `write` and the columns that its table has now. Lives no longer than the session.
Result<std::unique_ptr<BatchWriter>> open_writer(PgSession& session, const RowWrite& write, std::vector<Cell> cells,
                                                 const WriteOptions& options);

}  // namespace millrace::jdbc
