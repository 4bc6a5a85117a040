/// The settings that shape change events and their topics (reference mariadb-cdc 1.2 to 1.4, 2).
#pragma once

#include <millrace/connector.hpp>

#include <memory>
#include <string>

#include "connectors/common/result.h"

namespace millrace::mariadb {

struct EventOptions {
  std::string connector = "mariadb";  ///< "mariadb" or "mysql": source.connector and the schema names
  std::string version;                ///< source.version
  std::string topic_prefix;
  std::string connector_name, task_id, run_id;  ///< of the __debezium.context headers
  bool extended_headers = true, tombstones = true, include_schema_changes = true, transaction_metadata = false;
  bool skip_create = false, skip_update = false, skip_delete = false, skip_truncate = true, skip_unchanged = false;
  size_t max_batch_size = 2048;
  /// Topic naming, key columns, column filters, name adjustment: compiled.
  struct Rules;
  std::shared_ptr<const Rules> rules;

  static connectors::Result<EventOptions> parse(const sdk::Config& config);
};

}  // namespace millrace::mariadb
