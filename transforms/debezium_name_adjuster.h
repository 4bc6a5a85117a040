/// Names that Avro accepts, made from any name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace millrace::debezium {

enum class NameAdjustment : uint8_t { kNone, kAvro, kAvroUnicode };

/// The settings' words, in the order of NameAdjustment.
std::vector<std::string> name_adjustments();

/// kAvro puts _ for what Avro does not allow, kAvroUnicode _uXXXX (for _ itself too). In names of schemas dots stay, in
/// those of fields they do not.
std::string adjust_name(std::string_view name, NameAdjustment how, bool field);

}  // namespace millrace::debezium
