#include "connectors/jdbc/jdbc_url.h"

#include <algorithm>
#include <charconv>

namespace millrace::jdbc {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string percent_decode(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0) {
      out.push_back(static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2])));
      i += 2;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

Status invalid(std::string message) { return {Code::kInvalidConfig, std::move(message)}; }

/// "Oracle is not among the databases; " of schemes that people try.
std::string product(std::string_view scheme) {
  constexpr std::pair<std::string_view, std::string_view> kProducts[] = {{"oracle", "Oracle"},
                                                                         {"sqlserver", "SQL Server"},
                                                                         {"jtds", "SQL Server"},
                                                                         {"db2", "Db2"},
                                                                         {"h2", "H2"},
                                                                         {"derby", "Derby"},
                                                                         {"sap", "SAP HANA"},
                                                                         {"snowflake", "Snowflake"},
                                                                         {"redshift", "Redshift"},
                                                                         {"vertica", "Vertica"},
                                                                         {"sybase", "Sybase"}};
  for (const auto& [name, title] : kProducts) {
    if (name == scheme) return std::string(title) + " is not supported; ";
  }
  return "";
}

Result<uint16_t> parse_port(std::string_view text) {
  uint16_t port = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), port);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() || port == 0) {
    // What is no number may be a password whose host was forgotten.
    if (text.find_first_not_of("0123456789") != std::string_view::npos)
      return invalid("connection.url: the port is no number; use one from 1 to 65535");
    return invalid("connection.url: '" + std::string(text) + "' is not a port; use a number from 1 to 65535");
  }
  return port;
}

/// "host=h,port=p,…" or "host=h)(port=p" of a host in parentheses.
Status parse_host_properties(std::string_view text, JdbcUrl& url, HostAddress& address) {
  while (!text.empty()) {
    const size_t end = std::min(text.find_first_of(",()"), text.size());
    const std::string_view pair = trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    const size_t equals = pair.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string key = lower(trim(pair.substr(0, equals)));
    const std::string value = percent_decode(trim(pair.substr(equals + 1)));
    if (key == "host") address.host = value;
    if (key == "user") url.user = value;
    if (key == "password") url.password = value;
    if (key == "port") {
      auto port = parse_port(value);
      if (!port.ok()) return port.status();
      address.port = *port;
    }
  }
  return sdk::ok();
}

Status parse_host(std::string_view text, JdbcUrl& url) {
  HostAddress address{.port = url.default_port()};
  text = trim(text);
  if (text.starts_with('(') || lower(text.substr(0, 9)) == "address=(") {
    const size_t open = text.find('(');
    if (Status s = parse_host_properties(text.substr(open + 1), url, address); !s.ok()) return s;
    url.hosts.push_back(std::move(address));
    return sdk::ok();
  }
  std::string_view port;
  if (text.starts_with('[')) {
    const size_t close = text.find(']');
    if (close == std::string_view::npos) return invalid("connection.url: an IPv6 address lacks its closing ']'");
    address.host = text.substr(1, close - 1);
    text.remove_prefix(close + 1);
    if (text.starts_with(':')) port = text.substr(1);
  } else {
    const size_t colon = text.find(':');
    if (const auto host = text.substr(0, colon); !host.empty()) address.host = percent_decode(host);
    if (colon != std::string_view::npos) port = text.substr(colon + 1);
  }
  if (!port.empty()) {
    auto number = parse_port(port);
    if (!number.ok()) return number.status();
    address.port = *number;
  }
  url.hosts.push_back(std::move(address));
  return sdk::ok();
}

/// Splits at commas outside parentheses.
std::vector<std::string_view> split_hosts(std::string_view text) {
  std::vector<std::string_view> hosts;
  int depth = 0;
  size_t begin = 0;
  for (size_t i = 0; i <= text.size(); ++i) {
    if (i == text.size() || (text[i] == ',' && depth == 0)) {
      hosts.push_back(text.substr(begin, i - begin));
      begin = i + 1;
    } else if (text[i] == '(') {
      ++depth;
    } else if (text[i] == ')') {
      --depth;
    }
  }
  return hosts;
}

Status parse_authority(std::string_view authority, JdbcUrl& url) {
  if (const size_t at = authority.rfind('@'); at != std::string_view::npos && !authority.starts_with('(')) {
    const std::string_view login = authority.substr(0, at);
    const size_t colon = login.find(':');
    url.user = percent_decode(login.substr(0, colon));
    if (colon != std::string_view::npos) url.password = percent_decode(login.substr(colon + 1));
    authority.remove_prefix(at + 1);
  }
  for (const std::string_view host : split_hosts(authority)) {
    if (Status s = parse_host(host, url); !s.ok()) return s;
  }
  return sdk::ok();
}

Status misplaced_login() {
  return invalid(
      "connection.url: an '@' stands behind the hosts; in a user name or password '/' must be written as %2F, '?' as "
      "%3F and '#' as %23, and elsewhere '@' as %40");
}

/// Whether a '/', '?' or '#' of a login was taken for the end of the hosts: then parts of the password stand where
/// messages show them. `text`: all behind "//". An '@' in the value of a parameter is the value's, unless what follows
/// looks like "host/database" where the URL has none so far.
bool has_misplaced_login(std::string_view text, bool fragments) {
  const size_t hosts = text.find_first_of(fragments ? "/?#" : "/?");
  if (hosts == std::string_view::npos) return false;
  const size_t fragment = fragments ? text.find('#') : std::string_view::npos;
  const size_t question = text.find('?'), slash = text.find('/');
  for (size_t at = text.find('@', hosts); at != std::string_view::npos; at = text.find('@', at + 1)) {
    if (text.substr(0, at).find_first_of(":(") == std::string_view::npos) continue;  // no password
    if (at < question || at > fragment) return true;
    const size_t begin = text.find_last_of("?&", at) + 1;
    if (text.substr(begin, at - begin).find('=') == std::string_view::npos) return true;
    if (slash > question && text.find('/', at) < text.find('&', at)) return true;
  }
  return false;
}

void parse_parameters(std::string_view text, JdbcUrl& url) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('&'), text.size());
    const std::string_view pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (pair.empty()) continue;
    const size_t equals = std::min(pair.find('='), pair.size());
    url.parameters[lower(percent_decode(pair.substr(0, equals)))] =
        equals < pair.size() ? percent_decode(pair.substr(equals + 1)) : std::string();
  }
}

}  // namespace

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

std::string JdbcUrl::parameter(std::string_view key, std::string_view fallback) const {
  const auto at = parameters.find(std::string(key));
  return at == parameters.end() ? std::string(fallback) : at->second;
}

bool JdbcUrl::flag(std::string_view key, bool fallback) const {
  const std::string text = lower(parameter(key));
  if (text == "true" || text == "1" || text == "yes") return true;
  if (text == "false" || text == "0" || text == "no") return false;
  return fallback;
}

std::string JdbcUrl::host_port() const {
  if (hosts.empty()) return "localhost:" + std::to_string(default_port());
  const HostAddress& first = hosts.front();
  const bool v6 = first.host.find(':') != std::string::npos;
  return (v6 ? "[" + first.host + "]" : first.host) + ":" + std::to_string(first.port);
}

Result<JdbcUrl> parse_postgresql(std::string_view rest, JdbcUrl url) {
  if (rest.starts_with("//") && has_misplaced_login(rest.substr(2), false)) return misplaced_login();
  const size_t question = std::min(rest.find('?'), rest.size());
  std::string_view path = rest.substr(0, question);
  if (path.starts_with("//")) {
    const size_t slash = path.find('/', 2);
    if (slash == std::string_view::npos) {
      return invalid("connection.url: a '/' must follow the hosts; use jdbc:postgresql://host:port/database");
    }
    if (Status s = parse_authority(path.substr(2, slash - 2), url); !s.ok()) {
      return rest.find('@', slash) == std::string_view::npos ? s : misplaced_login();
    }
    path.remove_prefix(slash + 1);
  } else {
    path = path.substr(path.starts_with('/') ? 1 : 0);
    url.hosts.push_back({.port = url.default_port()});
  }
  url.database = percent_decode(path);
  if (question < rest.size()) parse_parameters(rest.substr(question + 1), url);
  if (url.parameters.contains("user")) url.user = url.parameters["user"];
  if (url.parameters.contains("password")) url.password = url.parameters["password"];
  return url;
}

Result<JdbcUrl> parse_sqlite(std::string_view rest, JdbcUrl url) {
  const size_t question = std::min(rest.find('?'), rest.size());
  std::string_view path = rest.substr(0, question);
  if (question < rest.size()) parse_parameters(rest.substr(question + 1), url);
  const bool uri = path.starts_with("file:");
  if (uri) path.remove_prefix(5);
  if (uri && path.starts_with("//"))
    path.remove_prefix(std::min(path.find('/', 2), path.size()));  // its host is this one
  if (path.empty() || path == ":memory:" || url.parameter("mode") == "memory") {
    return invalid(
        "connection.url: a SQLite database in memory is seen by one connection only, and each task has its own; name a "
        "file: jdbc:sqlite:/path/file.db");
  }
  if (path.starts_with(':')) return invalid("connection.url: only files are supported: jdbc:sqlite:/path/file.db");
  url.database = uri ? percent_decode(path) : std::string(path);
  return url;
}

Result<JdbcUrl> parse_jdbc_url(std::string_view text) {
  const size_t scheme_end = text.starts_with("jdbc:") ? text.find(':', 5) : std::string_view::npos;
  if (scheme_end == std::string_view::npos || scheme_end == 5) return invalid("Not a valid JDBC URL: " + redact(text));
  const std::string scheme = lower(text.substr(5, scheme_end - 5));
  JdbcUrl url;
  if (scheme == "mysql") {
    url.scheme = Scheme::kMySql;
  } else if (scheme == "mariadb") {
    url.scheme = Scheme::kMariaDb;
  } else if (scheme == "postgresql") {
    url.scheme = Scheme::kPostgreSql;
  } else if (scheme == "sqlite") {
    url.scheme = Scheme::kSqlite;
  } else {
    return invalid("No suitable driver found for " + redact(text) + "; " + product(scheme) +
                   "supported are MariaDB, MySQL, PostgreSQL and SQLite: jdbc:mariadb://host:port/database, "
                   "jdbc:mysql://…, jdbc:postgresql://…, jdbc:sqlite:/path/file.db");
  }
  std::string_view rest = text.substr(scheme_end + 1);
  if (url.scheme == Scheme::kPostgreSql) return parse_postgresql(rest, std::move(url));
  if (url.scheme == Scheme::kSqlite) return parse_sqlite(rest, std::move(url));
  const size_t slashes = rest.find("//");
  if (slashes == std::string_view::npos) {
    return invalid("connection.url: '" + redact(text) + "' has no //host part; use jdbc:" + scheme +
                   "://host:port/database");
  }
  rest.remove_prefix(slashes + 2);
  if (has_misplaced_login(rest, true)) return misplaced_login();
  rest = rest.substr(0, rest.find('#'));
  const size_t question = std::min(rest.find('?'), rest.size());
  const size_t slash = std::min(rest.find('/'), question);
  if (Status s = parse_authority(rest.substr(0, slash), url); !s.ok()) {
    // The digits that are no port may be the beginning of a password.
    return rest.find('@', slash) == std::string_view::npos ? s : misplaced_login();
  }
  if (slash < question) url.database = percent_decode(rest.substr(slash + 1, question - slash - 1));
  if (question < rest.size()) parse_parameters(rest.substr(question + 1), url);
  if (url.parameters.contains("user")) url.user = url.parameters["user"];
  if (url.parameters.contains("password")) url.password = url.parameters["password"];
  return url;
}

namespace {

/// The ':' of "//user:password…", which no port follows; npos where there is none.
size_t colon_without_port(std::string_view url) {
  const size_t slashes = url.find("//");
  if (slashes == std::string_view::npos) return slashes;
  const std::string_view hosts = url.substr(0, url.find_first_of("/?#;,(", slashes + 2));
  const size_t colon = hosts.find(':', hosts.find('[', slashes) == slashes + 2 ? hosts.find(']') : slashes);
  const bool other = colon != hosts.npos && hosts.find_first_not_of("0123456789", colon + 1) != hosts.npos;
  return other ? colon : hosts.npos;
}

/// The '@' that ends a login; npos without one. A password may itself hold '@', '/' or '?', so the last counts, but not
/// one in the value of a parameter that no host and database follow. Rather too much is hidden than too little.
size_t login_end(std::string_view url) {
  const size_t question = std::min(url.find('?'), url.size());
  const std::string_view front = url.substr(0, question);
  const bool open_login = front.find('@') == front.npos && colon_without_port(front) != front.npos;
  for (size_t at = url.rfind('@'); at != std::string_view::npos && at > question; at = url.rfind('@', at - 1)) {
    const size_t begin = url.find_last_of("?&", at) + 1;
    const bool in_value = url.substr(begin, at - begin).find('=') != std::string_view::npos;
    if (open_login || !in_value || url.find('/', at) != std::string_view::npos) return at;
  }
  return front.rfind('@');
}

/// Where the value that begins at `at` ends at the latest, by what stands before its name.
size_t value_end(std::string_view url, size_t at) {
  const size_t before = url.find_last_of("?&;,(", at - 1);
  const char mark = before == std::string_view::npos ? '\0' : url[before];
  const char end = mark == '?' || mark == '&' ? '&' : mark == ';' ? ';' : mark == '\0' ? '\0' : ')';
  return end == '\0' ? url.size() : std::min(url.find(end, at), url.size());
}

}  // namespace

std::string redact(std::string_view url) {
  std::string out(url);
  // user:password@, or user/password@ with some drivers.
  if (const size_t at = login_end(out); at != std::string::npos) {
    const size_t slashes = out.find("//");
    size_t cut = slashes < at ? std::min(out.find(':', slashes), at) : std::min(out.find('/'), at);
    if (slashes > at && cut == at)
      cut = std::min(out.find(':', out.starts_with("jdbc:") ? out.find(':', 5) + 1 : 0), at);
    out.replace(cut, at - cut, cut == at ? "" : ":****");
  } else if (const size_t colon = colon_without_port(out); colon != std::string::npos) {
    out.replace(colon, std::min(out.find_first_of("/?#;,(", colon), out.size()) - colon, ":****");
  }
  for (const std::string_view key : {"password=", "storepassword="}) {
    for (size_t at = 0; (at = lower(out).find(key, at)) != std::string::npos;) {
      at += key.size();
      out.replace(at, value_end(out, at) - at, "****");
    }
  }
  return out;
}

}  // namespace millrace::jdbc
