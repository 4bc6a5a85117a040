#include "runtime/preview_text.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace millrace {

std::string json_string(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

PreviewText::PreviewText() { (void)converter_.configure({{"schemas.enable", "true"}}, false); }

std::string PreviewText::value(const Schema* schema, const Value& value) {
  if (schema == nullptr && is_null(value)) return "null";
  std::string text;
  auto written = converter_.from_connect("", schema, value, text);
  if (!written) return fmt::format("{{\"error\":{}}}", json_string(written.error().message));
  return *written ? text : "null";
}

std::string PreviewText::record(const ConnectRecord& record) {
  std::string out = fmt::format("{{\"topic\":{}", json_string(record.topic));
  out += fmt::format(",\"partition\":{}", record.partition < 0 ? "null" : std::to_string(record.partition));
  out += fmt::format(",\"timestamp\":{}", record.timestamp_ms ? std::to_string(*record.timestamp_ms) : "null");
  out += fmt::format(",\"key\":{},\"value\":{}", value(record.key.schema, record.key.value),
                     value(record.value.schema, record.value.value));
  out += ",\"headers\":[";
  for (size_t i = 0; i < record.headers.size(); ++i) {
    const ConnectHeader& header = record.headers[i];
    out += fmt::format("{}{{\"key\":{},\"value\":{}}}", i == 0 ? "" : ",", json_string(header.key),
                       value(header.schema, header.value));
  }
  return out + "]";
}

}  // namespace millrace
