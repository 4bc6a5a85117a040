# Apache Kafka's transformations and predicates.
set(MILLRACE_KAFKA_TRANSFORMS
  big_decimal.cc cast.cc cast_value.cc extract_field.cc field_path.cc filter.cc flatten.cc header_from.cc headers.cc
  hoist_field.cc insert_field.cc java_calendar.cc java_date_format.cc java_date_reader.cc java_regex.cc
  kafka_transforms.cc mask_field.cc operand.cc options.cc predicates.cc regex_router.cc replace_field.cc
  set_schema_metadata.cc struct_plan.cc timestamp_converter.cc timestamp_router.cc timestamp_value.cc value_to_key.cc)
