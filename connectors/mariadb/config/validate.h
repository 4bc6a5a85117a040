/// What the connectors answer when a configuration is validated.
#pragma once

#include "connectors/common/result.h"
#include "connectors/mariadb/config/options.h"

namespace millrace::mariadb {

/// Mistakes of the configuration and of the connection become errors of keys, as Debezium attaches them. What the
/// server lacks is logged, for Debezium accepts such a connector and its task fails: "server check: error: …".
/// Blocks up to connection.validation.timeout.ms.
connectors::Status validate(sdk::ConnectorContext& context, Dialect dialect, const sdk::Config& config);

}  // namespace millrace::mariadb
