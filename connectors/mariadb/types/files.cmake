list(APPEND MARIADB_SOURCES types/collations.cc types/column_plan.cc types/column_type.cc types/converters.cc types/decimal_value.cc
  types/literals.cc types/mask.cc types/plan_number.cc types/plan_spatial.cc types/plan_structured.cc types/plan_temporal.cc
  types/plan_text.cc types/temporal.cc types/text_decoder.cc types/value_options.cc)
