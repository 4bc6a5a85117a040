millrace_test(NAME mariadb_schema
  SRCS schema/ddl_lexer_test.cc schema/history/history_store_test.cc schema/reconcile_test.cc schema/schema_golden_test.cc schema/schema_registry_test.cc
  DEPS connector_mariadb_objects SYSTEM nlohmann_json::nlohmann_json)
