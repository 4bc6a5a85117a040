/// The dialect of MariaDB and MySQL.
#pragma once

#include "connectors/jdbc/sql.h"

namespace millrace::jdbc {

std::unique_ptr<Dialect> make_mariadb_dialect(bool quote_identifiers);

}  // namespace millrace::jdbc
