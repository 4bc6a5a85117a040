#include "connectors/jdbc/mariadb_session.h"

#include <errmsg.h>
#include <fcntl.h>
#include <mysqld_error.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
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

bool is_keystore(const std::string& path) {
  const std::string name = lower(path);
  return name.ends_with(".jks") || name.ends_with(".p12") || name.ends_with(".pfx");
}

std::string file_of(std::string path) {
  for (const std::string_view prefix : {"file://", "file:"}) {
    if (path.starts_with(prefix)) return path.substr(prefix.size());
  }
  return path;
}

unsigned seconds_of(const std::string& milliseconds) {
  int64_t number = 0;
  std::from_chars(milliseconds.data(), milliseconds.data() + milliseconds.size(), number);
  return static_cast<unsigned>((std::max<int64_t>(number, 0) + 999) / 1000);
}

enum class Tls { kOff, kPreferred, kRequired, kVerifyCa, kVerifyIdentity };

/// The many spellings of both drivers.
Result<Tls> tls_of(const JdbcUrl& url) {
  const std::string mode = lower(url.parameter("sslmode"));
  if (mode == "disabled" || mode == "disable" || mode == "0") return Tls::kOff;
  if (mode == "preferred") return Tls::kPreferred;
  if (mode == "required" || mode == "trust" || mode == "1") return Tls::kRequired;
  if (mode == "verify_ca" || mode == "verify-ca") return Tls::kVerifyCa;
  if (mode == "verify_identity" || mode == "verify-full") return Tls::kVerifyIdentity;
  if (!mode.empty()) {
    return Status(Code::kInvalidConfig, "connection.url: sslMode '" + mode +
                                            "' is unknown; use DISABLED, REQUIRED, VERIFY_CA or VERIFY_IDENTITY");
  }
  if (!url.flag("usessl", true)) return Tls::kOff;
  if (url.flag("verifyservercertificate", false)) return Tls::kVerifyCa;
  if (url.flag("requiressl", false) || (url.scheme == Scheme::kMariaDb && url.flag("usessl", false)))
    return Tls::kRequired;
  if (!url.parameter("serversslcert").empty()) return Tls::kVerifyCa;
  return url.scheme == Scheme::kMySql ? Tls::kPreferred : Tls::kOff;
}

constexpr std::string_view kSelectColumns =
    "SELECT TABLE_NAME, COLUMN_NAME, IS_NULLABLE, EXTRA, COLUMN_KEY FROM information_schema.COLUMNS WHERE ";

/// A server that is gone without a word is noticed after two minutes at most instead of the system's two hours.
void keep_alive(int socket) {
  const auto set = [&](int level, int name, int value) { setsockopt(socket, level, name, &value, sizeof(value)); };
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  int domain = AF_UNIX;
  socklen_t size = sizeof(domain);
  getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &domain, &size);
  if (domain != AF_INET && domain != AF_INET6) return;
  set(IPPROTO_TCP, TCP_KEEPIDLE, 60);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 10);
  set(IPPROTO_TCP, TCP_KEEPCNT, 6);
  set(IPPROTO_TCP, TCP_USER_TIMEOUT, 60'000);
}

std::string backquoted(std::string_view name) {
  std::string out = "`";
  for (const char c : name) out.append(c == '`' ? 2 : 1, c);
  return out + "`";
}

ColumnInfo column_info(const Session::Row& row) {
  return {row[1].value_or(""), row[2].value_or("") == "YES",
          lower(row[3].value_or("")).find("auto_increment") != std::string::npos, row[4].value_or("") == "PRI"};
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

Result<std::unique_ptr<Session>> MariaDbSession::open(const ConnectionSettings& settings, bool for_writing) {
  Status last(Code::kInvalidConfig, "connection.url names no host");
  for (const HostAddress& host : settings.url.hosts) {
    std::unique_ptr<MariaDbSession> session(new MariaDbSession(settings, mysql_init(nullptr)));
    last = session->set_options();
    if (last.ok()) last = session->connect(host);
    if (last.ok()) last = session->set_up(for_writing);
    if (last.ok()) return std::unique_ptr<Session>(std::move(session));
    if (last.code() != Code::kUnavailable) return last;
  }
  return last;
}

MariaDbSession::~MariaDbSession() {
  mysql_close(handle_);
  drop_socket();
}

/// A duplicate: the library closes its own when a connection is lost, and then the number may be anyone's.
void MariaDbSession::hold_socket() {
  std::lock_guard lock(closing_);
  socket_ = fcntl(static_cast<int>(mysql_get_socket(handle_)), F_DUPFD_CLOEXEC, 0);
  keep_alive(socket_);
}

void MariaDbSession::drop_socket() {
  std::lock_guard lock(closing_);
  if (socket_ < 0) return;
  shutdown(socket_, SHUT_RDWR);
  close(socket_);
  socket_ = -1;
}

Status MariaDbSession::set_options() {
  const JdbcUrl& url = settings_.url;
  // "localhost" means the socket file to libmariadb, and TCP to JDBC.
  const unsigned protocol = url.parameter("localsocket").empty() ? MYSQL_PROTOCOL_TCP : MYSQL_PROTOCOL_SOCKET;
  mysql_optionsv(handle_, MYSQL_OPT_PROTOCOL, &protocol);
  mysql_optionsv(handle_, MYSQL_SET_CHARSET_NAME, "utf8mb4");
  unsigned timeout = static_cast<unsigned>(settings_.connect_timeout_s);
  if (const unsigned given = seconds_of(url.parameter("connecttimeout")); given != 0)
    timeout = std::min(given, timeout);
  mysql_optionsv(handle_, MYSQL_OPT_CONNECT_TIMEOUT, &timeout);
  if (const unsigned socket_timeout = seconds_of(url.parameter("sockettimeout")); socket_timeout != 0) {
    mysql_optionsv(handle_, MYSQL_OPT_READ_TIMEOUT, &socket_timeout);
    mysql_optionsv(handle_, MYSQL_OPT_WRITE_TIMEOUT, &socket_timeout);
  }
  if (url.flag("usecompression", false)) mysql_optionsv(handle_, MYSQL_OPT_COMPRESS, nullptr);
  mysql_optionsv(handle_, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "millrace");
  const unsigned local_files = 0;
  mysql_optionsv(handle_, MYSQL_OPT_LOCAL_INFILE, &local_files);

  const auto tls = tls_of(url);
  if (!tls.ok()) return tls.status();
  my_bool enforce = tls.value() >= Tls::kRequired ? 1 : 0;
  const my_bool verify = tls.value() == Tls::kVerifyIdentity ? 1 : 0;
  std::string authority = file_of(url.parameter("serversslcert", url.parameter("trustcertificatekeystoreurl")));
  const std::string client = file_of(url.parameter("clientcertificatekeystoreurl"));
  if (is_keystore(authority) || is_keystore(client)) {
    return {Code::kInvalidConfig, "connection.url: key stores (.jks, .p12) cannot be read; convert '" +
                                      (is_keystore(client) ? client : authority) +
                                      "' to PEM and name that file in serverSslCert or clientCertificateKeyStoreUrl"};
  }
  if (tls.value() == Tls::kVerifyCa && authority.empty()) {
    return {Code::kInvalidConfig,
            "connection.url: verifying the server's certificate needs serverSslCert=/path/to/ca.pem"};
  }
  if (tls.value() != Tls::kOff) {
    if (!authority.empty()) mysql_optionsv(handle_, MYSQL_OPT_SSL_CA, authority.c_str());
    if (!client.empty()) {
      mysql_optionsv(handle_, MYSQL_OPT_SSL_CERT, client.c_str());
      mysql_optionsv(handle_, MYSQL_OPT_SSL_KEY, client.c_str());
      if (const std::string phrase = url.parameter("clientcertificatekeystorepassword"); !phrase.empty())
        mysql_optionsv(handle_, MARIADB_OPT_TLS_PASSPHRASE, phrase.c_str());
    }
    const std::string versions =
        url.parameter("tlsversions", url.parameter("enabledtlsprotocols", url.parameter("enabledsslprotocolsuites")));
    if (!versions.empty()) mysql_optionsv(handle_, MARIADB_OPT_TLS_VERSION, versions.c_str());
    mysql_optionsv(handle_, MYSQL_OPT_SSL_ENFORCE, &enforce);
  }
  mysql_optionsv(handle_, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
  if (const std::string key = url.parameter("serverrsapublickeyfile"); !key.empty()) {
    mysql_optionsv(handle_, MYSQL_SERVER_PUBLIC_KEY, key.c_str());
  }
  return sdk::ok();
}

Status MariaDbSession::connect(const HostAddress& host) {
  const std::string& database = settings_.url.database;
  const std::string socket = settings_.url.parameter("localsocket");
  const bool create = settings_.url.flag("createdatabaseifnotexist", false);
  const unsigned long flags = settings_.url.flag("useaffectedrows", false) ? 0 : CLIENT_FOUND_ROWS;
  if (mysql_real_connect(handle_, host.host.c_str(), settings_.user.c_str(), settings_.password.c_str(),
                         database.empty() || create ? nullptr : database.c_str(), host.port,
                         socket.empty() ? nullptr : socket.c_str(), flags) == nullptr) {
    return failed();
  }
  hold_socket();
  if (!create || database.empty()) return sdk::ok();
  if (Status s = execute("CREATE DATABASE IF NOT EXISTS " + backquoted(database)); !s.ok()) return s;
  return mysql_select_db(handle_, database.c_str()) == 0 ? sdk::ok() : failed();
}

Status MariaDbSession::set_up(bool for_writing) {
  // A reader held back by a full queue must not be cut off after the server's 60 seconds.
  std::string sql = "SET SESSION net_write_timeout=86400";
  if (for_writing) {
    // The variable has another name in MySQL 8, the statement has not. It comes first: sessionVariables may differ.
    if (Status s = set_isolation("READ COMMITTED"); !s.ok()) return s;
    sql = "SET SESSION sql_mode=CONCAT(@@sql_mode,',STRICT_TRANS_TABLES'), autocommit=0";
  }
  if (const std::string collation = settings_.url.parameter("connectioncollation"); collation.starts_with("utf8mb4")) {
    sql += ", collation_connection='" + escaped(collation) + "'";
  }
  if (const std::string variables = settings_.url.parameter("sessionvariables"); !variables.empty())
    sql += ", " + variables;
  if (settings_.url.flag("forceconnectiontimezonetosession", false)) {
    const std::string zone = settings_.url.parameter("connectiontimezone", settings_.url.parameter("servertimezone"));
    if (!zone.empty()) sql += ", time_zone='" + escaped(zone == "UTC" ? "+00:00" : zone) + "'";
  }
  if (Status s = execute(sql); !s.ok()) return s;
  auto packet = query("SELECT @@max_allowed_packet");
  if (!packet.ok()) return packet.status();
  const std::string text = packet->at(0).at(0).value_or("1048576");
  std::from_chars(text.data(), text.data() + text.size(), packet_bytes_max_);
  unsigned long capabilities = 0;
  mariadb_get_infov(handle_, MARIADB_CONNECTION_EXTENDED_SERVER_CAPABILITIES, &capabilities);
  bulk_ = (capabilities & (MARIADB_CLIENT_STMT_BULK_OPERATIONS >> 32)) != 0;
  return sdk::ok();
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

Result<std::vector<TableId>> MariaDbSession::tables(const TableScope& scope, const std::vector<std::string>& types) {
  std::string sql = "SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES WHERE TABLE_TYPE IN ('-'";
  for (const std::string& type : types) {
    if (lower(type) == "table") sql += ",'BASE TABLE'";
    if (lower(type) == "view") sql += ",'VIEW'";
    if (lower(type) == "system table") sql += ",'SYSTEM VIEW'";
  }
  sql += ")";
  if (scope.catalog.has_value()) {
    sql += " AND TABLE_SCHEMA='" + escaped(*scope.catalog) + "'";
  } else {
    sql += " AND TABLE_SCHEMA NOT IN ('information_schema','performance_schema')";
  }
  auto rows = query(sql + " ORDER BY TABLE_SCHEMA, TABLE_NAME");
  if (!rows.ok()) return rows.status();
  std::vector<TableId> tables;
  for (const Row& row : *rows) tables.push_back({row[0].value_or(""), "", row[1].value_or("")});
  return tables;
}

Result<std::vector<ColumnInfo>> MariaDbSession::columns(const TableId& table) {
  auto rows = query(std::string(kSelectColumns) + "TABLE_SCHEMA=" +
                    (table.catalog.empty() ? std::string("DATABASE()") : "'" + escaped(table.catalog) + "'") +
                    " AND TABLE_NAME='" + escaped(table.table) + "' ORDER BY ORDINAL_POSITION");
  if (!rows.ok()) return rows.status();
  std::vector<ColumnInfo> columns;
  for (const Row& row : *rows) columns.push_back(column_info(row));
  return columns;
}

Result<Session::ColumnsByTable> MariaDbSession::columns_of(std::span<const TableId> tables) {
  // The server looks one table up at once, but walks through the whole database for a list of them.
  constexpr size_t kFew = 8;
  if (tables.size() <= kFew) return Session::columns_of(tables);
  std::map<std::string, std::string> lists;  // by database
  for (const TableId& table : tables) {
    std::string& list = lists[table.catalog];
    list += (list.empty() ? "'" : ",'") + escaped(table.table) + "'";
  }
  ColumnsByTable found;
  for (const auto& [catalog, list] : lists) {
    auto rows = query(std::string(kSelectColumns) +
                      "TABLE_SCHEMA=" + (catalog.empty() ? std::string("DATABASE()") : "'" + escaped(catalog) + "'") +
                      " AND TABLE_NAME IN (" + list + ") ORDER BY TABLE_NAME, ORDINAL_POSITION");
    if (!rows.ok()) return rows.status();
    for (const Row& row : *rows) found[{catalog, "", row[0].value_or("")}].push_back(column_info(row));
  }
  return found;
}

std::string MariaDbSession::is_table(const TableId& table) const {
  return "TABLE_SCHEMA=" + (table.catalog.empty() ? std::string("DATABASE()") : "'" + escaped(table.catalog) + "'") +
         " AND TABLE_NAME='" + escaped(table.table) + "'";
}

Status MariaDbSession::check_transactional(const TableId& table) {
  auto engine = query(
      "SELECT ENGINE, TRANSACTIONS FROM information_schema.TABLES JOIN information_schema.ENGINES USING (ENGINE) "
      "WHERE " +
      is_table(table));
  if (!engine.ok()) return engine.status();
  if (engine->empty() || engine->front()[1] != "NO") return sdk::ok();
  const std::string name = (table.catalog.empty() ? "" : table.catalog + ".") + table.table;
  return {Code::kInvalidConfig,
          "table " + name + " has the engine " + engine->front()[0].value_or("") +
              ", which keeps rows whose transaction is undone, so they could come twice; run ALTER "
              "TABLE " +
              name + " ENGINE=InnoDB, or set millrace.exactly.once=false"};
}

Result<std::string> MariaDbSession::table_type(const TableId& table) {
  auto rows = query("SELECT TABLE_TYPE FROM information_schema.TABLES WHERE " + is_table(table));
  if (!rows.ok()) return rows.status();
  if (rows->empty()) return std::string();
  const std::string type = rows->at(0).at(0).value_or("");
  return type == "BASE TABLE" ? std::string("TABLE") : type;
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
