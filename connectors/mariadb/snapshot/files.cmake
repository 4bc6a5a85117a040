list(APPEND MARIADB_SOURCES snapshot/field_reader.cc snapshot/snapshot_options.cc snapshot/snapshot_plan.cc
  snapshot/snapshot_view.cc snapshot/table_key.cc)
