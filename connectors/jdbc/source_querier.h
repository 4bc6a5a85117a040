/// One table, or the query, of a source task: its statements, where it has got to, and its records.
/// Threads: the task's. Lifetime: shorter than the SourceContext and the config it was made with.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "connectors/jdbc/source_config.h"
#include "connectors/jdbc/sql.h"

namespace millrace::jdbc {

/// How far a table has been read.
struct SourceOffset {
  int64_t incrementing = -1;
  Instant timestamp;
  bool has_timestamp = false;
};

class Querier {
 public:
  /// `table` empty: the configured query.
  Querier(const SourceConfig& config, const Dialect& dialect, TableId table, std::string quoted_name);

  /// Checks the columns against the table and reads the stored offset. Errors: kInvalidConfig, kUnavailable.
  Status prepare(Session& session, const sdk::SourceContext& context, bool first_of_task);
  /// Starts the query. Errors: as Session::read.
  Status start(Session& session, const sdk::SourceContext& context);
  bool running() const { return reader_ != nullptr; }
  /// Reads and emits one batch; at the end of the rows running() becomes false.
  Status emit_batch(const sdk::SourceContext& context);
  /// Forgets a query broken off; the next start() goes on after the last row that was emitted.
  void abandon();
  const std::string& name() const { return name_; }
  int64_t next_query_ms = 0;  ///< kept by the task

 private:
  Status find_columns(Session& session, bool first_of_task);
  Status choose_mapped_columns();
  Status load_offset(Session& session, const sdk::SourceContext& context);
  Status register_schema(const sdk::SourceContext& context);
  Status find_positions();
  std::string column(const std::string& name) const;
  std::string statement() const;
  Status build_records();
  Status incrementing_of(const mr_value& value, int64_t& number) const;
  void advance_timestamps(size_t first_row);
  void write_offset(size_t row, const SourceOffset& offset);
  Status send(const sdk::SourceContext& context);

  const SourceConfig& config_;
  const Dialect& dialect_;
  const TableId table_;
  const std::string quoted_name_;
  std::string name_, topic_, partition_name_;
  std::string incrementing_column_;
  std::vector<std::string> timestamp_columns_;

  std::unique_ptr<RowReader> reader_;
  std::vector<std::string> shape_;  // labels and types the schema was registered for
  mr_schema_id schema_ = 0;
  size_t incrementing_at_ = 0;
  std::vector<size_t> timestamps_at_;

  SourceOffset sent_;    // of the last row handed over: where a new query starts
  SourceOffset newest_;  // timestamp mode: of the last row read, not yet safe to store
  RowBatch batch_;
  std::vector<mr_record> records_;
  std::vector<mr_value> partition_entries_, offset_entries_;
  std::vector<SourceOffset> offsets_;
  Status after_batch_;  // what ended the read behind the rows in batch_
  bool pending_ = false;
};

}  // namespace millrace::jdbc
