#include "connectors/mariadb/schema/affected_tables.h"
#include "connectors/mariadb/schema/registry_state.h"
#include "connectors/mariadb/schema/table_edit.h"

namespace millrace::mariadb {
namespace {

std::string quoted(const TableId& id) { return "`" + id.database + "`.`" + id.table + "`"; }

/// A record without table changes.
SchemaChange plain(std::string database, std::string_view sql, bool blank) {
  SchemaChange change;
  change.database = std::move(database);
  change.ddl = sql;
  change.blank_source_table = blank;
  return change;
}

SchemaChange record_of(TableChange table, std::string_view sql) {
  SchemaChange change;
  change.database = table.id.database;
  change.ddl = sql;
  change.changes.push_back(std::move(table));
  return change;
}

/// Applies one statement to the registry's tables and gathers what comes of it.
struct Applying {
  RegistryState& registry;
  std::string_view database, sql;
  DdlResult result = {};

  using Kind = DdlResult::Kind;

  void operator()(const IgnoredStatement&) {}

  void operator()(const OtherStatement&) {
    result.kind = Kind::kOther;
    result.changes.push_back(plain(std::string(database), sql, true));
  }

  void operator()(const UseStatement& statement) {
    result.kind = Kind::kOther;
    result.changes.push_back(plain(statement.database, sql, false));
  }

  void operator()(const SetStatement& statement) {
    result.kind = Kind::kOther;
    if (statement.server_charset) registry.server_charset = *statement.server_charset;
    result.changes.push_back(plain("", sql, false));
  }

  void operator()(const RowStatement& statement) {
    result.kind = Kind::kRowStatement;
    result.tables = statement.ids;
  }

  void operator()(const TruncateTable& statement) {
    result.kind = Kind::kTruncate;
    result.tables = {known_name(statement.id)};
  }

  void operator()(const UnreadStatement& statement) {
    result.kind = Kind::kTables;
    result.tables = result.unknown = statement.ids;
    const std::string of = statement.ids.empty() ? std::string(database) : statement.ids.front().database;
    result.changes.push_back(plain(of, sql, true));
    for (const TableId& id : statement.ids) registry.tables.erase(registry.key(id));
  }

  void operator()(const DatabaseStatement& statement) {
    result.kind = Kind::kDatabase;
    const bool drop = statement.kind == DatabaseStatement::Kind::kDrop;
    const std::string name = registry.fold(statement.name);
    if (drop || statement.or_replace) {
      std::erase_if(registry.tables, [&](const auto& entry) { return entry.first.database == name; });
      registry.charsets.erase(name);
    }
    const bool create = statement.kind == DatabaseStatement::Kind::kCreate;
    // What CREATE makes did not exist before: a charset known of it, which may be the server's of today, is another's.
    if (create && !statement.if_not_exists) registry.charsets.erase(name);
    if (statement.charset && !(statement.if_not_exists && registry.charsets.contains(name)))
      registry.charsets.insert_or_assign(name, *statement.charset);
    else if (create && !registry.server_charset.empty())
      registry.charsets.try_emplace(name, registry.server_charset);
    result.changes.push_back(plain(statement.name, sql, statement.kind == DatabaseStatement::Kind::kAlter));
  }

  void operator()(const IndexStatement& statement) {
    result.kind = Kind::kTables;
    TableDefinition* table = registry.find(statement.id);
    result.tables = {known_name(statement.id)};
    if (table == nullptr)
      result.unknown = {statement.id};
    else
      add_key(statement.key, *table);
    result.changes.push_back(plain(statement.id.database, sql, true));
  }

  void operator()(const CreateTable& statement) {
    result.kind = Kind::kTables;
    result.tables = {statement.id};
    if (statement.if_not_exists && registry.find(statement.id) != nullptr) {
      result.changes.push_back(plain(statement.id.database, sql, true));
      return;
    }
    TableDefinition table;
    if (statement.like) {
      const TableDefinition* model = registry.find(*statement.like);
      if (model == nullptr) return lost(statement.id);
      table = *model;
      table.id = statement.id;
    } else {
      table = make_table(statement, registry.charset(statement.id.database));
    }
    registry.put(table);
    changed(TableChange::Type::kCreate, std::move(table));
  }

  void operator()(const AlterTable& statement) {
    result.kind = Kind::kTables;
    const TableDefinition* known = registry.find(statement.id);
    TableId renamed;
    for (const AlterAction& action : statement.actions)
      if (action.kind == AlterAction::Kind::kRenameTable) renamed = action.table;
    result.tables = {known_name(statement.id)};
    if (!renamed.table.empty()) result.tables.push_back(renamed);
    const TableId now = renamed.table.empty() ? result.tables.front() : renamed;
    if (known == nullptr) return lost(now);
    TableDefinition table = *known;
    registry.tables.erase(registry.key(statement.id));
    if (!alter_table(statement, registry.charset(statement.id.database), table)) return lost(now);
    table.id = now;
    registry.put(table);
    changed(TableChange::Type::kAlter, std::move(table));
  }

  void operator()(const RenameTable& statement) {
    result.kind = Kind::kTables;
    const std::string verb = statement.if_exists ? "RENAME TABLE IF EXISTS " : "RENAME TABLE ";
    for (const RenameTable::Pair& pair : statement.pairs) {
      const std::string text =
          statement.pairs.size() == 1 ? std::string(sql) : verb + pair.from_text + " TO " + pair.to_text;
      const TableId from = known_name(pair.from);
      result.tables.push_back(from);
      result.tables.push_back(pair.to);
      auto node = registry.tables.extract(registry.key(pair.from));
      if (node.empty()) {
        result.unknown.push_back(pair.to);
        result.changes.push_back(plain(pair.to.database, text, false));
        continue;
      }
      TableDefinition table = std::move(node.mapped());
      table.id = pair.to;
      registry.put(table);
      result.changes.push_back(record_of({TableChange::Type::kAlter, pair.to, from, std::move(table)}, text));
    }
    std::vector<TableId> names;
    for (const RenameTable::Pair& pair : statement.pairs) names.push_back(pair.to);
    name_all(names);
  }

  void operator()(const DropTable& statement) {
    result.kind = Kind::kTables;
    for (const TableId& id : statement.ids) {
      const TableId name = known_name(id);
      registry.tables.erase(registry.key(id));
      const std::string text = std::string("DROP TABLE ") + (statement.if_exists ? "IF EXISTS " : "") + quoted(name);
      result.changes.push_back(record_of({TableChange::Type::kDrop, name, {}, {}}, text));
      result.tables.push_back(name);
    }
    name_all(result.tables);
  }

 private:
  /// As the registry writes it, where names are compared without case.
  TableId known_name(const TableId& id) const {
    const TableDefinition* table = registry.find(id);
    return table == nullptr ? id : table->id;
  }

  void lost(const TableId& id) {
    registry.tables.erase(registry.key(id));
    result.unknown = {id};
    result.changes.push_back(plain(id.database, sql, true));
  }

  void changed(TableChange::Type type, TableDefinition table) {
    TableChange change;
    change.type = type;
    change.id = table.id;
    change.table = std::move(table);
    result.changes.push_back(record_of(std::move(change), sql));
    name_all({result.changes.back().changes.front().id});
  }

  void name_all(const std::vector<TableId>& ids) {
    const std::string names = affected_tables(ids);
    for (SchemaChange& change : result.changes) change.source_table = names;
  }
};

}  // namespace

DdlResult apply_statement(RegistryState& state, std::string_view database, std::string_view sql) {
  Applying applying{state, database, sql};
  std::visit(applying, read_statement(database, sql));
  return std::move(applying.result);
}

}  // namespace millrace::mariadb
