/// The dialect of SQLite.
#pragma once

#include "connectors/jdbc/sql.h"

namespace millrace::jdbc {

/// Whether Date, Time and Timestamp are written as texts: `date_class` of the URL, as Xerial's driver has it.
inline bool writes_dates_as_text(const JdbcUrl& url) { return lower(url.parameter("date_class")) == "text"; }

std::unique_ptr<Dialect> make_sqlite_dialect(const JdbcUrl& url, bool quote_identifiers);

}  // namespace millrace::jdbc
