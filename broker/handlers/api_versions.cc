// ApiVersions: which APIs, versions and features the broker has.
#include "broker/handlers/api_versions.h"

#include <algorithm>

#include "broker/handlers/data_handlers.h"
#include "protocol/kafka_error.h"
#include "protocol/messages/api_versions.h"

namespace millrace {
namespace {

constexpr int16_t kConsumerGroupHeartbeatKey = 68;
constexpr int16_t kMetadataVersionMin = 7;  // 3.3-IV3, the least that Kafka 4's tools have a name for
// Older clients took a feature that begins at 0 for damage.
constexpr int16_t kFeaturesFromZeroSince = 4;

bool letter_or_digit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// Letters, digits, "-" and "."; the first and the last are letters or digits.
bool valid_software_name(std::string_view name) {
  return !name.empty() && letter_or_digit(name.front()) && letter_or_digit(name.back()) &&
         std::all_of(name.begin(), name.end(), [](char c) { return letter_or_digit(c) || c == '-' || c == '.'; });
}

ApiVersionsResponse all_versions(const BrokerServices& services, int16_t version) {
  ApiVersionsResponse response;
  for (const Api& api : services.apis->all()) {
    response.api_keys.push_back({api.key, api.version_min, api.version_max});
  }
  std::sort(response.api_keys.begin(), response.api_keys.end(),
            [](const auto& a, const auto& b) { return a.api_key < b.api_key; });
  for (const BrokerFeature& feature : kBrokerFeatures) {
    if (feature.name == "group.version" && services.apis->find(kConsumerGroupHeartbeatKey) == nullptr) continue;
    const int16_t lowest = feature.name == "metadata.version" ? kMetadataVersionMin : 0;
    if (lowest > 0 || version >= kFeaturesFromZeroSince)
      response.supported_features.push_back({feature.name, lowest, feature.supported_max});
    if (feature.finalized > 0)
      response.finalized_features.push_back({feature.name, feature.finalized, feature.finalized});
  }
  response.finalized_features_epoch = 1;
  return response;
}

void handle_api_versions(BrokerServices& services, std::unique_ptr<Exchange> exchange) {
  const int16_t version = exchange->version();
  ApiVersionsResponse response;
  if (version < ApiVersionsRequest::kVersionMin || version > ApiVersionsRequest::kVersionMax) {
    // In version 0, which every client reads, with the versions of this API alone: the client asks again.
    response.error_code = code_of(KafkaError::kUnsupportedVersion);
    response.api_keys.push_back(
        {ApiVersionsRequest::kApiKey, ApiVersionsRequest::kVersionMin, ApiVersionsRequest::kVersionMax});
    return exchange->reply_as(response, 0);
  }
  ApiVersionsRequest request;
  WireReader reader(exchange->body());
  request.decode(reader, version);
  if (reader.bad()) return exchange->close_connection();
  constexpr int16_t kSoftwareSince = 3;
  if (version >= kSoftwareSince) {
    if (!valid_software_name(request.client_software_name) || !valid_software_name(request.client_software_version)) {
      response.error_code = code_of(KafkaError::kInvalidRequest);
      return exchange->reply(response);
    }
    if (ConnectionControl* connection = exchange->connection()) {
      Session session = exchange->session();
      session.client_software_name = request.client_software_name;
      session.client_software_version = request.client_software_version;
      connection->replace_session(std::move(session));
    }
  }
  exchange->reply(all_versions(services, version));
}

}  // namespace

Api api_versions_api() {
  return {ApiVersionsRequest::kApiKey,
          ApiVersionsRequest::kVersionMin,
          ApiVersionsRequest::kVersionMax,
          ApiVersionsRequest::kFlexibleFrom,
          handle_api_versions,
          false,
          true};
}

}  // namespace millrace
