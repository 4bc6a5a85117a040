millrace_test(NAME mariadb_config SRCS config/filters_test.cc DEPS connector_mariadb_objects SYSTEM nlohmann_json::nlohmann_json)
