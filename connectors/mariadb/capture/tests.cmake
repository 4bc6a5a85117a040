millrace_test(NAME mariadb_capture SRCS capture/new_tables_test.cc capture/offset_test.cc DEPS connector_mariadb_objects)
millrace_test(NAME mariadb_capture_integration SRCS capture/capture_integration_test.cc ${CMAKE_SOURCE_DIR}/tests/support/mariadb_server.cc
  DEPS connector_mariadb_objects SYSTEM PkgConfig::mariadb nlohmann_json::nlohmann_json LABELS integration)
