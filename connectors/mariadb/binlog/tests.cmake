millrace_test(NAME mariadb_binlog SRCS binlog/event_test.cc binlog/hostile_server_test.cc binlog/rows_test.cc binlog/stream_test.cc DEPS connector_mariadb_objects)
millrace_test(NAME mariadb_binlog_integration SRCS binlog/binlog_integration_test.cc ${CMAKE_SOURCE_DIR}/tests/support/mariadb_server.cc
  DEPS connector_mariadb_objects SYSTEM PkgConfig::mariadb LABELS integration)
