millrace_test(NAME mariadb_events SRCS events/names_test.cc events/event_writer_test.cc events/golden_events_test.cc events/golden_replay_test.cc
  DEPS connector_mariadb_objects SYSTEM nlohmann_json::nlohmann_json)
