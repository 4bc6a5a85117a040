/// A session that reads from the database but tells what it would write instead of writing it.
/// Threads: as a session.
#pragma once

#include <map>

#include "connectors/jdbc/sink_config.h"
#include "connectors/jdbc/sql.h"

namespace millrace::jdbc {

class PreviewSession final : public Session {
 public:
  /// The statements go to `context`; what `dialect` and `context` refer to outlives the session.
  PreviewSession(std::unique_ptr<Session> reader, const Dialect& dialect, sdk::PreviewContext& context)
      : reader_(std::move(reader)), dialect_(dialect), context_(context) {}

  /// Transaction control; told to nobody.
  Status execute(std::string_view) override { return sdk::ok(); }
  Result<uint64_t> change_rows(std::string_view) override { return uint64_t{0}; }
  bool ddl_in_transactions() const override { return true; }  // nothing is executed, so nothing is committed
  Status change_table(const TableId& table, std::string_view sql, const std::vector<ColumnInfo>& added) override;
  Result<std::unique_ptr<BatchWriter>> writer(const RowWrite& write, std::vector<Cell> cells,
                                              const WriteOptions& options) override;
  Result<std::string> table_type(const TableId& table) override;
  Result<std::vector<ColumnInfo>> columns(const TableId& table) override;

  Result<std::vector<Row>> query(std::string_view sql) override { return reader_->query(sql); }
  Result<std::unique_ptr<RowReader>> read(std::string_view sql, std::span<const Parameter> parameters,
                                          const ReadOptions& options) override {
    return reader_->read(sql, parameters, options);
  }
  Status check_query(std::string_view sql) override { return reader_->check_query(sql); }
  Result<std::vector<TableId>> tables(const TableScope& scope, const std::vector<std::string>& types) override {
    return reader_->tables(scope, types);
  }
  std::string home_catalog() const override { return reader_->home_catalog(); }
  Result<Instant> now(const WallClock& clock) override { return reader_->now(clock); }
  bool lost_race() const override { return reader_->lost_race(); }
  Status complete(TableId& table) override { return reader_->complete(table); }
  Result<ZoneNow> zone_now() override { return reader_->zone_now(); }
  Status set_isolation(std::string_view level) override { return reader_->set_isolation(level); }
  bool alive() override { return reader_->alive(); }
  bool broken() const override { return reader_->broken(); }
  const DatabaseError& last_error() const override { return reader_->last_error(); }
  void mark_broken() override { reader_->mark_broken(); }
  void interrupt() override { reader_->interrupt(); }

 private:
  const std::unique_ptr<Session> reader_;
  const Dialect& dialect_;
  sdk::PreviewContext& context_;
  std::map<TableId, std::vector<ColumnInfo>> added_;  // by the DDL told so far
};

}  // namespace millrace::jdbc
