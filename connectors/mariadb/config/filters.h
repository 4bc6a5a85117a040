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
  /// Blank elements do not count. kInvalidConfig names the key and the faulty expression.
  static connectors::Result<RegexList> parse(std::string_view key, std::string_view text);
  /// `elements` are taken whole, commas and all.
  static connectors::Result<RegexList> of(std::string_view key, const std::vector<std::string>& elements);
  bool empty() const;
  bool matches(std::string_view name) const;
  /// The index of the first expression that matches, or -1. Blank elements are not counted.
  int first_match(std::string_view name) const;

 private:
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

/// The elements of such a list, trimmed, `\,` made a comma, blank ones left out.
std::vector<std::string> split_regex_list(std::string_view text);

/// What is wrong with an expression, in words that quote it; empty = nothing. Java's features that RE2 lacks are
/// faults.
std::string regex_fault(const std::string& expression);

/// mysql, information_schema, performance_schema, sys, in any case.
bool is_builtin_database(std::string_view database);

/// database/table include and exclude lists, table.ignore.builtin and the signal tables. Answers are not cached.
class TableFilter {
 public:
  static connectors::Result<TableFilter> parse(const sdk::Config& config);
  bool captures(const TableId& table) const;
  bool captures_database(std::string_view database) const;
  /// Position in table.include.list of the first expression that matches; 0 without a list.
  int include_rank(const TableId& table) const;
  /// Named in signal.data.collection; such a table is captured whatever the lists say.
  bool is_signal_table(const TableId& table) const;

 private:
  bool database_listed(std::string_view database) const;

  RegexList databases_include_, databases_exclude_, tables_include_, tables_exclude_;
  bool ignore_builtin_ = true;
  std::vector<TableId> signal_tables_;
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
