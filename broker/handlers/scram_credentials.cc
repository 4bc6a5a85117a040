// DescribeUserScramCredentials (50), AlterUserScramCredentials (51).
#include <fmt/format.h>

#include "broker/handlers/admin_apis.h"
#include "broker/handlers/admin_common.h"
#include "protocol/messages/alter_user_scram_credentials.h"
#include "protocol/messages/describe_user_scram_credentials.h"

namespace millrace {
namespace {

using Described = DescribeUserScramCredentialsResponse::DescribeUserScramCredentialsResult;

void add_user(Exchange& exchange, const ScramUser& user, Described& result) {
  result.user = exchange.keep(user.user);
  result.error_message = std::nullopt;
  for (const auto& credential : user.credentials)
    result.credential_infos.push_back({static_cast<int8_t>(credential.mechanism), credential.iterations});
}

void describe_named(BrokerServices& services, const DescribeUserScramCredentialsRequest& request, Exchange& exchange,
                    DescribeUserScramCredentialsResponse& response) {
  const auto twice = duplicates(*request.users, [](const auto& user) { return user.name; });
  std::set<std::string_view> answered;
  for (const auto& user : *request.users) {
    if (!answered.insert(user.name).second) continue;
    Described& result = response.results.emplace_back();
    result.user = user.name;
    AdminError error;
    if (twice.contains(user.name)) {
      error = admin_error(
          exchange, KafkaError::kDuplicateResource,
          fmt::format("Cannot describe SCRAM credentials for the same user twice in a single request: {}", user.name));
    } else if (auto found = services.security.scram_user(std::string(user.name)); !found) {
      error = admin_error(exchange, found.error());
    } else {
      add_user(exchange, *found, result);
      continue;
    }
    result.error_code = error.code;
    result.error_message = error.message;
  }
}

void describe_scram(BrokerServices& services, const DescribeUserScramCredentialsRequest& request, Exchange& exchange) {
  DescribeUserScramCredentialsResponse response;
  response.error_message = std::nullopt;
  if (!may_on_cluster(services, exchange, AclOperation::kDescribe)) {
    response.error_code = code_of(KafkaError::kClusterAuthorizationFailed);
    response.error_message = kClusterRefused;
  } else if (request.users && !request.users->empty()) {
    describe_named(services, request, exchange, response);
  } else {
    for (const ScramUser& user : services.security.scram_users())
      add_user(exchange, user, response.results.emplace_back());
  }
  exchange.reply(response);
}

std::vector<ScramChange> changes_of(const AlterUserScramCredentialsRequest& request) {
  std::vector<ScramChange> changes;
  for (const auto& deletion : request.deletions)
    changes.push_back({std::string(deletion.name), scram_mechanism(deletion.mechanism), true, 0, {}, {}});
  for (const auto& upsertion : request.upsertions) {
    changes.push_back({std::string(upsertion.name), scram_mechanism(upsertion.mechanism), false, upsertion.iterations,
                       std::string(upsertion.salt), std::string(upsertion.salted_password)});
  }
  return changes;
}

void alter_scram(BrokerServices& services, const AlterUserScramCredentialsRequest& request, Exchange& exchange) {
  AlterUserScramCredentialsResponse response;
  const std::vector<ScramChange> changes = changes_of(request);
  auto altered = [&]() -> Expected<std::vector<std::pair<std::string, Status>>> {
    if (!may_on_cluster(services, exchange, AclOperation::kAlter))
      return fail(error_of(KafkaError::kClusterAuthorizationFailed, std::string(kClusterRefused)));
    return services.security.alter_scram(changes);
  }();
  const auto answer = [&](std::string_view user, const AdminError& error) {
    response.results.push_back({user, error.code, error.message});
  };
  if (altered) {
    for (const auto& [user, status] : *altered) answer(exchange.keep(user), admin_error(exchange, status));
  } else {
    std::set<std::string_view> users;
    for (const ScramChange& change : changes) users.insert(change.user);
    for (const std::string_view user : users) answer(user, admin_error(exchange, altered.error()));
  }
  exchange.reply(response);
}

}  // namespace

Api describe_scram_credentials_api() {
  return make_api<DescribeUserScramCredentialsRequest, at_once<DescribeUserScramCredentialsRequest, describe_scram>>();
}
Api alter_scram_credentials_api() {
  return make_api<AlterUserScramCredentialsRequest, in_background<AlterUserScramCredentialsRequest, alter_scram>>();
}

}  // namespace millrace
