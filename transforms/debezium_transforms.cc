#include "transforms/debezium_transformations.h"

namespace millrace {

std::vector<TransformationClass> debezium_transformation_classes() {
  using namespace debezium;
  return {extract_new_record_state_class(),
          extract_changed_record_state_class(),
          by_logical_table_router_class(),
          event_router_class(),
          header_to_value_class(),
          timezone_converter_class(),
          schema_change_event_filter_class(),
          partition_routing_class()};
}

}  // namespace millrace
