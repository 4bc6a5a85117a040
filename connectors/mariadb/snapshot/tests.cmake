millrace_test(NAME mariadb_snapshot_integration SRCS snapshot/snapshot_integration_test.cc
  ${CMAKE_SOURCE_DIR}/tests/support/mariadb_server.cc
  DEPS connector_mariadb_objects SYSTEM PkgConfig::mariadb LABELS integration)
