millrace_test(NAME mariadb_kafka SRCS kafka/client_settings_test.cc kafka/topic_io_test.cc
  DEPS connector_mariadb_objects SYSTEM PkgConfig::rdkafka)
