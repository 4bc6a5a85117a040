/// The settings of the outbox EventRouter.
#pragma once

#include <string>
#include <vector>

#include "transforms/debezium_config.h"
#include "transforms/debezium_name_adjuster.h"

namespace millrace::debezium {

struct OutboxOptions {
  enum class Unexpected : uint8_t { kWarn, kError, kFatal };
  enum class Placement : uint8_t { kHeader, kEnvelope, kPartition, kUnknown };
  struct Additional {
    std::string field, alias;
    Placement placement = Placement::kUnknown;
  };

  std::string id, key, payload, route_by;
  std::string timestamp, version;  ///< fields; empty = none
  std::vector<Additional> additional;
  bool missing_is_error = true, tombstone_on_empty = false, expand_json = false, null_as_bytes = false;
  Unexpected unexpected = Unexpected::kWarn;
  NameAdjustment names = NameAdjustment::kNone;
  std::string topic_regex, topic_replacement;

  static const Options& table();
  /// Errors: kInvalidConfig.
  static Expected<OutboxOptions> create(const ConfigMap& settings);
};

}  // namespace millrace::debezium
