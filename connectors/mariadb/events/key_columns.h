/// Which columns make the key of a table's records: message.key.columns, else the primary key or what stands in its
/// place. Threads: immutable, any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "connectors/common/result.h"
#include "connectors/mariadb/config/filters.h"
#include "connectors/mariadb/schema/table_definition.h"

namespace millrace::mariadb {

class KeyColumns {
 public:
  /// "db.table:c1,c2;(.*).t2:c3": tables and columns are regular expressions. kInvalidConfig says what is wrong.
  static connectors::Result<KeyColumns> parse(std::string_view text);

  /// Positions in definition.columns, in the key's order; empty = the table has no key.
  std::vector<size_t> of(const TableDefinition& definition) const;

 private:
  struct Entry {
    RegexList table;
    std::vector<RegexList> columns;
  };
  std::vector<Entry> entries_;
};

}  // namespace millrace::mariadb
