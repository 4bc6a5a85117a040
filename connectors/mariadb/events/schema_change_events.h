/// Records of the schema change topic. Threads: the task's.
#pragma once

#include "connectors/mariadb/events/event_options.h"
#include "connectors/mariadb/events/record_batch.h"
#include "connectors/mariadb/events/source_block.h"
#include "connectors/mariadb/schema/schema_registry.h"

namespace millrace::mariadb {

class SchemaChangeEvents {
 public:
  SchemaChangeEvents(sdk::SourceContext& context, const EventOptions& options, RecordBatch& batch);
  /// `now_ms` is the connector's clock, the record's ts_ms. Adds one record, still without headers and source offset.
  Result<mr_record*> add(const SchemaChange& change, const SourceInfo& source, const SourceTexts& texts,
                         int64_t now_ms);

 private:
  Status register_schemas();

  sdk::SourceContext& context_;
  const EventOptions& options_;
  RecordBatch& batch_;
  mr_schema_id key_schema_ = 0, value_schema_ = 0;
};

}  // namespace millrace::mariadb
