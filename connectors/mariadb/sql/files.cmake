list(APPEND MARIADB_SOURCES sql/connection.cc sql/sql_error.cc)
