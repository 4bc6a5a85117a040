/// What the connector knows of tables at its place in the binlog: the registry kept by DDL, refreshed from the server
/// where a statement said too little, written to the schema history when one is configured. Threads: the task's.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "connectors/mariadb/binlog/table_map.h"
#include "connectors/mariadb/schema/schema_registry.h"
#include "connectors/mariadb/sql/connection.h"

namespace millrace::mariadb {

class SchemaTracker {
 public:
  using Session = std::function<Result<Connection*>()>;  ///< a connection for information_schema, opened when needed
  using Log = std::function<void(std::string_view)>;     ///< for warnings
  SchemaTracker(Session session, Log warn) : session_(std::move(session)), warn_(std::move(warn)) {}

  SchemaRegistry& registry() { return registry_; }
  /// Character sets of the server and its databases, lower_case_table_names. Before a history is recovered: it says
  /// what was otherwise, but may know nothing of a database.
  Status read_server_settings();
  /// Applies a statement of the stream; tables it could not derive are read from the server as they are now.
  DdlResult apply(std::string_view database, std::string_view sql);
  /// The definition that fits this table map: the one known, else the server's, else one made of the map alone (with
  /// FULL metadata). kInternal when none fits, naming what differs and the SET GLOBAL that makes it possible.
  Result<const TableDefinition*> definition_for(const TableMap& map);
  /// SHOW CREATE TABLE, into the registry; the statement's text too when wanted.
  Result<const TableDefinition*> read_table(Connection& session, const TableId& id,
                                            std::string* create_table = nullptr);

 private:
  Session session_;
  Log warn_;
  SchemaRegistry registry_;
};

}  // namespace millrace::mariadb
