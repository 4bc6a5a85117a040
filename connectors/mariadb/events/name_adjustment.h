/// Debezium's rewriting of names: for topics always, for schemas and fields on request, because Avro takes fewer
/// characters. A character is a UTF-16 unit, as in Java: one beyond the BMP counts twice.
#pragma once

#include <string>
#include <string_view>

#include "connectors/common/result.h"

namespace millrace::mariadb {

enum class NameAdjustment {
  kNone,
  kAvro,         ///< what Avro does not take becomes '_'
  kAvroUnicode,  ///< it becomes _uXXXX, and so does '_' itself
};

/// "none", "avro", "avro_unicode" in any case; kInvalidConfig names the key.
connectors::Result<NameAdjustment> parse_name_adjustment(std::string_view key, std::string_view text);

/// A full schema name: dots separate its parts and stay.
std::string adjusted_schema_name(NameAdjustment mode, std::string_view name);
/// A field name: dots are characters like others; a leading digit keeps its place behind '_' with kAvro.
std::string adjusted_field_name(NameAdjustment mode, std::string_view name);
/// What Kafka does not take in a topic name becomes '_'; at most 249 characters.
std::string sanitized_topic(std::string_view name);

}  // namespace millrace::mariadb
