millrace_test(NAME mariadb_snapshot SRCS snapshot/snapshot_test.cc snapshot/incremental_snapshot_test.cc
  DEPS connector_mariadb_objects SYSTEM PkgConfig::mariadb nlohmann_json::nlohmann_json)
millrace_test(NAME mariadb_snapshot_integration SRCS snapshot/snapshot_integration_test.cc
  snapshot/incremental_integration_test.cc ${CMAKE_SOURCE_DIR}/tests/support/mariadb_server.cc
  DEPS connector_mariadb_objects SYSTEM PkgConfig::mariadb nlohmann_json::nlohmann_json LABELS integration)
