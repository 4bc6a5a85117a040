#include "connectors/mariadb/events/table_cache.h"

#include <algorithm>
#include <iterator>

namespace millrace::mariadb {

TableEvents* TableCache::find(const TableDefinition& definition, const TableMap* map) {
  const auto table = tables_.find(definition.id);
  if (table == tables_.end()) return nullptr;
  Versions& versions = table->second;
  for (size_t i = 0; i < versions.size(); ++i) {
    if (!versions[i]->made_of(definition, map)) continue;
    std::rotate(versions.begin(), versions.begin() + static_cast<ptrdiff_t>(i),
                versions.begin() + static_cast<ptrdiff_t>(i) + 1);
    return versions.front().get();
  }
  return nullptr;
}

TableEvents* TableCache::add(std::unique_ptr<TableEvents> table) {
  Versions& versions = tables_[table->id()];
  versions.insert(versions.begin(), std::move(table));
  if (versions.size() > kVersions) {
    gone_.push_back(std::move(versions.back()));
    versions.pop_back();
  }
  return versions.front().get();
}

void TableCache::forget(const TableId& id) {
  const auto table = tables_.find(id);
  if (table == tables_.end()) return;
  std::move(table->second.begin(), table->second.end(), std::back_inserter(gone_));
  tables_.erase(table);
}

}  // namespace millrace::mariadb
