#include "transforms/kafka_transforms.h"

namespace millrace {
namespace {

using smt::Side;

template <smt::TransformationPtr (*Make)(Side), Side side>
smt::TransformationPtr make_for() {
  return Make(side);
}

}  // namespace

#define MILLRACE_NAME(name) "org.apache.kafka.connect.transforms." name
#define MILLRACE_BOTH(name, make, options)                              \
  {MILLRACE_NAME(name "$Key"), make_for<make, Side::kKey>, options}, {  \
    MILLRACE_NAME(name "$Value"), make_for<make, Side::kValue>, options \
  }

std::vector<TransformationClass> kafka_transformation_classes() {
  using namespace smt;
  return {
      MILLRACE_BOTH("Cast", make_cast, cast_options),
      {MILLRACE_NAME("DropHeaders"), make_drop_headers, drop_headers_options},
      MILLRACE_BOTH("ExtractField", make_extract_field, extract_field_options),
      {MILLRACE_NAME("Filter"), make_filter, filter_options},
      MILLRACE_BOTH("Flatten", make_flatten, flatten_options),
      MILLRACE_BOTH("HeaderFrom", make_header_from, header_from_options),
      MILLRACE_BOTH("HoistField", make_hoist_field, hoist_field_options),
      MILLRACE_BOTH("InsertField", make_insert_field, insert_field_options),
      {MILLRACE_NAME("InsertHeader"), make_insert_header, insert_header_options},
      MILLRACE_BOTH("MaskField", make_mask_field, mask_field_options),
      {MILLRACE_NAME("RegexRouter"), make_regex_router, regex_router_options},
      MILLRACE_BOTH("ReplaceField", make_replace_field, replace_field_options),
      MILLRACE_BOTH("SetSchemaMetadata", make_set_schema_metadata, set_schema_metadata_options),
      MILLRACE_BOTH("TimestampConverter", make_timestamp_converter, timestamp_converter_options),
      {MILLRACE_NAME("TimestampRouter"), make_timestamp_router, timestamp_router_options},
      {MILLRACE_NAME("ValueToKey"), make_value_to_key, value_to_key_options},
  };
}

#undef MILLRACE_BOTH
#undef MILLRACE_NAME

}  // namespace millrace
