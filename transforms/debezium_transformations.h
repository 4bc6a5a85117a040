/// The classes behind debezium_transformation_classes(), one file each.
#pragma once

#include "core/clock.h"
#include "transforms/transformation.h"

namespace millrace::debezium {

TransformationClass extract_new_record_state_class();
TransformationClass extract_changed_record_state_class();
TransformationClass by_logical_table_router_class();
TransformationClass event_router_class();
TransformationClass header_to_value_class();
TransformationClass timezone_converter_class();
TransformationClass schema_change_event_filter_class();
TransformationClass partition_routing_class();

/// A TimezoneConverter whose "now", which decides the offset of times without a date, is that of `clock`. The clock
/// must outlive it.
std::unique_ptr<Transformation> make_timezone_converter(const Clock& clock);

}  // namespace millrace::debezium
