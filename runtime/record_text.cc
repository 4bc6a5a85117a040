#include "runtime/record_text.h"

#include <fmt/format.h>

#include "converters/converter.h"

namespace millrace {
namespace {

/// Java's text of any value: what StringConverter writes.
std::string value_text(const Schema* schema, const Value& value) {
  if (is_null(value)) return "null";
  const auto converter = make_converter("org.apache.kafka.connect.storage.StringConverter");
  std::string text;
  if (!converter->configure({}, false) || !converter->from_connect("", schema, value, text)) return "?";
  return text;
}

std::string schema_text(const Schema* schema) {
  if (schema == nullptr) return "null";
  return schema->name() ? fmt::format("Schema{{{}:{}}}", *schema->name(), type_name(schema->type()))
                        : fmt::format("Schema{{{}}}", type_name(schema->type()));
}

std::string header_texts(const mr_record& record, const SchemaTable& schemas) {
  std::string text;
  for (uint32_t i = 0; i < record.header_count; ++i) {
    const mr_header& header = record.headers[i];
    const Schema* schema = schemas.schema(header.schema);
    text += fmt::format("{}ConnectHeader(key={}, value={}, schema={})", i == 0 ? "" : ", ", view(header.key),
                        value_text(schema, header.value), schema_text(schema));
  }
  return text;
}

}  // namespace

std::string consumed_record_text(std::string_view topic, int32_t partition, const RecordView& record) {
  std::string text =
      fmt::format(", where consumed record is {{topic='{}', partition={}, offset={}", topic, partition, record.offset);
  if (record.timestamp >= 0) text += fmt::format(", timestamp={}, timestampType=CreateTime", record.timestamp);
  return text + "}";
}

std::string source_record_text(const mr_record& record, const SchemaTable& schemas) {
  const Schema* key_schema = schemas.schema(record.key_schema);
  const Schema* value_schema = schemas.schema(record.value_schema);
  return fmt::format(
      ", where source record is = SourceRecord{{sourcePartition={}, sourceOffset={}}} ConnectRecord{{topic='{}', "
      "kafkaPartition={}, key={}, keySchema={}, value={}, valueSchema={}, timestamp={}, "
      "headers=ConnectHeaders(headers={})}}",
      value_text(nullptr, record.source_partition), value_text(nullptr, record.source_offset), view(record.topic),
      record.partition < 0 ? "null" : std::to_string(record.partition), value_text(key_schema, record.key),
      schema_text(key_schema), value_text(value_schema, record.value), schema_text(value_schema),
      record.timestamp_ms == MR_NO_TIMESTAMP ? "null" : std::to_string(record.timestamp_ms),
      header_texts(record, schemas));
}

}  // namespace millrace
