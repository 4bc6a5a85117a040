list(APPEND MARIADB_SOURCES types/collations.cc types/column_type.cc types/decimal_value.cc types/mask.cc types/temporal.cc
  types/text_decoder.cc types/value_options.cc)
