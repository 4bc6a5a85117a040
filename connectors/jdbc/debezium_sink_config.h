/// Settings of io.debezium.connector.jdbc.JdbcSinkConnector, and what they are in ours.
#pragma once

#include <span>

#include "connectors/jdbc/sink_config.h"

namespace millrace::jdbc {

std::span<const sdk::ConfigKey> debezium_sink_config_keys();

/// Errors: kInvalidConfig, naming the setting.
Result<SinkConfig> parse_debezium_sink(const sdk::Config& config);

Status validate_debezium_sink(sdk::ConnectorContext& context, const sdk::Config& config);

}  // namespace millrace::jdbc
