#include "transforms/golden_record.h"

namespace millrace::golden {
namespace {

SchemaAndValue decode_half(const Json& encoded, GoldenRecord& into, RecordMemory& memory) {
  GoldenValue value = decode(encoded, memory.arena);
  if (!value.unrepresentable.empty()) into.unrepresentable = value.unrepresentable;
  memory.schemas.push_back(value.schema);
  return {value.schema.get(), value.value};
}

}  // namespace

GoldenRecord decode_record(const Json& encoded, RecordMemory& memory) {
  GoldenRecord result;
  ConnectRecord& record = result.record;
  record.kind = encoded.at("kind") == "sink" ? ConnectRecord::Kind::kSink : ConnectRecord::Kind::kSource;
  record.topic = memory.texts.emplace_back(encoded.at("topic").get<std::string>());
  record.partition = encoded.at("partition").is_null() ? -1 : encoded.at("partition").get<int32_t>();
  if (!encoded.at("timestamp").is_null()) record.timestamp_ms = encoded.at("timestamp").get<int64_t>();
  if (encoded.contains("offset")) record.offset = encoded.at("offset").get<int64_t>();
  record.key = decode_half(encoded.at("key"), result, memory);
  record.value = decode_half(encoded.at("value"), result, memory);
  for (const Json& header : encoded.at("headers")) {
    const std::string& key = memory.texts.emplace_back(header.at("key").get<std::string>());
    const SchemaAndValue value = decode_half(header, result, memory);
    record.headers.push_back({key, value.schema, value.value});
  }
  return result;
}

Json encode_record(const ConnectRecord& record) {
  const bool sink = record.kind == ConnectRecord::Kind::kSink;
  Json json = {{"kind", sink ? "sink" : "source"}, {"topic", std::string(record.topic)}};
  json["partition"] = record.partition < 0 ? Json(nullptr) : Json(record.partition);
  if (sink) json["offset"] = record.offset;
  json["timestamp"] = record.timestamp_ms ? Json(*record.timestamp_ms) : Json(nullptr);
  json["key"] = encode(record.key.schema, record.key.value);
  json["value"] = encode(record.value.schema, record.value.value);
  json["headers"] = Json::array();
  for (const ConnectHeader& header : record.headers) {
    Json one = encode(header.schema, header.value);
    one["key"] = std::string(header.key);
    json["headers"].push_back(std::move(one));
  }
  return json;
}

Json normalized(const Json& encoded) {
  RecordMemory memory;
  return encode_record(decode_record(encoded, memory).record);
}

}  // namespace millrace::golden
