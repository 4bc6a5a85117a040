list(APPEND MARIADB_SOURCES capture/blocking_snapshot.cc capture/capture_config.cc capture/history_writer.cc capture/incremental_capture.cc capture/initial_snapshot.cc capture/mariadb_connector.cc
  capture/mariadb_task.cc capture/new_tables.cc capture/offset.cc capture/schema_tracker.cc capture/streaming.cc capture/streaming_rows.cc
  capture/streaming_statements.cc capture/streaming_xa.cc)
