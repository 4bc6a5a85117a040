/// The offsets endpoints (KIP-875): reading, altering and resetting where one connector stands.
#pragma once

#include <string>
#include <vector>

#include "runtime/herder/managed_connector.h"

namespace millrace {

/// Threads: any for read(); the others while holding the connector's operation().
class OffsetRequests {
 public:
  explicit OffsetRequests(const HerderEnvironment& environment) : environment_(environment) {}

  Expected<std::vector<ConnectorOffset>> read(const ManagedConnector& connector) const;
  /// The message for the user. Errors: kInvalidConfig with Kafka Connect's texts (400); kInternal for what the
  /// connector or the consumer group refuses (500).
  Expected<std::string> alter(const ManagedConnector& connector, const std::vector<ConnectorOffset>& offsets) const;
  Expected<std::string> reset(const ManagedConnector& connector) const;

 private:
  Status require_stopped(const ManagedConnector& connector) const;
  Status alter_source(const ManagedConnector& connector, const std::vector<ConnectorOffset>& offsets) const;
  Status alter_sink(const ManagedConnector& connector, const std::vector<ConnectorOffset>& offsets) const;
  Status reset_sink(const ManagedConnector& connector) const;
  /// The connector's settings with variables resolved.
  Expected<ConfigMap> settings(const ManagedConnector& connector) const;

  const HerderEnvironment& environment_;
};

}  // namespace millrace
