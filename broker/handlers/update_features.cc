// UpdateFeatures (57): the levels are those of this build, so that only asking for what is already so succeeds.
#include <fmt/format.h>

#include <algorithm>

#include "broker/handlers/admin_apis.h"
#include "broker/handlers/admin_common.h"
#include "broker/handlers/api_versions.h"
#include "protocol/messages/update_features.h"

namespace millrace {
namespace {

AdminError update_one(Exchange& exchange, const UpdateFeaturesRequest::FeatureUpdateKey& update) {
  const auto known = std::ranges::find(kBrokerFeatures, update.feature, &BrokerFeature::name);
  if (known == kBrokerFeatures.end()) {
    return admin_error(exchange, KafkaError::kInvalidUpdateVersion,
                       fmt::format("Invalid update version {} for feature {}. Broker does not support this feature.",
                                   update.max_version_level, update.feature));
  }
  if (update.max_version_level == known->finalized) return {};
  return admin_error(exchange, KafkaError::kInvalidUpdateVersion,
                     fmt::format("Invalid update version {} for feature {}. It is at version {}, which this version of "
                                 "the broker fixes.",
                                 update.max_version_level, update.feature, known->finalized));
}

/// What is wrong with the request as a whole: one bad update refuses all.
AdminError problem(const BrokerServices& services, const UpdateFeaturesRequest& request, Exchange& exchange) {
  if (!may_on_cluster(services, exchange, AclOperation::kAlter))
    return {code_of(KafkaError::kClusterAuthorizationFailed), kClusterRefused};
  for (const auto& update : request.feature_updates) {
    if (const AdminError error = update_one(exchange, update); error.code != 0) return error;
  }
  return {};
}

void update_features(BrokerServices& services, const UpdateFeaturesRequest& request, Exchange& exchange) {
  UpdateFeaturesResponse response;
  const AdminError whole = problem(services, request, exchange);
  if (whole.code == code_of(KafkaError::kClusterAuthorizationFailed) || exchange.version() >= 2) {
    response.error_code = whole.code;
    response.error_message = whole.message;
    return exchange.reply(response);
  }
  response.error_message = std::nullopt;
  for (const auto& update : request.feature_updates) {
    const AdminError error = update_one(exchange, update);
    response.results.push_back({update.feature, error.code, error.message});
  }
  exchange.reply(response);
}

}  // namespace

Api update_features_api() { return make_api<UpdateFeaturesRequest, at_once<UpdateFeaturesRequest, update_features>>(); }

}  // namespace millrace
