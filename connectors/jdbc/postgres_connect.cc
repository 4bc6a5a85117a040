/// From a JDBC URL to a libpq connection: pgjdbc's parameters in libpq's words, several hosts, time limits.
#include <poll.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <fstream>
#include <random>

#include "connectors/jdbc/postgres_session.h"

namespace millrace::jdbc {
namespace {

using Clock = std::chrono::steady_clock;

/// Names and values as PQconnectStartParams wants them.
struct Keywords {
  std::vector<std::pair<std::string, std::string>> pairs;
  void add(std::string key, std::string value) { pairs.emplace_back(std::move(key), std::move(value)); }
  void add_given(const JdbcUrl& url, std::string_view parameter, std::string key) {
    if (std::string value = url.parameter(parameter); !value.empty()) add(std::move(key), std::move(value));
  }
};

int64_t number_of(const JdbcUrl& url, std::string_view key, int64_t fallback) {
  const std::string text = url.parameter(key);
  int64_t number = fallback;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

Status check_key_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string head(10, '\0');
  file.read(head.data(), 10);
  if (!file.good() || head == "-----BEGIN") return sdk::ok();  // a missing file is libpq's to report
  return {Code::kInvalidConfig, "connection.url: sslkey '" + path +
                                    "' is no PEM file; convert it: openssl pkcs8 -inform DER -in key.pk8 -out key.pem"};
}

Status add_tls(const JdbcUrl& url, Keywords& keywords) {
  const bool trusting = url.parameter("sslfactory").ends_with("NonValidatingFactory");
  // "ssl" without a value counts as true.
  const bool ssl = url.parameters.contains("ssl") && lower(url.parameter("ssl")) != "false";
  std::string mode = lower(url.parameter("sslmode"));
  if (mode.empty() && ssl) mode = "verify-full";
  if (trusting && (ssl || mode.starts_with("verify"))) mode = "require";
  if (mode.empty()) mode = "prefer";
  constexpr std::string_view kModes[] = {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"};
  if (std::find(std::begin(kModes), std::end(kModes), mode) == std::end(kModes)) {
    return {Code::kInvalidConfig, "connection.url: sslmode '" + mode +
                                      "' is unknown; use disable, allow, prefer, require, verify-ca or verify-full"};
  }
  keywords.add("sslmode", mode);
  const std::string key = url.parameter("sslkey");
  for (const std::string& file : {url.parameter("sslrootcert"), url.parameter("sslcert"), key}) {
    const std::string name = lower(file);
    if (name.ends_with(".jks") || name.ends_with(".p12") || name.ends_with(".pfx")) {
      return {Code::kInvalidConfig, "connection.url: key stores (.jks, .p12) cannot be read; convert '" + file +
                                        "' to PEM and name the files in sslrootcert, sslcert and sslkey"};
    }
  }
  if (!key.empty()) {
    if (Status s = check_key_file(key); !s.ok()) return s;
  }
  for (const char* name : {"sslrootcert", "sslcert", "sslkey", "sslpassword"}) keywords.add_given(url, name, name);
  keywords.add_given(url, "channelbinding", "channel_binding");
  const std::string encryption = lower(url.parameter("gssencmode"));
  // pgjdbc's default would try Kerberos first where a ticket lies about; nobody who did not ask for it wants that.
  keywords.add("gssencmode", encryption.empty() || encryption == "allow" ? "disable" : encryption);
  return sdk::ok();
}

/// What a host must be, in the order of wishes.
Result<std::vector<std::string>> roles_of(const JdbcUrl& url) {
  const std::string type = lower(url.parameter("targetservertype", "any"));
  if (type == "any") return std::vector<std::string>{"any"};
  if (type == "primary" || type == "master") return std::vector<std::string>{"primary"};
  if (type == "secondary" || type == "slave") return std::vector<std::string>{"standby"};
  if (type == "preferprimary") return std::vector<std::string>{"primary", "any"};
  if (type == "prefersecondary" || type == "preferslave") return std::vector<std::string>{"standby", "any"};
  return Status(Code::kInvalidConfig, "connection.url: targetServerType '" + type +
                                          "' is unknown; use any, primary, secondary, preferPrimary or "
                                          "preferSecondary");
}

/// The server's own words and SQLSTATE of a failed connection. libpq keeps no state of it, but writes it into verbose
/// texts: "connection to server at … failed: FATAL:  28P01: password authentication …\nLOCATION:  …".
DatabaseError complaint(std::string_view text) {
  DatabaseError error;
  text = text.substr(0, text.find("\nLOCATION:"));
  while (text.ends_with('\n')) text.remove_suffix(1);
  error.text = text;
  for (size_t at = text.find(":  "); at != std::string_view::npos; at = text.find(":  ", at + 1)) {
    const std::string_view state = text.substr(at + 3, 5);
    const bool is_state = state.size() == 5 && text.substr(at + 8, 2) == ": " &&
                          std::all_of(state.begin(), state.end(),
                                      [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); });
    if (!is_state) continue;
    error.sqlstate = state;
    const size_t severity = text.rfind(' ', at);
    error.text = std::string(text.substr(severity == std::string_view::npos ? 0 : severity + 1,
                                         at - (severity == std::string_view::npos ? 0 : severity + 1))) +
                 ": " + std::string(text.substr(at + 10));
    break;
  }
  if (error.sqlstate.empty()) error.sqlstate = "08001";  // what JDBC says of a host that does not answer
  return error;
}

Status wait_for_connection(PGconn* connection, int64_t timeout_ms) {
  const auto deadline = Clock::now() + std::chrono::milliseconds(timeout_ms);
  for (PostgresPollingStatusType next = PGRES_POLLING_WRITING; next != PGRES_POLLING_OK;
       next = PQconnectPoll(connection)) {
    if (next == PGRES_POLLING_FAILED) return {Code::kUnavailable, ""};
    pollfd socket{PQsocket(connection), static_cast<short>(next == PGRES_POLLING_READING ? POLLIN : POLLOUT), 0};
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0 || (poll(&socket, 1, static_cast<int>(left)) == 0)) {
      return {Code::kUnavailable, "no answer within " + std::to_string(timeout_ms / 1000) + " seconds"};
    }
  }
  return sdk::ok();
}

/// TLS problems come without a SQLSTATE, and waiting does not heal them; a connection cut off while TLS begins may.
bool about_certificates(std::string_view text) {
  for (const std::string_view word : {"certificate", "does not support SSL", "private key file"}) {
    if (text.find(word) != std::string_view::npos) return true;
  }
  return false;
}

std::string advice(std::string_view sqlstate, bool certificates) {
  if (certificates)
    return "; check sslmode and sslrootcert in connection.url: the file must hold the authority that signed the "
           "server's certificate, and with verify-full the certificate must name the host; where the server asks for a "
           "certificate of the client, sslcert and sslkey name it";
  if (sqlstate.starts_with("28")) return "; check connection.user, connection.password and the server's pg_hba.conf";
  if (sqlstate == "3D000") return "; create the database or correct its name in connection.url";
  if (sqlstate.starts_with("08"))
    return "; check that the server runs and that host and port in connection.url are right";
  return "";
}

Result<PgConnection> connect_host(const ConnectionSettings& settings, const HostAddress& host, const std::string& role,
                                  Keywords keywords, DatabaseError& error) {
  keywords.add("host", host.host);
  keywords.add("port", std::to_string(host.port));
  keywords.add("target_session_attrs", role);
  std::vector<const char*> names, values;
  for (const auto& [name, value] : keywords.pairs) {
    names.push_back(name.c_str());
    values.push_back(value.c_str());
  }
  names.push_back(nullptr);
  values.push_back(nullptr);
  PgConnection connection(PQconnectStartParams(names.data(), values.data(), 0));
  if (connection == nullptr) return Status(Code::kInternal, "no memory for a connection");
  PQsetErrorVerbosity(connection.get(), PQERRORS_VERBOSE);
  const int64_t seconds = std::max<int64_t>(number_of(settings.url, "connecttimeout", settings.connect_timeout_s), 1);
  Status status =
      PQstatus(connection.get()) == CONNECTION_BAD
          ? Status(Code::kUnavailable, "")
          : wait_for_connection(connection.get(), std::min<int64_t>(seconds, settings.connect_timeout_s) * 1000);
  if (status.ok()) {
    PQsetErrorVerbosity(connection.get(), PQERRORS_DEFAULT);
    return connection;
  }
  error = complaint(status.message().empty() ? PQerrorMessage(connection.get()) : status.message());
  // Without a SQLSTATE libpq itself refused: an unreadable certificate, a wrong role, no such host.
  const bool certificates = about_certificates(error.text);
  const bool passes = !certificates && classify_sqlstate(error.sqlstate) == Code::kUnavailable;
  return Status(passes ? Code::kUnavailable : Code::kInvalidConfig, error.text + " (server " + settings.where() +
                                                                        ", SQLSTATE " + error.sqlstate + ")" +
                                                                        advice(error.sqlstate, certificates));
}

}  // namespace

Result<PgConnection> connect_postgres(const ConnectionSettings& settings, DatabaseError& error) {
  const JdbcUrl& url = settings.url;
  Keywords keywords;
  keywords.add("user", settings.user);
  keywords.add("password", settings.password);
  keywords.add("dbname", url.database.empty() ? settings.user : url.database);
  keywords.add("client_encoding", "UTF8");
  keywords.add("application_name", url.parameter("applicationname", "millrace"));
  keywords.add_given(url, "options", "options");
  keywords.add("keepalives", url.parameters.contains("tcpkeepalive") && !url.flag("tcpkeepalive", true) ? "0" : "1");
  keywords.add("keepalives_idle", "60");
  const int64_t read_timeout_s = number_of(url, "sockettimeout", 0);
  keywords.add("tcp_user_timeout", std::to_string(read_timeout_s > 0 ? read_timeout_s * 1000 : 60'000));
  if (Status s = add_tls(url, keywords); !s.ok()) return s;
  auto roles = roles_of(url);
  if (!roles.ok()) return roles.status();

  std::vector<HostAddress> hosts = url.hosts;
  if (url.flag("loadbalancehosts", false)) {
    std::random_device seed;
    std::shuffle(hosts.begin(), hosts.end(), std::minstd_rand(seed()));
  }
  Status last(Code::kInvalidConfig, "connection.url names no host");
  for (const std::string& role : *roles) {
    for (const HostAddress& host : hosts) {
      auto connection = connect_host(settings, host, role, keywords, error);
      if (connection.ok()) return connection;
      last = connection.status();
      if (last.code() != Code::kUnavailable) return last;
    }
  }
  return last;
}

}  // namespace millrace::jdbc
