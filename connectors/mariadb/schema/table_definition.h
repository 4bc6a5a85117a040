/// What is known of a table's columns at one point of the binlog: the form that Debezium's schema history and schema
/// change topic carry, kept current from SHOW CREATE TABLE and from the DDL in the binlog. It says what types a column
/// was declared with; how its bytes lie in a row event is said by the event's own table map (binlog/table_map.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "connectors/mariadb/table_id.h"

namespace millrace::mariadb {

struct ColumnDefinition {
  std::string name;
  int32_t jdbc_type = 0;                 ///< java.sql.Types, as Debezium reports it
  std::string type_name;                 ///< upper case with modifiers: "BIGINT UNSIGNED", "ENUM"
  std::string type_expression;           ///< as Debezium's typeExpression
  std::optional<std::string> charset;    ///< "utf8mb4"; for character types, ENUM and SET
  std::optional<int32_t> length, scale;  ///< display width, characters, precision; fsp of temporal types
  int32_t position = 0;                  ///< from 1
  bool optional = true;
  bool auto_incremented = false;
  bool generated = false;
  /// Debezium's hasDefaultValue. Without a default_expression: NULL, or (always so when not optional) an expression
  /// that only the server can work out.
  bool has_default = false;
  /// Debezium's defaultValueExpression, unescaped: the text of a literal ("1.50", "FALSE", the digits of b'101'),
  /// "1970-01-01 00:00:00" for CURRENT_TIMESTAMP, and the likes of "curdate()" as written.
  std::optional<std::string> default_expression;
  std::vector<std::string> enum_values;  ///< labels of ENUM and SET, unescaped and unquoted, UTF-8
  std::optional<std::string> comment;
  bool operator==(const ColumnDefinition&) const = default;
};

struct TableDefinition {
  TableId id;
  std::optional<std::string> default_charset;
  /// Key columns as Debezium sees them: the primary key, else what it takes in its place (see golden case 110).
  std::vector<std::string> primary_key;
  std::vector<ColumnDefinition> columns;
  std::optional<std::string> comment;

  const ColumnDefinition* find(std::string_view name) const {
    for (const ColumnDefinition& column : columns)
      if (column.name == name) return &column;
    return nullptr;
  }
  bool operator==(const TableDefinition&) const = default;
};

}  // namespace millrace::mariadb
