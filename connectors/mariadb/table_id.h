/// Names a table. Order and equality are by the exact bytes of both names.
#pragma once

#include <compare>
#include <string>

namespace millrace::mariadb {

struct TableId {
  std::string database, table;
  auto operator<=>(const TableId&) const = default;
  /// "db.table", the form that filters match and topics carry.
  std::string full() const { return database + "." + table; }
};

}  // namespace millrace::mariadb
