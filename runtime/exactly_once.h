/// Exactly-once sources: records and the offsets they came from are written in one transaction.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "core/error.h"
#include "runtime/client_settings.h"

namespace millrace {

/// transaction.boundary: when a source's transaction ends.
enum class TransactionBoundary {
  kPoll,       ///< after each poll
  kInterval,   ///< after a poll, when so much time has passed
  kConnector,  ///< when the plugin says so
};

struct ExactlyOnce {
  std::string transactional_id;  ///< <group.id>-<connector>-<task>: what a successor fences its predecessor by
  TransactionBoundary boundary = TransactionBoundary::kPoll;
  std::chrono::milliseconds interval{60'000};
  std::chrono::milliseconds timeout{60'000};  ///< the log aborts a transaction that is open for longer

  /// Nothing unless the worker says exactly.once.source.support=enabled. Errors: kInvalidConfig with Kafka's text.
  static Expected<std::optional<ExactlyOnce>> from(const ConfigMap& worker, const ConfigMap& connector,
                                                   const std::string& name, int task, const ProducerSettings& producer);
};

/// Whether the worker writes source offsets in transactions: then readers of the offset topic read committed records.
bool exactly_once_enabled(const ConfigMap& worker);

}  // namespace millrace
