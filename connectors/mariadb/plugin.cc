#include "connectors/mariadb/capture/mariadb_connector.h"

MILLRACE_PLUGIN(millrace::mariadb::MariaDbConnector, millrace::mariadb::MySqlConnector)
