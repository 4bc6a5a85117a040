/// The table versions in use. Bounded: a few versions a table, and none of tables that are gone. Threads: the task's.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "connectors/mariadb/events/table_events.h"

namespace millrace::mariadb {

class TableCache {
 public:
  static constexpr size_t kVersions = 4;

  /// The version made of these two, or nullptr.
  TableEvents* find(const TableDefinition& definition, const TableMap* map);
  /// `table` takes the place of the oldest version if there are too many; that one goes with the next sweep().
  TableEvents* add(std::unique_ptr<TableEvents> table);
  /// All versions of a table go with the next sweep().
  void forget(const TableId& id);
  /// When no record that points into a version is pending any more.
  void sweep() { gone_.clear(); }

 private:
  using Versions = std::vector<std::unique_ptr<TableEvents>>;  // the one used last in front
  std::map<TableId, Versions> tables_;
  Versions gone_;
};

}  // namespace millrace::mariadb
