/// JDBC connection URLs as people already have them in their connector JSON, and what they mean for a native client.
///
///   jdbc:mysql:[replication:|loadbalance:]//[user[:pw]@]host[:port][,host…]/[database][?k=v[&k=v]…]
///   jdbc:mariadb:[replication:|failover:|loadbalance:|aurora:]//…  (the same)
///   jdbc:postgresql:[//host[:port][,host[:port]…]/][database][?k=v[&k=v]…]    database = user name when there is none
///   jdbc:sqlite:path[?k=v[&k=v]…]    database = the path, also of file:path
/// PostgreSQL's host may be the percent-encoded folder of a Unix socket. A host of the others may be [ipv6],
/// (host=h,port=p,user=u,password=x) or address=(host=h)(port=p).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/common/result.h"

namespace millrace::jdbc {

using connectors::Code;
using connectors::Result;
using connectors::Status;

/// The URL scheme also decides how some column types appear, because it used to pick the driver.
enum class Scheme { kMySql, kMariaDb, kPostgreSql, kSqlite };

struct HostAddress {
  std::string host = "localhost";
  uint16_t port = 3306;
};

struct JdbcUrl {
  Scheme scheme = Scheme::kMariaDb;
  std::vector<HostAddress> hosts;
  std::string database;
  std::string user, password;                     ///< empty when the URL has none
  std::map<std::string, std::string> parameters;  ///< keys in lower case, values percent-decoded

  /// A parameter, or `fallback`. `key` in lower case.
  std::string parameter(std::string_view key, std::string_view fallback = "") const;
  bool flag(std::string_view key, bool fallback) const;
  uint16_t default_port() const { return scheme == Scheme::kPostgreSql ? 5432 : 3306; }
  /// Where URL and connection.* settings differ, pgjdbc takes the URL and the other drivers the settings.
  bool wins_over_settings() const { return scheme == Scheme::kPostgreSql; }
  /// "host:port" of the first host, for messages.
  std::string host_port() const;
};

/// Errors: kInvalidConfig with a message that names no password.
Result<JdbcUrl> parse_jdbc_url(std::string_view url);

/// `url` with every password replaced by ****; safe to log.
std::string redact(std::string_view url);

/// `text` in lower-case ASCII.
std::string lower(std::string_view text);

}  // namespace millrace::jdbc
