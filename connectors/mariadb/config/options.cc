#include "connectors/mariadb/config/options.h"

#include <algorithm>
#include <vector>

#include "connectors/mariadb/config/option_tables.h"

namespace millrace::mariadb {
namespace {

using sdk::ConfigKey;

std::vector<ConfigKey> joined() {
  std::vector<ConfigKey> all;
  for (const auto part : {server_options(), connector_options(), history_options(), event_options()})
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

/// Where the MySQL connector differs.
std::vector<ConfigKey> for_mysql() {
  constexpr std::string_view kGroup = "MySQL";
  std::vector<ConfigKey> all = joined();
  int last = 0;
  auto after = all.begin();
  for (auto at = all.begin(); at != all.end(); ++at) {
    if (at->group == "MariaDB") {
      at->group = kGroup;
      last = std::max(last, at->order);
      after = at + 1;
    }
    if (at->name == "database.ssl.mode") {
      at->default_value = "preferred";
      at->documentation =
          "TLS to the server: disabled, preferred (if it can), required (any certificate), verify_ca, verify_identity "
          "(its name, too). MariaDB's words are understood as well.";
    } else if (at->name == "sourceinfo.struct.maker") {
      at->default_value = "io.debezium.connector.mysql.MySqlSourceInfoStructMaker";
    } else if (at->name == "schema.history.internal.store.only.captured.databases.ddl") {
      at->default_value = "true";
    }
  }
  const ConfigKey own[] = {
      {"database.jdbc.driver", sdk::Type::kClass, "com.mysql.cj.jdbc.Driver", sdk::Importance::kLow,
       "Accepted; no JDBC driver is used.", kGroup, last + 1, sdk::Width::kMedium, "JDBC Driver Class Name"},
      {"database.protocol", sdk::Type::kString, "jdbc:mysql", sdk::Importance::kLow,
       "Accepted; no JDBC driver is used.", kGroup, last + 2, sdk::Width::kMedium, "JDBC Protocol"},
      {"ddl.parser.type", sdk::Type::kString, "default", sdk::Importance::kLow,
       "Accepted; there is one reader of DDL statements.", kGroup, last + 3, sdk::Width::kShort, "DDL parser"},
  };
  all.insert(after, std::begin(own), std::end(own));
  return all;
}

}  // namespace

Dialect dialect_of(const sdk::Config& config) {
  const std::string name = config.string("connector.class");
  return name == kMySqlConnector || name.find("MySql") != std::string::npos ? Dialect::kMySql : Dialect::kMariaDb;
}

std::span<const ConfigKey> mariadb_options() {
  static const std::vector<ConfigKey> all = joined();
  return all;
}

std::span<const ConfigKey> mysql_options() {
  static const std::vector<ConfigKey> all = for_mysql();
  return all;
}

}  // namespace millrace::mariadb
