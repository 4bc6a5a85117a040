/// The connectors of this library, as the worker finds them. Threads: see millrace/connector.hpp.
#pragma once

#include <millrace/connector.hpp>

#include "connectors/mariadb/capture/mariadb_task.h"
#include "connectors/mariadb/config/options.h"

namespace millrace::mariadb {

struct MariaDbConnector {
  using Task = MariaDbTask;
  static constexpr std::string_view kName = "MariaDbSource", kVersion = "3.5.0.Final";
  static constexpr std::string_view kAliases[] = {"io.debezium.connector.mariadb.MariaDbConnector", "MariaDbConnector",
                                                  "MariaDb"};
  static std::span<const sdk::ConfigKey> config() { return mariadb_options(); }
  static Status validate(sdk::ConnectorContext& context, const sdk::Config& config);
  static sdk::Support exactly_once_support(const sdk::Config&) { return sdk::Support::kSupported; }
  static Status alter_offset(const sdk::Config& config, const mr_value& partition, const mr_value& offset);
};

/// The same for configurations of Debezium's MySQL connector: servers that are MariaDB, or MySQL with row events of
/// version 2.
struct MySqlConnector {
  using Task = MariaDbTask;
  static constexpr std::string_view kName = "MySqlSource", kVersion = "3.5.0.Final";
  static constexpr std::string_view kAliases[] = {"io.debezium.connector.mysql.MySqlConnector", "MySqlConnector",
                                                  "MySql"};
  static std::span<const sdk::ConfigKey> config() { return mysql_options(); }
  static Status validate(sdk::ConnectorContext& context, const sdk::Config& config) {
    return MariaDbConnector::validate(context, config);
  }
  static sdk::Support exactly_once_support(const sdk::Config&) { return sdk::Support::kSupported; }
  static Status alter_offset(const sdk::Config& config, const mr_value& partition, const mr_value& offset) {
    return MariaDbConnector::alter_offset(config, partition, offset);
  }
};

}  // namespace millrace::mariadb
