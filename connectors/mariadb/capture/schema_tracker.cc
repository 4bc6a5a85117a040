#include "connectors/mariadb/capture/schema_tracker.h"

#include "connectors/mariadb/schema/reconcile.h"

namespace millrace::mariadb {

Status SchemaTracker::read_server_settings() {
  auto session = session_();
  if (!session.ok()) return session.status();
  auto rows = (*session)->query("SELECT @@character_set_server, @@lower_case_table_names");
  if (!rows.ok()) return rows.status();
  registry_.set_server_charset(rows->at(0).at(0).value_or("utf8mb4"));
  registry_.set_case_insensitive(rows->at(0).at(1).value_or("0") != "0");
  auto databases = (*session)->query("SELECT SCHEMA_NAME, DEFAULT_CHARACTER_SET_NAME FROM information_schema.SCHEMATA");
  if (!databases.ok()) return databases.status();
  for (const auto& database : *databases)
    if (database.at(0) && database.at(1)) registry_.set_database_charset(*database.at(0), *database.at(1));
  return sdk::ok();
}

DdlResult SchemaTracker::apply(std::string_view database, std::string_view sql) {
  DdlResult result = registry_.apply(database, sql);
  if (result.unknown.empty()) return result;
  auto session = session_();
  for (const TableId& id : result.unknown) {
    Status read = session.ok() ? sdk::ok() : session.status();
    if (session.ok()) {
      auto definition = read_table(**session, id);
      if (definition.ok()) continue;
      read = definition.status();
    }
    warn_("the columns of " + id.full() +
          " after a statement that was not understood could not be read: " + read.message());
  }
  return result;
}

Result<const TableDefinition*> SchemaTracker::read_table(Connection& session, const TableId& id,
                                                         std::string* create_table) {
  auto rows = session.query("SHOW CREATE TABLE " + quoted(id.database) + "." + quoted(id.table));
  if (!rows.ok()) return rows.status();
  if (rows->empty() || rows->at(0).size() < 2 || !rows->at(0).at(1))
    return Status(Code::kNotFound, "no table " + id.full());
  if (create_table != nullptr) *create_table = *rows->at(0).at(1);
  auto definition = registry_.apply_create(id, *rows->at(0).at(1));
  if (!definition.ok()) return definition.status();
  return registry_.find(id);
}

Result<const TableDefinition*> SchemaTracker::definition_for(const TableMap& map) {
  const TableDefinition* known = registry_.find(map.table);
  std::string why = "it was not known";
  if (known != nullptr) {
    const Status agrees = reconcile(*known, map);
    if (agrees.ok()) return known;
    why = agrees.message();
  }
  auto session = session_();
  if (!session.ok()) return session.status();
  auto read = read_table(**session, map.table);
  if (read.ok()) {
    const Status agrees = reconcile(**read, map);
    if (agrees.ok()) return *read;
    why = agrees.message();
  } else if (read.status().code() == Code::kUnavailable) {
    return read.status();
  } else if (known == nullptr) {
    why = read.status().message();
  }
  if (map.has_names) {
    auto made = from_table_map(map);
    if (!made.ok()) return made.status();
    registry_.put(std::move(*made));
    return registry_.find(map.table);
  }
  return Status(
      Code::kInternal,
      "the columns of " + map.table.full() + " in the binlog do not fit what is known of the table: " + why +
          ". With SET GLOBAL binlog_row_metadata='FULL' every row event names its own columns; until the binlog "
          "has passed this place, set inconsistent.schema.handling.mode=warn to skip the rows");
}

}  // namespace millrace::mariadb
