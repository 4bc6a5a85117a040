#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "runtime/preview.h"

namespace millrace {
namespace {

using Json = nlohmann::ordered_json;

tl::unexpected<Error> bad(std::string message) { return fail(ErrorCode::kInvalidConfig, std::move(message)); }

/// A text stands for itself, null for null, anything else for its JSON text.
std::optional<std::string> bytes_of(const Json& json) {
  if (json.is_null()) return std::nullopt;
  return json.is_string() ? json.get<std::string>() : json.dump();
}

Expected<ConfigMap> read_config(const Json& json) {
  ConfigMap config;
  for (const auto& [key, value] : json.items()) {
    if (value.is_structured()) {
      return bad(
          fmt::format("The setting {} must be a string, number or boolean, not {}. To preview a sink with "
                      "records of your own, send {{\"config\":{{…}},\"records\":[…]}}.",
                      key, value.type_name()));
    }
    if (!value.is_null()) config[key] = *bytes_of(value);
  }
  return config;
}

Expected<int64_t> number(const Json& record, const char* member, int64_t fallback) {
  if (!record.contains(member) || record[member].is_null()) return fallback;
  if (!record[member].is_number_integer()) return bad(fmt::format("records: {} must be a whole number", member));
  return record[member].get<int64_t>();
}

Expected<PreviewRequest::Record> read_record(const Json& json, size_t index) {
  if (!json.is_object()) return bad(fmt::format("records: element {} must be an object", index));
  PreviewRequest::Record record;
  if (!json.contains("topic") || !json["topic"].is_string())
    return bad(fmt::format("records: element {} needs the member topic, a string", index));
  record.topic = json["topic"].get<std::string>();
  const auto partition = number(json, "partition", 0);
  const auto offset = number(json, "offset", static_cast<int64_t>(index));
  const auto timestamp = number(json, "timestamp", 0);
  for (const auto* parsed : {&partition, &offset, &timestamp}) {
    if (!*parsed) return fail(parsed->error());
  }
  record.partition = static_cast<int32_t>(*partition);
  record.offset = *offset;
  record.timestamp_ms = *timestamp;
  if (json.contains("key")) record.key = bytes_of(json["key"]);
  if (json.contains("value")) record.value = bytes_of(json["value"]);
  if (json.contains("headers")) {
    if (!json["headers"].is_object()) return bad("records: headers must be an object of names and texts");
    for (const auto& [name, value] : json["headers"].items()) record.headers.emplace_back(name, bytes_of(value));
  }
  return record;
}

}  // namespace

Expected<PreviewRequest> PreviewRequest::parse(std::string_view body, size_t rows) {
  const Json json = Json::parse(body, nullptr, false);
  if (!json.is_object())
    return bad("The body must be a JSON object: a configuration, or {\"config\":…,\"records\":…}.");
  const bool nested = json.contains("config") && json["config"].is_object();
  PreviewRequest request;
  request.rows = rows;
  auto config = read_config(nested ? json["config"] : json);
  if (!config) return fail(std::move(config.error()));
  request.config = std::move(*config);
  if (!nested || !json.contains("records")) return request;
  if (!json["records"].is_array()) return bad("records must be an array");
  request.records.emplace();
  for (const Json& element : json["records"]) {
    auto record = read_record(element, request.records->size());
    if (!record) return fail(std::move(record.error()));
    request.records->push_back(std::move(*record));
  }
  return request;
}

}  // namespace millrace
