/// The settings that say how to reach the server.
#pragma once

#include "connectors/common/result.h"
#include "connectors/mariadb/sql/connection.h"

namespace millrace::mariadb {

/// From `database.*` and `connect.timeout.ms`; certificate stores are read here. kInvalidConfig names the setting.
Result<ConnectionOptions> connection_options(const sdk::Config& config);

/// Statements between semicolons; two semicolons are one that belongs to the text.
std::vector<std::string> split_statements(std::string_view text);

}  // namespace millrace::mariadb
