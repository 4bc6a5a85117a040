/// A session with PostgreSQL over libpq. Reads go through a binary cursor (postgres_reader.cc), parameters are texts
/// whose types the server infers, tables and columns come from the catalog (postgres_catalog.cc).
/// Transactions: a session for reading commits every statement by itself, but a reader holds one until it is gone. In a
/// session for writing the first statement begins a transaction, as JDBC's do; COMMIT and ROLLBACK end it.
#pragma once

#include <libpq-fe.h>

#include <memory>
#include <mutex>

#include "connectors/jdbc/session.h"

namespace millrace::jdbc {

struct PgConnectionClose {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
using PgConnection = std::unique_ptr<PGconn, PgConnectionClose>;

struct PgResultClear {
  void operator()(PGresult* result) const { PQclear(result); }
};
using PgResult = std::unique_ptr<PGresult, PgResultClear>;

/// What an error means for the caller, by SQLSTATE.
Code classify_sqlstate(std::string_view sqlstate);

class PgSession final : public Session {
 public:
  /// One attempt, of all hosts of the URL.
  static Result<std::unique_ptr<Session>> open(const ConnectionSettings& settings, bool for_writing);
  ~PgSession() override;

  Status execute(std::string_view sql) override;
  Result<uint64_t> change_rows(std::string_view sql) override;
  bool ddl_in_transactions() const override { return true; }
  Result<std::vector<Row>> query(std::string_view sql) override;
  Result<std::unique_ptr<RowReader>> read(std::string_view sql, std::span<const Parameter> parameters,
                                          const ReadOptions& options) override;
  Status check_query(std::string_view sql) override;
  Result<std::unique_ptr<BatchWriter>> writer(const RowWrite& write, std::vector<Cell> cells,
                                              const WriteOptions& options) override;
  /// With a savepoint around it, so that the transaction goes on when the statement fails.
  Status change_table(const TableId& table, std::string_view sql, const std::vector<ColumnInfo>& added) override;
  bool lost_race() const override;
  Status complete(TableId& table) override;
  Result<std::vector<TableId>> tables(const TableScope& scope, const std::vector<std::string>& types) override;
  std::string home_catalog() const override { return {}; }
  Result<std::vector<ColumnInfo>> columns(const TableId& table) override;
  Result<ColumnsByTable> columns_of(std::span<const TableId> tables) override;
  Result<std::string> table_type(const TableId& table) override;
  Result<Instant> now(const WallClock& clock) override;
  Result<ZoneNow> zone_now() override;
  Status set_isolation(std::string_view level) override;
  bool alive() override;
  bool broken() const override { return broken_; }
  const DatabaseError& last_error() const override { return error_; }
  void mark_broken() override { broken_ = true; }
  void interrupt() override;

  // For the reader and the writer, which live no longer than the session.

  PGconn* handle() const { return connection_.get(); }
  const JdbcUrl& url() const { return settings_.url; }
  /// Begins the transaction that a session for writing needs before each statement.
  Status begin();
  /// Sends one statement and waits for its end. Texts as parameters, a null pointer is NULL; types are the server's
  /// choice. `prefix`: bytes of `sql` that the user did not write; positions in errors count from behind them.
  /// Errors: as failed().
  Result<PgResult> run(const std::string& sql, std::span<const char* const> parameters = {}, size_t prefix = 0);
  /// Waits for the result of what was sent with PQsend*; of several results the first bad or the last good one.
  /// `copy_in`: the statement is a COPY FROM STDIN, which is answered before its lines come.
  Result<PgResult> finish(bool copy_in = false);
  /// Hands the socket what the library holds back, and takes in what comes meanwhile.
  Status flush();
  /// Keeps the server's complaint and says in a Status what to do about it. `result` may be null: the wire failed.
  Status failed(const PGresult* result);
  /// `text` as an SQL literal.
  std::string literal(std::string_view text) const;
  /// The regclass text of a table, as a literal: what catalog queries compare with.
  std::string relation(const TableId& table) const;

 private:
  PgSession(ConnectionSettings settings, PgConnection connection, bool for_writing);
  Status set_up();
  /// Waits for `events` of poll, as long as socketTimeout allows, and takes in what has come.
  Status wait_for(short events);

  ConnectionSettings settings_;
  PgConnection connection_;
  bool for_writing_;
  DatabaseError error_;
  bool broken_ = false, has_savepoint_ = false;
  size_t prefix_ = 0;             ///< of the statement under way
  int64_t read_timeout_ms_ = -1;  ///< -1 = none

  std::mutex closing_;  // interrupt() must not meet a socket number that was closed and given to someone else
  int socket_ = -1;     // a duplicate: the library closes its own when the connection is lost
  std::shared_ptr<PGcancel> cancel_;  // also of the thread that tells a slow server to stop
};

/// A connection to the first host that answers and has the role that the URL asks for (postgres_connect.cc).
/// Errors: kUnavailable, kInvalidConfig; `error` gets the server's words.
Result<PgConnection> connect_postgres(const ConnectionSettings& settings, DatabaseError& error);

/// A statement's result through a cursor (postgres_reader.cc). `sql` has $n for the parameters.
Result<std::unique_ptr<RowReader>> open_reader(PgSession& session, const std::string& sql,
                                               std::span<const Parameter> parameters, const ReadOptions& options);

}  // namespace millrace::jdbc
