list(APPEND MARIADB_SOURCES config/filters.cc config/options.cc config/options_server.cc config/options_connector.cc config/options_history.cc
  config/options_events.cc config/value_rules.cc config/check_config.cc config/java_settings.cc config/connection_settings.cc
  config/tls_stores.cc config/server_checks.cc config/grant_checks.cc config/table_checks.cc config/validate.cc)
