list(APPEND MARIADB_SOURCES config/filters.cc config/options.cc config/options_server.cc config/options_connector.cc config/options_history.cc
  config/options_events.cc config/value_rules.cc config/check_config.cc config/java_settings.cc)
