/// One table, or the query, of a source task: its statements, where it has got to, and its records.
/// Threads: the task's. Lifetime: shorter than the SourceContext and the config it was made with.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "connectors/jdbc/source_config.h"
#include "connectors/jdbc/source_statement.h"
#include "connectors/jdbc/sql.h"

namespace millrace::jdbc {

class Querier {
 public:
  /// `table` empty: the configured query.
  Querier(const SourceConfig& config, const Dialect& dialect, TableId table, std::string quoted_name);

  /// Checks the settings against the table's columns and reads the stored offset. Errors: kInvalidConfig, kUnavailable.
  Status prepare(Session& session, const sdk::SourceContext& context, const std::vector<ColumnInfo>& columns);
  /// Starts the query. Errors: as Session::read.
  Status start(Session& session, const sdk::SourceContext& context);
  bool running() const { return reader_ != nullptr; }
  /// Reads and emits one batch; at the end of the rows running() becomes false.
  Status emit_batch(const sdk::SourceContext& context);
  /// Forgets a query broken off; the next start() goes on after the last row that was emitted.
  void abandon();
  const std::string& name() const { return name_; }

  /// Whether probe() may stand for a query: only after a first query of its own has found nothing wrong.
  bool can_be_probed() const { return queried_ && !rows_wait_ && !running() && statement_->can_probe(); }
  /// As SourceStatement::probe(), from where this querier has got to.
  std::string probe(size_t number, const Instant& end) const {
    return statement_->probe(number, sent_, end, dialect_, config_.read.clock);
  }
  /// Rows are known to be there, so the next query does not wait: a probe said so, or a page came full.
  bool rows_wait() const { return rows_wait_; }
  void expect_rows() { rows_wait_ = true; }
  int64_t next_query_ms = 0;  ///< kept by the task

 private:
  Status find_columns(const std::vector<ColumnInfo>& columns);
  Status choose_mapped_columns();
  Status load_offset(Session& session, const sdk::SourceContext& context);
  Status register_schemas(const sdk::SourceContext& context);
  Status register_key(const sdk::SourceContext& context, std::span<const mr_field> fields);
  Status find_positions();
  Status failed(const Status& why) const;
  Status build_records();
  Status incrementing_of(const mr_value& value, int64_t& number) const;
  void advance_timestamps(size_t first_row);
  void write_key(size_t row, const mr_value* values);
  void write_offset(size_t row, const SourceOffset& offset);
  Status send(const sdk::SourceContext& context);

  const SourceConfig& config_;
  const Dialect& dialect_;
  const TableId table_;
  const std::string quoted_name_;
  std::string name_, topic_, partition_name_;
  std::string incrementing_column_;
  std::vector<std::string> timestamp_columns_, key_columns_;
  std::optional<SourceStatement> statement_;  // once the columns are known

  std::unique_ptr<RowReader> reader_;
  std::vector<std::string> shape_;  // labels and types the schema was registered for
  mr_schema_id schema_ = 0, key_schema_ = 0;
  size_t incrementing_at_ = 0;
  std::vector<size_t> timestamps_at_, keys_at_;

  SourceOffset sent_;    // of the last row handed over: where a new query starts
  SourceOffset newest_;  // timestamp mode: of the last row read, not yet safe to store
  RowBatch batch_;
  std::vector<mr_record> records_;
  std::vector<mr_value> partition_entries_, offset_entries_, key_values_;
  std::vector<SourceOffset> offsets_;
  Status after_batch_;  // what ended the read behind the rows in batch_
  bool pending_ = false;
  bool queried_ = false, rows_wait_ = false;
  size_t rows_read_ = 0;  // by the query under way
};

}  // namespace millrace::jdbc
