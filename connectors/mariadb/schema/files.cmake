list(APPEND MARIADB_SOURCES
  schema/affected_tables.cc
  schema/alter_table.cc
  schema/apply_statement.cc
  schema/column_reader.cc
  schema/column_types.cc
  schema/ddl_cursor.cc
  schema/ddl_lexer.cc
  schema/ddl_reader.cc
  schema/history/history_json.cc
  schema/history/history_options.cc
  schema/history/history_record.cc
  schema/history/history_store.cc
  schema/reconcile.cc
  schema/schema_registry.cc
  schema/table_edit.cc
  schema/table_map_definition.cc
  schema/table_reader.cc)
