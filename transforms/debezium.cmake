# Debezium's transformations.
set(MILLRACE_DEBEZIUM_TRANSFORMS
  debezium_added_fields.cc debezium_by_logical_table_router.cc debezium_config.cc debezium_drop_fields.cc
  debezium_event_router.cc debezium_extract_changed_record_state.cc debezium_extract_new_record_state.cc
  debezium_header_to_value.cc debezium_java.cc debezium_java_hash.cc debezium_json_expander.cc
  debezium_name_adjuster.cc debezium_outbox_options.cc debezium_partition_routing.cc debezium_records.cc
  debezium_schema_change_event_filter.cc debezium_timezone_converter.cc debezium_timezone_rules.cc
  debezium_transforms.cc debezium_unwrap_plan.cc debezium_zone.cc debezium_zoned_text.cc)
millrace_test(NAME golden.connect-debezium-transforms SRCS debezium_golden_test.cc DEPS golden_case transforms LABELS golden)
millrace_test(NAME debezium_transforms 
  SRCS counted_new.cc debezium_java_test.cc debezium_transforms_test.cc DEPS transforms)
