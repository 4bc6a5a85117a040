list(APPEND MARIADB_SOURCES config/filters.cc)
