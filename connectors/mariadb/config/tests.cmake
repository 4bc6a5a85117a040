millrace_test(NAME mariadb_config
  SRCS config/check_config_test.cc config/config_golden_test.cc config/filters_test.cc config/server_checks_test.cc
  DEPS connector_mariadb_objects SYSTEM nlohmann_json::nlohmann_json OpenSSL::Crypto)
millrace_test(NAME mariadb_config_integration
  SRCS config/validate_integration_test.cc ${CMAKE_SOURCE_DIR}/tests/support/mariadb_server.cc
  DEPS connector_mariadb_objects SYSTEM PkgConfig::mariadb LABELS integration)
