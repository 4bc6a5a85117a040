/// A connection to MariaDB (or MySQL) over libmariadb for all that is not the binlog itself: utf8mb4, text protocol,
/// buffered small results and unbuffered streams. Threads: one; interrupt() from any other.
#pragma once

#include <mysql.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/common/result.h"

namespace millrace::mariadb {

using connectors::Code;
using connectors::Result;
using connectors::Status;

/// From `database.*` and `connect.timeout.ms`.
struct ConnectionOptions {
  std::string host = "localhost", user, password;
  uint16_t port = 3306;
  int64_t connect_timeout_ms = 30'000;
  int64_t query_timeout_ms = 600'000;  ///< silence of the server that breaks a statement, whole seconds; 0 = none
  enum class Tls { kDisable, kPrefer, kTrust, kVerifyCa, kVerifyFull } tls = Tls::kDisable;
  std::string tls_ca, tls_certificate, tls_key;  ///< PEM files
  std::vector<std::string> initial_statements;   ///< not for the dump connection
  std::string where() const { return host + ":" + std::to_string(port) + " as user '" + user + "'"; }
};

using SqlRow = std::vector<std::optional<std::string>>;

/// Rows of an unbuffered result, borrowed until the next call. Nothing else may use the connection meanwhile. Destroyed
/// before its end it reads on over a short rest and else breaks the connection: reading on could take hours.
class RowStream {
 public:
  virtual ~RowStream() = default;
  struct Field {
    const char* data;
    unsigned long size;
  };  ///< data nullptr = NULL
  /// The fields of the next row, or an empty span at the end.
  virtual Result<std::span<const Field>> next() = 0;
  virtual std::span<const MYSQL_FIELD> columns() const = 0;
};

class Connection {
 public:
  /// One attempt. kUnavailable: the server is not there or busy; kInvalidConfig: it refuses us (user, password, TLS);
  /// the message names host, user and what to do. Session: utf8mb4, time_zone +00:00, sql_mode without surprises for
  /// reads, no limits of time. Blocks up to the connect timeout.
  static Result<std::unique_ptr<Connection>> open(const ConnectionOptions& options);
  ~Connection();

  /// One statement; its rows, if any, are dropped. Errors of all statements: kUnavailable (connection lost, server
  /// busy or going down, lock waits), kInvalidConfig (a privilege or a database is missing), kStopped after
  /// interrupt(), kInternal for the rest; the message holds the server's text and number.
  Status execute(std::string_view sql);
  Result<std::vector<SqlRow>> query(std::string_view sql);
  /// The first row's first column; nothing for no row or NULL.
  Result<std::optional<std::string>> scalar(std::string_view sql);
  Result<std::unique_ptr<RowStream>> stream(std::string_view sql);
  std::string escaped(std::string_view text) const;  ///< for inside '…'

  /// Silence of the server after which a read fails, kUnavailable; 0 = never. Replaces query_timeout_ms from now on.
  void set_read_timeout(int64_t timeout_ms);
  /// What to return after a call on handle() failed; as the methods here do. `what` names the action.
  Status failed(std::string_view what);

  unsigned last_error() const { return last_error_; }  ///< number of the last failure; 0 = none so far
  bool broken() const { return broken_; }              ///< of no use any more
  bool interrupted() const { return interrupted_; }
  bool is_mariadb() const;
  std::string server_version() const;
  MYSQL* handle() { return handle_; }
  void interrupt();  ///< makes a blocked call and all later ones return kStopped

 private:
  friend class UnbufferedRows;
  Connection() = default;
  Status set_options(bool tls);
  Status connect(bool tls);
  Status set_up();
  void close_socket();

  MYSQL* handle_ = nullptr;
  ConnectionOptions options_;
  unsigned last_error_ = 0;
  bool broken_ = false;
  bool connected_ = false;
  std::atomic<bool> interrupted_{false};
  int socket_ = -1;  ///< the connection's, to shut it from any thread; under closing_
  std::mutex closing_;
};

/// `name` in backticks, as an identifier.
std::string quoted(std::string_view name);

}  // namespace millrace::mariadb
