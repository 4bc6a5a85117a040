/// The Kafka client settings of a task: the worker's producer., consumer. and admin. keys under the connector's
/// producer.override., consumer.override. and admin.override. ones. What has a meaning on this log is honoured; what
/// has none (sockets, security, back-off) is accepted, and checked as Kafka checks it where a wrong value is likely.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "client/log_client.h"
#include "core/config_def.h"
#include "protocol/compression.h"

namespace millrace {

struct ProducerSettings {
  std::string client_id = {};
  CompressionOptions compression = {};                    ///< compression.type, compression.<codec>.level
  std::optional<size_t> batch_bytes = {};                 ///< batch.size, where somebody set it
  std::optional<size_t> request_bytes_max = {};           ///< max.request.size, where somebody set it
  std::chrono::milliseconds transaction_timeout{60'000};  ///< transaction.timeout.ms

  /// Errors: kInvalidConfig with Kafka's text: "Invalid value 2 for configuration acks: …".
  static Expected<ProducerSettings> from(const ConfigMap& worker, const ConfigMap& connector, std::string client_id);
};

/// What a sink reads with. `group` and `client_id` are what the settings may replace. Errors: as above.
Expected<ConsumerConfig> consumer_settings(const ConfigMap& worker, const ConfigMap& connector, std::string group,
                                           std::string client_id);

/// Admin clients have nothing to honour here; their values are checked.
Status check_admin_settings(const ConfigMap& worker, const ConfigMap& connector);

}  // namespace millrace
