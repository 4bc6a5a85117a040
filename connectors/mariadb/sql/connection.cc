#include "connectors/mariadb/sql/connection.h"

#include <errmsg.h>
#include <fcntl.h>
#include <ma_pvio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "connectors/mariadb/sql/sql_error.h"

namespace millrace::mariadb {
namespace {

using Tls = ConnectionOptions::Tls;
using Stored = std::unique_ptr<MYSQL_RES, decltype(&mysql_free_result)>;

unsigned seconds_of(int64_t milliseconds) {
  return static_cast<unsigned>(std::clamp<int64_t>((milliseconds + 999) / 1000, 0, 86'400));
}

const char* or_null(const std::string& path) { return path.empty() ? nullptr : path.c_str(); }

}  // namespace

class UnbufferedRows final : public RowStream {
 public:
  UnbufferedRows(Connection& connection, MYSQL_RES* result)
      : connection_(connection), result_(result), fields_(mysql_num_fields(result)) {}
  UnbufferedRows(const UnbufferedRows&) = delete;
  UnbufferedRows& operator=(const UnbufferedRows&) = delete;

  ~UnbufferedRows() override {
    for (int i = 0; i < kDrainedRows && !ended_; ++i) ended_ = mysql_fetch_row(result_) == nullptr;
    if (!ended_) {
      // The rest may be a whole table. With the socket shut, freeing the result returns at once.
      connection_.broken_ = true;
      std::lock_guard lock(connection_.closing_);
      shutdown(connection_.socket_, SHUT_RDWR);
    }
    mysql_free_result(result_);
  }

  Result<std::span<const Field>> next() override {
    if (ended_) return std::span<const Field>{};
    const MYSQL_ROW row = mysql_fetch_row(result_);
    if (row == nullptr) {
      ended_ = true;
      if (mysql_errno(connection_.handle_) != 0) return connection_.failed("reading rows");
      return std::span<const Field>{};
    }
    const unsigned long* sizes = mysql_fetch_lengths(result_);
    for (size_t i = 0; i < fields_.size(); ++i) fields_[i] = {row[i], sizes[i]};
    return std::span<const Field>(fields_);
  }

  std::span<const MYSQL_FIELD> columns() const override { return {mysql_fetch_fields(result_), fields_.size()}; }

 private:
  static constexpr int kDrainedRows = 1000;
  Connection& connection_;
  MYSQL_RES* result_;
  std::vector<Field> fields_;
  bool ended_ = false;
};

Result<std::unique_ptr<Connection>> Connection::open(const ConnectionOptions& options) {
  for (bool tls = options.tls != Tls::kDisable;; tls = false) {
    std::unique_ptr<Connection> connection(new Connection());
    connection->options_ = options;
    Status s = connection->connect(tls);
    if (s.ok()) s = connection->set_up();
    if (s.ok()) return connection;
    const bool plain_will_do = options.tls == Tls::kPrefer && tls && connection->last_error_ == CR_SSL_CONNECTION_ERROR;
    if (!plain_will_do) return s;
  }
}

Connection::~Connection() {
  if (handle_ != nullptr) mysql_close(handle_);
  close_socket();
}

void Connection::close_socket() {
  std::lock_guard lock(closing_);
  if (socket_ < 0) return;
  shutdown(socket_, SHUT_RDWR);
  close(socket_);
  socket_ = -1;
}

Status Connection::set_options(bool tls) {
  const unsigned protocol = MYSQL_PROTOCOL_TCP;  // "localhost" means the socket file to libmariadb, and TCP to JDBC
  mysql_optionsv(handle_, MYSQL_OPT_PROTOCOL, &protocol);
  mysql_optionsv(handle_, MYSQL_SET_CHARSET_NAME, "utf8mb4");
  const unsigned connect_s = std::max(seconds_of(options_.connect_timeout_ms), 1U);
  mysql_optionsv(handle_, MYSQL_OPT_CONNECT_TIMEOUT, &connect_s);
  if (const unsigned read_s = seconds_of(options_.query_timeout_ms); read_s != 0) {
    mysql_optionsv(handle_, MYSQL_OPT_READ_TIMEOUT, &read_s);
    mysql_optionsv(handle_, MYSQL_OPT_WRITE_TIMEOUT, &read_s);
  }
  // The binlog brings rows as large as the server's own limit; a smaller one here would look like a lost connection.
  const size_t packet_bytes_max = 1U << 30;
  mysql_optionsv(handle_, MYSQL_OPT_MAX_ALLOWED_PACKET, &packet_bytes_max);
  mysql_optionsv(handle_, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "millrace");
  const unsigned local_files = 0;
  mysql_optionsv(handle_, MYSQL_OPT_LOCAL_INFILE, &local_files);

  const my_bool on = 1, off = 0;
  const bool verify_name = tls && options_.tls == Tls::kVerifyFull;
  mysql_optionsv(handle_, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, verify_name ? &on : &off);
  if (!tls) return sdk::ok();
  const bool verify = options_.tls >= Tls::kVerifyCa;
  if (options_.tls == Tls::kVerifyCa && options_.tls_ca.empty()) {
    return {Code::kInvalidConfig,
            "database.ssl.mode verify-ca needs the certificate authority's PEM file; name it or use verify-full, which "
            "trusts the system's authorities"};
  }
  // A CA makes libmariadb check the chain, which the modes below verify-ca do not ask for.
  mysql_ssl_set(handle_, or_null(options_.tls_key), or_null(options_.tls_certificate),
                verify ? or_null(options_.tls_ca) : nullptr, nullptr, nullptr);
  mysql_optionsv(handle_, MYSQL_OPT_SSL_ENFORCE, &on);
  return sdk::ok();
}

Status Connection::connect(bool tls) {
  handle_ = mysql_init(nullptr);
  if (Status s = set_options(tls); !s.ok()) return s;
  if (mysql_real_connect(handle_, options_.host.c_str(), options_.user.c_str(), options_.password.c_str(), nullptr,
                         options_.port, nullptr, CLIENT_FOUND_ROWS) == nullptr) {
    return failed("connecting");
  }
  // libmariadb goes on in plain text when a server has no TLS, even when told to enforce it.
  if (tls && options_.tls != Tls::kPrefer && mysql_get_ssl_cipher(handle_) == nullptr) {
    return {Code::kInvalidConfig, "connecting: the server " + options_.where() +
                                      " has no TLS; set it up there, or set database.ssl.mode to disable"};
  }
  const int on = 1;
  {
    std::lock_guard lock(closing_);
    // A duplicate: the library closes its own when a connection is lost, and then the number may be anyone's.
    socket_ = fcntl(static_cast<int>(mysql_get_socket(handle_)), F_DUPFD_CLOEXEC, 0);
    setsockopt(socket_, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
  }
  connected_ = true;
  return sdk::ok();
}

Status Connection::set_up() {
  // Zone: TIMESTAMP columns come as UTC, as in the binlog. Mode: no PAD_CHAR_TO_FULL_LENGTH, ANSI_QUOTES or
  // NO_BACKSLASH_ESCAPES that a server may have as its default. Timeouts: a reader held back by a full queue must not
  // be cut off after the server's 60 seconds.
  if (Status s = execute("SET NAMES utf8mb4"); !s.ok()) return s;
  if (Status s = execute("SET SESSION time_zone='+00:00', sql_mode='STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION', "
                         "sql_quote_show_create=1, net_write_timeout=86400, wait_timeout=2147483, autocommit=1");
      !s.ok())
    return s;
  if (is_mariadb()) {
    if (Status s = execute("SET SESSION max_statement_time=0"); !s.ok()) return s;
  }
  for (const std::string& sql : options_.initial_statements) {
    if (Status s = execute(sql); !s.ok()) return {s.code(), "database.initial.statements: " + s.message()};
  }
  return sdk::ok();
}

Status Connection::failed(std::string_view what) {
  last_error_ = mysql_errno(handle_);
  const std::string text = mysql_error(handle_);
  broken_ = broken_ || breaks_connection(last_error_);
  if (broken_) close_socket();
  if (interrupted_) return {Code::kStopped, "interrupted while " + std::string(what)};
  std::string message =
      std::string(what) + ": " + text + " (server " + options_.where() + ", errno " + std::to_string(last_error_) + ")";
  if (const std::string_view next = advice_for(last_error_, !connected_); !next.empty())
    message += "; " + std::string(next);
  return {classify_error(last_error_, !connected_), std::move(message)};
}

namespace {
/// A statement shortened to what a message can bear.
std::string running(std::string_view sql) {
  constexpr size_t kMax = 200;
  return "running '" + std::string(sql.substr(0, kMax)) + (sql.size() > kMax ? "…'" : "'");
}
}  // namespace

Status Connection::execute(std::string_view sql) {
  if (mysql_real_query(handle_, sql.data(), sql.size()) != 0) return failed(running(sql));
  for (;;) {
    if (MYSQL_RES* result = mysql_store_result(handle_); result != nullptr) {
      mysql_free_result(result);
    } else if (mysql_errno(handle_) != 0) {
      return failed(running(sql));
    }
    const int more = mysql_next_result(handle_);  // CALL answers with several
    if (more < 0) return sdk::ok();
    if (more > 0) return failed(running(sql));
  }
}

Result<std::vector<SqlRow>> Connection::query(std::string_view sql) {
  if (mysql_real_query(handle_, sql.data(), sql.size()) != 0) return failed(running(sql));
  std::vector<SqlRow> rows;
  const Stored result(mysql_store_result(handle_), &mysql_free_result);
  if (result == nullptr) {
    if (mysql_errno(handle_) != 0) return failed(running(sql));
    return rows;  // a statement without rows
  }
  const unsigned count = mysql_num_fields(result.get());
  while (const MYSQL_ROW row = mysql_fetch_row(result.get())) {
    const unsigned long* sizes = mysql_fetch_lengths(result.get());
    SqlRow& out = rows.emplace_back(count);
    for (unsigned i = 0; i < count; ++i) {
      if (row[i] != nullptr) out[i].emplace(row[i], sizes[i]);
    }
  }
  return rows;
}

Result<std::optional<std::string>> Connection::scalar(std::string_view sql) {
  auto rows = query(sql);
  if (!rows.ok()) return rows.status();
  if (rows->empty() || rows->front().empty()) return std::optional<std::string>{};
  return rows->front().front();
}

Result<std::unique_ptr<RowStream>> Connection::stream(std::string_view sql) {
  if (mysql_real_query(handle_, sql.data(), sql.size()) != 0) return failed(running(sql));
  MYSQL_RES* result = mysql_use_result(handle_);
  if (result == nullptr) {
    if (mysql_errno(handle_) != 0) return failed(running(sql));
    return Status(Code::kInternal, running(sql) + ": the statement gives no rows");
  }
  return std::unique_ptr<RowStream>(new UnbufferedRows(*this, result));
}

std::string Connection::escaped(std::string_view text) const {
  std::string out(text.size() * 2 + 1, '\0');
  out.resize(mysql_real_escape_string(handle_, out.data(), text.data(), text.size()));
  return out;
}

void Connection::set_read_timeout(int64_t timeout_ms) {
  // The option counts only when connecting; a standing connection keeps its own copy.
  if (MARIADB_PVIO* pvio = handle_->net.pvio; pvio != nullptr) {
    pvio->timeout[PVIO_READ_TIMEOUT] =
        timeout_ms <= 0 ? -1 : static_cast<int>(std::min<int64_t>(timeout_ms, 86'400'000));
  }
}

bool Connection::is_mariadb() const { return mariadb_connection(handle_) != 0; }

std::string Connection::server_version() const {
  const char* version = mysql_get_server_info(handle_);
  return version == nullptr ? "" : version;
}

void Connection::interrupt() {
  interrupted_ = true;
  std::lock_guard lock(closing_);
  if (socket_ >= 0) shutdown(socket_, SHUT_RDWR);
}

std::string quoted(std::string_view name) {
  std::string out = "`";
  for (const char c : name) {
    if (c == '`') out += '`';
    out += c;
  }
  return out + '`';
}

}  // namespace millrace::mariadb
