/// Apache Kafka's transformations and predicates: how each is made, and its options. The tables of transformation.h
/// are made of these.
#pragma once

#include "transforms/operand.h"

namespace millrace::smt {

using TransformationPtr = std::unique_ptr<Transformation>;

TransformationPtr make_cast(Side side);
const ConfigDef& cast_options();
TransformationPtr make_drop_headers();
const ConfigDef& drop_headers_options();
TransformationPtr make_extract_field(Side side);
const ConfigDef& extract_field_options();
TransformationPtr make_filter();
const ConfigDef& filter_options();
TransformationPtr make_flatten(Side side);
const ConfigDef& flatten_options();
TransformationPtr make_header_from(Side side);
const ConfigDef& header_from_options();
TransformationPtr make_hoist_field(Side side);
const ConfigDef& hoist_field_options();
TransformationPtr make_insert_field(Side side);
const ConfigDef& insert_field_options();
TransformationPtr make_insert_header();
const ConfigDef& insert_header_options();
TransformationPtr make_mask_field(Side side);
const ConfigDef& mask_field_options();
TransformationPtr make_regex_router();
const ConfigDef& regex_router_options();
TransformationPtr make_replace_field(Side side);
const ConfigDef& replace_field_options();
TransformationPtr make_set_schema_metadata(Side side);
const ConfigDef& set_schema_metadata_options();
TransformationPtr make_timestamp_converter(Side side);
const ConfigDef& timestamp_converter_options();
TransformationPtr make_timestamp_router();
const ConfigDef& timestamp_router_options();
TransformationPtr make_value_to_key();
const ConfigDef& value_to_key_options();

}  // namespace millrace::smt
