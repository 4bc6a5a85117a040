/// The sink connectors that the plugin registers: Confluent's, and Debezium's with its own settings.
#pragma once

#include "connectors/jdbc/debezium_sink_config.h"
#include "connectors/jdbc/sink_lanes.h"

namespace millrace::jdbc {

struct JdbcSink {
  using Task = JdbcSinkLanes;
  static constexpr std::string_view kName = "io.confluent.connect.jdbc.JdbcSinkConnector", kVersion = "1.0.0";
  static constexpr std::string_view kAliases[] = {"JdbcSink", "JdbcSinkConnector",
                                                  "io.aiven.connect.jdbc.JdbcSinkConnector"};
  static std::span<const sdk::ConfigKey> config() { return sink_config_keys(); }
  static Status validate(sdk::ConnectorContext& context, const sdk::Config& config) {
    return validate_sink(context, config);
  }
  static Status preview(sdk::PreviewContext& context, std::span<const mr_record> records) {
    return JdbcSinkTask().preview(context, records);
  }
};

/// The same sink under the name and with the settings of Debezium's.
class DebeziumJdbcSinkLanes final : public JdbcSinkLanes {
 public:
  DebeziumJdbcSinkLanes() : JdbcSinkLanes(&parse_debezium_sink) {}
};

struct DebeziumJdbcSink {
  using Task = DebeziumJdbcSinkLanes;
  static constexpr std::string_view kName = "io.debezium.connector.jdbc.JdbcSinkConnector", kVersion = "1.0.0";
  static constexpr std::string_view kAliases[] = {"DebeziumJdbcSink"};
  static std::span<const sdk::ConfigKey> config() { return debezium_sink_config_keys(); }
  static Status validate(sdk::ConnectorContext& context, const sdk::Config& config) {
    return validate_debezium_sink(context, config);
  }
  static Status preview(sdk::PreviewContext& context, std::span<const mr_record> records) {
    return JdbcSinkTask(&parse_debezium_sink).preview(context, records);
  }
};

}  // namespace millrace::jdbc
