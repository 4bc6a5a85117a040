// CreatePartitions (37).
#include <fmt/format.h>

#include "broker/handlers/admin_apis.h"
#include "broker/handlers/admin_common.h"
#include "protocol/messages/create_partitions.h"

namespace millrace {
namespace {

using Topic = CreatePartitionsRequest::CreatePartitionsTopic;

Status check(const BrokerServices& services, const Topic& topic, const TopicInfo& known) {
  if (topic.count == known.partitions)
    return fail(
        error_of(KafkaError::kInvalidPartitions, fmt::format("Topic already has {} partition(s).", known.partitions)));
  if (topic.count < known.partitions)
    return fail(error_of(KafkaError::kInvalidPartitions,
                         fmt::format("The topic {} currently has {} partition(s); {} would not be an increase.",
                                     topic.name, known.partitions, topic.count)));
  if (!topic.assignments) return {};
  const auto added = static_cast<size_t>(topic.count - known.partitions);
  if (topic.assignments->size() != added)
    return fail(error_of(KafkaError::kInvalidReplicaAssignment,
                         fmt::format("Attempted to add {} additional partition(s), but only {} assignment(s) were "
                                     "specified.",
                                     added, topic.assignments->size())));
  for (const auto& assignment : *topic.assignments) {
    if (auto possible = check_assignment(services, assignment.broker_ids); !possible) return possible;
  }
  return {};
}

AdminError grow(BrokerServices& services, const CreatePartitionsRequest& request, const Topic& topic,
                Exchange& exchange) {
  if (!may_on_topic(services, exchange, AclOperation::kAlter, topic.name))
    return {code_of(KafkaError::kTopicAuthorizationFailed), std::nullopt};
  const auto known = services.broker.topic(std::string(topic.name));
  if (!known) return {code_of(KafkaError::kUnknownTopicOrPartition), std::nullopt};
  if (auto checked = check(services, topic, *known); !checked) return admin_error(exchange, checked.error());
  if (request.validate_only) return {};
  return admin_error(exchange, services.broker.grow_topic(std::string(topic.name), topic.count));
}

void create_partitions(BrokerServices& services, const CreatePartitionsRequest& request, Exchange& exchange) {
  const auto twice = duplicates(request.topics, [](const Topic& topic) { return topic.name; });
  std::set<std::string_view> answered;
  CreatePartitionsResponse response;
  for (const Topic& topic : request.topics) {
    if (!answered.insert(topic.name).second) continue;
    const AdminError error = twice.contains(topic.name)
                                 ? AdminError{code_of(KafkaError::kInvalidRequest), "Duplicate topic name."}
                                 : grow(services, request, topic, exchange);
    auto& result = response.results.emplace_back();
    result.name = topic.name;
    result.error_code = error.code;
    result.error_message = error.message;
  }
  exchange.reply(response);
}

}  // namespace

Api create_partitions_api() {
  return make_api<CreatePartitionsRequest, in_background<CreatePartitionsRequest, create_partitions>>();
}

}  // namespace millrace
