/// What a SchemaRegistry holds, and a statement's effect on it.
#pragma once

#include <map>

#include "connectors/mariadb/schema/ddl_cursor.h"
#include "connectors/mariadb/schema/schema_registry.h"

namespace millrace::mariadb {

struct RegistryState {
  std::map<TableId, TableDefinition> tables;  ///< by the folded name
  std::map<std::string, std::string, std::less<>> charsets;
  std::string server_charset;
  bool case_insensitive = false;

  std::string fold(std::string_view name) const { return case_insensitive ? to_lower(name) : std::string(name); }
  TableId key(const TableId& id) const { return {fold(id.database), fold(id.table)}; }

  TableDefinition* find(const TableId& id) {
    const auto at = tables.find(key(id));
    return at == tables.end() ? nullptr : &at->second;
  }
  void put(TableDefinition table) {
    TableId at = key(table.id);
    tables.insert_or_assign(std::move(at), std::move(table));
  }
  std::string charset(std::string_view database) const {
    const auto at = charsets.find(fold(database));
    return at == charsets.end() ? server_charset : at->second;
  }
};

/// `sql` without blanks around it.
DdlResult apply_statement(RegistryState& state, std::string_view database, std::string_view sql);

}  // namespace millrace::mariadb
