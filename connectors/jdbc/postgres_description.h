/// What the columns of a PostgreSQL result are: their types in records, and what only the catalog knows of them.
#pragma once

#include <string>
#include <vector>

#include "connectors/jdbc/postgres_columns.h"
#include "connectors/jdbc/postgres_session.h"

namespace millrace::jdbc {

struct PgDescription {
  std::vector<ResultColumn> columns;
  std::vector<PgColumn> decoders;    ///< one for each of `columns`
  std::vector<std::string> skipped;  ///< "name (type)" of columns that records cannot hold
  /// Not empty: the select list, over the statement as q, that makes texts of the columns without a form. `columns` and
  /// `decoders` are not complete then.
  std::string casts;
  double money_unit = 1;  ///< of what the wire has, in one of the currency
};

/// Describes `result`, which may be without rows. `may_cast`: columns of types without a form lead to `casts` rather
/// than to `skipped`. Errors: kInvalidConfig when there are no columns; as PgSession::query.
Result<PgDescription> describe_result(PgSession& session, const PGresult* result, const ReadOptions& options,
                                      bool may_cast);

}  // namespace millrace::jdbc
