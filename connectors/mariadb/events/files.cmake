list(APPEND MARIADB_SOURCES events/name_adjustment.cc events/topic_naming.cc events/key_columns.cc events/event_options.cc events/event_schemas.cc
  events/record_batch.cc events/source_block.cc events/table_events.cc events/table_cache.cc events/encoded_key.cc events/transaction_events.cc
  events/schema_change_events.cc events/side_events.cc events/event_writer.cc)
