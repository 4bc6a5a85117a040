millrace_test(NAME mariadb_types
  SRCS types/column_plan_test.cc types/value_rules_test.cc types/values_test.cc types/golden_schemas_test.cc
  DEPS connector_mariadb_objects SYSTEM nlohmann_json::nlohmann_json)
