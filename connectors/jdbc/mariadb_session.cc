#include "connectors/jdbc/mariadb_session.h"

#include <errmsg.h>
#include <mysqld_error.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

namespace millrace::jdbc {
namespace {

/// Of TLS problems only a connection that was cut off passes by itself.
bool cut_off(unsigned number, std::string_view text) {
  if (number != CR_SSL_CONNECTION_ERROR) return false;
  for (const std::string_view word : {"reset by peer", "eof", "timed out", "Broken pipe", "Success"}) {
    if (text.find(word) != std::string_view::npos) return true;
  }
  return false;
}

/// What a user can do about an error, after the server's own words.
std::string advice(unsigned number) {
  switch (number) {
    case ER_ACCESS_DENIED_ERROR:
      return "check connection.user and connection.password";
    case ER_DBACCESS_DENIED_ERROR:
    case ER_TABLEACCESS_DENIED_ERROR:
    case ER_COLUMNACCESS_DENIED_ERROR:
      return "grant the user the missing privilege";
    case ER_BAD_DB_ERROR:
      return "create the database or correct its name in connection.url";
    case ER_NO_SUCH_TABLE:
      return "create the table or correct its name";
    case CR_CONNECTION_ERROR:
    case CR_CONN_HOST_ERROR:
      return "check that the server runs and that host and port in connection.url are right";
    case CR_UNKNOWN_HOST:
      return "check the host name in connection.url";
    case CR_SSL_CONNECTION_ERROR:
      return "check sslMode and serverSslCert in connection.url: the file must hold the authority that signed the "
             "server's certificate, and with VERIFY_IDENTITY the certificate must name the host; where the server asks "
             "for a certificate of the client, clientCertificateKeyStoreUrl names it";
    default:
      return "";
  }
}

}  // namespace

Code classify(unsigned number, std::string_view sqlstate) {
  switch (number) {
    case CR_SERVER_GONE_ERROR:
    case CR_SERVER_LOST:
    case CR_CONNECTION_ERROR:
    case CR_CONN_HOST_ERROR:
    case CR_UNKNOWN_HOST:
    case ER_LOCK_DEADLOCK:
    case ER_LOCK_WAIT_TIMEOUT:
    case ER_LOCK_TABLE_FULL:  // the whole transaction is undone, as after a deadlock
    case ER_CON_COUNT_ERROR:
    case ER_SERVER_SHUTDOWN:
    case ER_QUERY_INTERRUPTED:
    case ER_TOO_MANY_USER_CONNECTIONS:
    case ER_OPTION_PREVENTS_STATEMENT:  // read-only during a switch-over
    case 1927:                          // connection was killed
      return Code::kUnavailable;
    // The server lacks disk, memory or its files: no fault of the rows. The numbers below 1000 are of its file layer.
    case 3:   // error writing file
    case 5:   // out of memory
    case 20:  // disk full, it waits for space
    case ER_DISK_FULL:
    case ER_RECORD_FILE_FULL:  // "The table is full": InnoDB could not make a file longer
    case ER_ERROR_ON_READ:
    case ER_ERROR_ON_WRITE:
    case ER_CANT_CREATE_FILE:
    case ER_GET_ERRNO:
    case ER_ERROR_DURING_COMMIT:
    case ER_OUTOFMEMORY:
    case ER_OUT_OF_SORTMEMORY:
    case ER_OUT_OF_RESOURCES:
      return Code::kUnavailable;
    case ER_ACCESS_DENIED_ERROR:
    case ER_DBACCESS_DENIED_ERROR:
    case ER_BAD_DB_ERROR:
    case CR_SSL_CONNECTION_ERROR:
      return Code::kInvalidConfig;
    default:
      break;
  }
  const std::string_view group = sqlstate.substr(0, 2);
  if (group == "08" || group == "40" || group == "53" || group == "57" || group == "58") return Code::kUnavailable;
  if (group == "22" || group == "23") return Code::kBadRecord;
  return Code::kInternal;
}

MariaDbSession::~MariaDbSession() {
  mysql_close(handle_);
  drop_socket();
}

void MariaDbSession::drop_socket() {
  std::lock_guard lock(closing_);
  if (socket_ < 0) return;
  shutdown(socket_, SHUT_RDWR);
  close(socket_);
  socket_ = -1;
}

Status MariaDbSession::failed(MYSQL_STMT* statement) {
  error_.number = statement != nullptr ? mysql_stmt_errno(statement) : mysql_errno(handle_);
  error_.sqlstate = statement != nullptr ? mysql_stmt_sqlstate(statement) : mysql_sqlstate(handle_);
  error_.text = statement != nullptr ? mysql_stmt_error(statement) : mysql_error(handle_);
  if (error_.number == 0 && statement != nullptr && mysql_errno(handle_) != 0) return failed();
  // A connection that ends between two rows is told by the return value alone.
  if (error_.number == 0) error_ = {CR_SERVER_LOST, "HY000", "Lost connection to server during query"};
  broken_ = broken_ || (error_.number >= CR_MIN_ERROR && error_.number <= CR_MAX_ERROR) || error_.number == 1927 ||
            error_.number == ER_SERVER_SHUTDOWN;
  if (broken_) drop_socket();
  std::string message = error_.text + " (server " + settings_.where() + ", errno " + std::to_string(error_.number) +
                        ", SQLSTATE " + error_.sqlstate + ")";
  const bool passes = cut_off(error_.number, error_.text);
  if (const std::string next = advice(passes ? CR_CONN_HOST_ERROR : error_.number); !next.empty())
    message += "; " + next;
  return {passes ? Code::kUnavailable : classify(error_.number, error_.sqlstate), std::move(message)};
}

Status MariaDbSession::execute(std::string_view sql) {
  if (mysql_real_query(handle_, sql.data(), sql.size()) != 0) return failed();
  if (MYSQL_RES* result = mysql_store_result(handle_); result != nullptr) mysql_free_result(result);
  return sdk::ok();
}

Result<uint64_t> MariaDbSession::change_rows(std::string_view sql) {
  if (Status s = execute(sql); !s.ok()) return s;
  return static_cast<uint64_t>(mysql_affected_rows(handle_));
}

Result<std::vector<Session::Row>> MariaDbSession::query(std::string_view sql) {
  if (mysql_real_query(handle_, sql.data(), sql.size()) != 0) return failed();
  std::unique_ptr<MYSQL_RES, decltype(&mysql_free_result)> result(mysql_store_result(handle_), &mysql_free_result);
  if (result == nullptr) return failed();
  std::vector<Row> rows;
  while (MYSQL_ROW row = mysql_fetch_row(result.get())) {
    const unsigned long* lengths = mysql_fetch_lengths(result.get());
    Row& out = rows.emplace_back();
    for (unsigned i = 0; i < mysql_num_fields(result.get()); ++i) {
      out.push_back(row[i] == nullptr ? std::nullopt : std::optional<std::string>(std::string(row[i], lengths[i])));
    }
  }
  return rows;
}

Result<Statement> MariaDbSession::prepare(std::string_view sql) {
  Statement statement(mysql_stmt_init(handle_));
  if (mysql_stmt_prepare(statement.get(), sql.data(), sql.size()) != 0) return failed(statement.get());
  return statement;
}

Status MariaDbSession::check_query(std::string_view sql) {
  auto statement = prepare(sql);
  return statement.ok() ? sdk::ok() : statement.status();
}

Result<std::unique_ptr<RowReader>> MariaDbSession::read(std::string_view sql, std::span<const Parameter> parameters,
                                                        const ReadOptions& options) {
  auto statement = prepare(sql);
  if (!statement.ok()) return statement.status();
  return open_reader(*this, std::move(*statement), parameters, options);
}

Result<std::unique_ptr<BatchWriter>> MariaDbSession::writer(const RowWrite& write, std::vector<Cell> cells,
                                                            const WriteOptions& options) {
  auto statement = prepare(write.sql);
  if (!statement.ok()) return statement.status();
  return make_writer(*this, write, std::move(*statement), std::move(cells), options);
}

bool MariaDbSession::lost_race() const {
  return error_.number == ER_LOCK_DEADLOCK || error_.number == ER_LOCK_WAIT_TIMEOUT;
}

std::string MariaDbSession::escaped(std::string_view text) const {
  std::string out(text.size() * 2 + 1, '\0');
  out.resize(mysql_real_escape_string(handle_, out.data(), text.data(), text.size()));
  return out;
}

Result<Instant> MariaDbSession::now(const WallClock& clock) {
  auto rows = query("SELECT CURRENT_TIMESTAMP");
  if (!rows.ok()) return rows.status();
  const std::string text = rows->at(0).at(0).value_or("");
  Civil civil;
  std::sscanf(text.c_str(), "%d-%u-%u %u:%u:%u", &civil.year, &civil.month, &civil.day, &civil.hour, &civil.minute,
              &civil.second);
  return clock.instant_of(civil);
}

Result<ZoneNow> MariaDbSession::zone_now() {
  auto rows = query("SELECT UNIX_TIMESTAMP(), TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(), NOW())");
  if (!rows.ok()) return rows.status();
  return ZoneNow{std::atoll(rows->at(0).at(0).value_or("0").c_str()),
                 std::atoll(rows->at(0).at(1).value_or("0").c_str())};
}

Status MariaDbSession::set_isolation(std::string_view level) {
  return execute("SET SESSION TRANSACTION ISOLATION LEVEL " + std::string(level));
}

bool MariaDbSession::alive() {
  if (!broken_ && mysql_ping(handle_) != 0) mark_broken();
  return !broken_;
}

void MariaDbSession::mark_broken() {
  broken_ = true;
  drop_socket();
}

void MariaDbSession::interrupt() {
  std::lock_guard lock(closing_);
  if (socket_ >= 0) shutdown(socket_, SHUT_RDWR);
}

}  // namespace millrace::jdbc
