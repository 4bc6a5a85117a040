/// Debezium's lists of regular expressions: separated by commas (`\,` is a comma), each matches a whole name, in any
/// case. Threads: immutable, any.
#pragma once

#include <millrace/connector.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/common/result.h"
#include "connectors/mariadb/table_id.h"

namespace millrace::mariadb {

class RegexList {
 public:
  RegexList() = default;
  /// kInvalidConfig names the key and the faulty expression.
  static connectors::Result<RegexList> parse(std::string_view key, std::string_view text);
  bool empty() const;
  bool matches(std::string_view name) const;
  /// The index of the first expression that matches, or -1.
  int first_match(std::string_view name) const;

 private:
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

/// database/table include and exclude lists, table.ignore.builtin and the signal table. Answers are not cached.
class TableFilter {
 public:
  static connectors::Result<TableFilter> parse(const sdk::Config& config);
  bool captures(const TableId& table) const;
  bool captures_database(std::string_view database) const;

 private:
  RegexList databases_include_, databases_exclude_, tables_include_, tables_exclude_;
  bool ignore_builtin_ = true;
  std::string signal_table_;
};

/// column.include.list and column.exclude.list, matched as db.table.column.
class ColumnFilter {
 public:
  static connectors::Result<ColumnFilter> parse(const sdk::Config& config);
  bool includes(const TableId& table, std::string_view column) const;

 private:
  RegexList include_, exclude_;
};

}  // namespace millrace::mariadb
