/// How a connection to MariaDB or MySQL comes about: TLS, time limits, the session's variables.
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "connectors/jdbc/mariadb_session.h"
#include "connectors/jdbc/sql_text.h"

namespace millrace::jdbc {
namespace {

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

}  // namespace

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

/// A duplicate: the library closes its own when a connection is lost, and then the number may be anyone's.
void MariaDbSession::hold_socket() {
  std::lock_guard lock(closing_);
  socket_ = fcntl(static_cast<int>(mysql_get_socket(handle_)), F_DUPFD_CLOEXEC, 0);
  keep_alive(socket_);
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
  if (Status s = execute("CREATE DATABASE IF NOT EXISTS " + enclosed(database, '`')); !s.ok()) return s;
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

}  // namespace millrace::jdbc
