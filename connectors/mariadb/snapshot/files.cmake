list(APPEND MARIADB_SOURCES snapshot/cell_text.cc snapshot/chunk_source.cc snapshot/chunk_window.cc snapshot/field_reader.cc
  snapshot/incremental_snapshot.cc snapshot/incremental_state.cc snapshot/signal_file.cc snapshot/signals.cc snapshot/snapshot_options.cc snapshot/snapshot_plan.cc
  snapshot/batch_queue.cc snapshot/snapshot_ledger.cc snapshot/snapshot_reader.cc snapshot/snapshot_view.cc
  snapshot/table_key.cc snapshot/table_order.cc snapshot/table_reader.cc)
