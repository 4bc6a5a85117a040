/// A SQLite database in a file, over libsqlite3. A session for writing has a transaction from its first write to
/// COMMIT; one for reading cannot write.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>

#include "connectors/jdbc/sqlite_time.h"

namespace millrace::jdbc {

struct SqliteStatementClose {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using SqliteStatement = std::unique_ptr<sqlite3_stmt, SqliteStatementClose>;

class SqliteSession final : public Session {
 public:
  static Result<std::unique_ptr<Session>> open(const ConnectionSettings& settings, bool for_writing);
  ~SqliteSession() override;

  Status execute(std::string_view sql) override;
  Status change_table(const TableId& table, std::string_view sql, const std::vector<ColumnInfo>& added) override;
  Result<uint64_t> change_rows(std::string_view sql) override;
  bool ddl_in_transactions() const override { return true; }
  Result<std::vector<Row>> query(std::string_view sql) override;
  Result<std::unique_ptr<RowReader>> read(std::string_view sql, std::span<const Parameter> parameters,
                                          const ReadOptions& options) override;
  Status check_query(std::string_view sql) override;
  Result<std::unique_ptr<BatchWriter>> writer(const RowWrite& write, std::vector<Cell> cells,
                                              const WriteOptions& options) override;
  bool lost_race() const override;
  Result<std::vector<TableId>> tables(const TableScope& scope, const std::vector<std::string>& types) override;
  std::string home_catalog() const override { return ""; }
  Result<std::vector<ColumnInfo>> columns(const TableId& table) override;
  Result<std::string> table_type(const TableId& table) override;
  Result<Instant> now(const WallClock& clock) override;
  Result<ZoneNow> zone_now() override;
  Status set_isolation(std::string_view /*level*/) override { return sdk::ok(); }  // always serializable
  bool alive() override;
  bool broken() const override { return broken_ || interrupted_; }
  const DatabaseError& last_error() const override { return error_; }
  void mark_broken() override { broken_ = true; }
  void interrupt() override { interrupted_ = true; }

  // For the reader and the writer, which live no longer than the session.

  sqlite3* handle() const { return handle_; }
  const JdbcUrl& url() const { return settings_.url; }
  const TimeRules& times() const { return times_; }
  /// Begins the transaction that a write needs, with the lock for writing: a lock that is asked for later could not be
  /// waited for.
  Status begin();
  /// One statement. Errors: kInvalidConfig also for text behind its end.
  Result<SqliteStatement> prepare(std::string_view sql);
  /// "TEXT" and the like by column, in upper case.
  Result<std::map<std::string, std::string>> declared_types(const TableId& table);
  /// Keeps the library's complaint and says in a Status what to do about it.
  Status failed();

 private:
  SqliteSession(ConnectionSettings settings, bool for_writing)
      : settings_(std::move(settings)), for_writing_(for_writing) {}
  Status open_file();
  Status set_up();
  Status run(std::string_view sql);
  bool same_file() const;
  static int on_busy(void* session, int tries);
  static void to_micros(sqlite3_context* context, int count, sqlite3_value** values);

  ConnectionSettings settings_;
  const bool for_writing_;
  sqlite3* handle_ = nullptr;
  DatabaseError error_;
  TimeRules times_;
  uint64_t device_ = 0, inode_ = 0;  // of the file; 0 = none
  bool broken_ = false;
  std::atomic<bool> interrupted_ = false;
  std::chrono::milliseconds busy_timeout_{3000};
  std::chrono::steady_clock::time_point busy_since_;
};

/// What a result code (with its extension) means for the caller.
Code classify_sqlite(int code);

/// A running statement (sqlite_reader.cc).
Result<std::unique_ptr<RowReader>> open_reader(SqliteSession& session, std::string_view sql,
                                               std::span<const Parameter> parameters, const ReadOptions& options);
/// A prepared write (sqlite_writer.cc).
Result<std::unique_ptr<BatchWriter>> make_writer(SqliteSession& session, SqliteStatement statement,
                                                 const RowWrite& write, std::vector<Cell> cells,
                                                 const WriteOptions& options);

}  // namespace millrace::jdbc
