list(APPEND MARIADB_SOURCES binlog/column_value.cc binlog/compression.cc binlog/crc32.cc binlog/decimal_value.cc binlog/event.cc binlog/gtid.cc
  binlog/rows.cc binlog/table_map.cc binlog/temporal_value.cc)
