/// The schema history of one connector: what the stream's DDL did, in Debezium's form, where one is configured. It is
/// not needed to read the binlog, so its trouble is a warning and never stops the stream; without it a restart asks the
/// server for its tables. Threads: the task's.
#pragma once

#include <millrace/connector.hpp>

#include <memory>
#include <string>

#include "connectors/mariadb/capture/offset.h"
#include "connectors/mariadb/schema/history/history_store.h"
#include "connectors/mariadb/schema/schema_registry.h"

namespace millrace::mariadb {

class HistoryWriter {
 public:
  HistoryWriter(sdk::SourceContext& context, HistoryOptions options, std::string topic_prefix);
  /// Durable when it returns, if the store can be reached.
  void record(const SchemaChange& change, const SourceOffset& offset);
  /// Applies what was recorded up to `offset` to the registry.
  void recover(const SourceOffset& offset, SchemaRegistry& registry);

 private:
  HistoryStore* store();
  void lost(const Status& why);

  sdk::SourceContext& context_;
  const HistoryOptions options_;
  const std::string topic_prefix_;
  std::unique_ptr<HistoryStore> store_;
  int64_t next_try_ms_ = 0;
  uint64_t missed_ = 0;
};

}  // namespace millrace::mariadb
