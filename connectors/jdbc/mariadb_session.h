/// A session with MariaDB or MySQL over libmariadb: utf8mb4, binary protocol, streaming reads, array binding for
/// writes.
#pragma once

#include <mysql.h>

#include <memory>
#include <mutex>

#include "connectors/jdbc/session.h"

namespace millrace::jdbc {

struct StatementClose {
  void operator()(MYSQL_STMT* statement) const { mysql_stmt_close(statement); }
};
using Statement = std::unique_ptr<MYSQL_STMT, StatementClose>;

class MariaDbSession final : public Session {
 public:
  /// One attempt.
  static Result<std::unique_ptr<Session>> open(const ConnectionSettings& settings, bool for_writing);
  ~MariaDbSession() override;

  Status execute(std::string_view sql) override;
  Result<uint64_t> change_rows(std::string_view sql) override;
  Result<std::vector<Row>> query(std::string_view sql) override;
  Result<std::unique_ptr<RowReader>> read(std::string_view sql, std::span<const Parameter> parameters,
                                          const ReadOptions& options) override;
  Status check_query(std::string_view sql) override;
  Result<std::unique_ptr<BatchWriter>> writer(const RowWrite& write, std::vector<Cell> cells,
                                              const WriteOptions& options) override;
  bool lost_race() const override;
  Result<std::vector<TableId>> tables(const TableScope& scope, const std::vector<std::string>& types) override;
  std::string home_catalog() const override { return settings_.url.database; }
  Result<std::vector<ColumnInfo>> columns(const TableId& table) override;
  Result<ColumnsByTable> columns_of(std::span<const TableId> tables) override;
  Result<std::string> table_type(const TableId& table) override;
  Status check_transactional(const TableId& table) override;
  Result<Instant> now(const WallClock& clock) override;
  Result<ZoneNow> zone_now() override;
  Status set_isolation(std::string_view level) override;
  bool alive() override;
  bool broken() const override { return broken_; }
  const DatabaseError& last_error() const override { return error_; }
  void mark_broken() override;
  void interrupt() override;

  /// Keeps the server's complaint and says in a Status what to do about it.
  Status failed(MYSQL_STMT* statement = nullptr);
  Result<Statement> prepare(std::string_view sql);
  const JdbcUrl& url() const { return settings_.url; }
  bool bulk() const { return bulk_; }
  size_t packet_bytes_max() const { return packet_bytes_max_; }

 private:
  MariaDbSession(ConnectionSettings settings, MYSQL* handle) : settings_(std::move(settings)), handle_(handle) {}
  Status set_options();
  Status connect(const HostAddress& host);
  Status set_up(bool for_writing);
  void hold_socket();
  void drop_socket();
  std::string escaped(std::string_view text) const;
  std::string is_table(const TableId& table) const;  // a condition on information_schema

  ConnectionSettings settings_;
  MYSQL* handle_;
  DatabaseError error_;
  bool broken_ = false, bulk_ = false;
  size_t packet_bytes_max_ = 1 << 20;
  int socket_ = -1;     // a duplicate of the connection's, to shut it from any thread; under closing_
  std::mutex closing_;  // interrupt() must not meet a socket number that was closed and given to someone else
};

/// What a server error means for the caller, by number and SQLSTATE.
Code classify(unsigned number, std::string_view sqlstate);

/// A statement's streaming result (mariadb_reader.cc).
Result<std::unique_ptr<RowReader>> open_reader(MariaDbSession& session, Statement statement,
                                               std::span<const Parameter> parameters, const ReadOptions& options);
/// A prepared write with array binding (mariadb_writer.cc).
std::unique_ptr<BatchWriter> make_writer(MariaDbSession& session, const RowWrite& write, Statement statement,
                                         std::vector<Cell> cells, const WriteOptions& options);

}  // namespace millrace::jdbc
