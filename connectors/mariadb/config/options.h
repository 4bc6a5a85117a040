/// The option tables of the MariaDB and the MySQL connector: names, types, defaults and order are Debezium's. The rules
/// for values stand in check_config.h, so that all mistakes of a configuration are told at once and in Debezium's
/// words.
#pragma once

#include <millrace/connector.hpp>

#include <span>
#include <string_view>

namespace millrace::mariadb {

inline constexpr std::string_view kMariaDbConnector = "io.debezium.connector.mariadb.MariaDbConnector";
inline constexpr std::string_view kMySqlConnector = "io.debezium.connector.mysql.MySqlConnector";

enum class Dialect { kMariaDb, kMySql };
/// By connector.class.
Dialect dialect_of(const sdk::Config& config);

/// They live as long as the library.
std::span<const sdk::ConfigKey> mariadb_options();
std::span<const sdk::ConfigKey> mysql_options();
inline std::span<const sdk::ConfigKey> options_of(Dialect dialect) {
  return dialect == Dialect::kMySql ? mysql_options() : mariadb_options();
}

}  // namespace millrace::mariadb
