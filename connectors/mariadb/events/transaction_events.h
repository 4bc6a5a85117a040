/// provide.transaction.metadata: BEGIN and END records, and the place of each row in its transaction. Threads: the
/// task's.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "connectors/mariadb/events/event_options.h"
#include "connectors/mariadb/events/record_batch.h"
#include "connectors/mariadb/events/table_events.h"

namespace millrace::mariadb {

class TransactionEvents {
 public:
  TransactionEvents(sdk::SourceContext& context, const EventOptions& options, RecordBatch& batch);

  Status begin(std::string_view id, int64_t time_ms);
  Status end(int64_t time_ms);
  /// The transaction block of the next row of `table`; null outside of transactions.
  mr_value next(TableEvents& table);
  const TransactionProgress* progress() const { return active_ ? &progress_ : nullptr; }
  void resume(TransactionProgress progress);

 private:
  Status add(std::string_view status, const mr_value& count, const mr_value& collections, int64_t time_ms);
  Status register_schemas();

  sdk::SourceContext& context_;
  const EventOptions& options_;
  RecordBatch& batch_;
  mr_schema_id key_schema_ = 0, value_schema_ = 0;
  bool active_ = false;
  uint64_t serial_ = 0;
  TransactionProgress progress_;
  RecordBatch::Slot id_slot_;
};

}  // namespace millrace::mariadb
