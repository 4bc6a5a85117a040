list(APPEND MARIADB_SOURCES
  kafka/client_settings.cc
  kafka/topic_reader.cc
  kafka/topic_writer.cc)
