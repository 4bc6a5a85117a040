// AlterPartitionReassignments (45) and ListPartitionReassignments (46): with one broker every replica is where it can
// be, so nothing ever moves.
#include "broker/handlers/admin_apis.h"
#include "broker/handlers/admin_common.h"
#include "protocol/messages/alter_partition_reassignments.h"
#include "protocol/messages/list_partition_reassignments.h"

namespace millrace {
namespace {

AdminError reassign(BrokerServices& services, Exchange& exchange, std::string_view topic,
                    const AlterPartitionReassignmentsRequest::ReassignablePartition& partition) {
  const auto known = services.broker.topic(std::string(topic));
  if (!known || partition.partition_index < 0 || partition.partition_index >= known->partitions)
    return {code_of(KafkaError::kUnknownTopicOrPartition), "This server does not host this topic-partition."};
  if (!partition.replicas)
    return {code_of(KafkaError::kNoReassignmentInProgress), "No partition reassignment is in progress."};
  return admin_error(exchange, check_assignment(services, *partition.replicas));
}

void alter_reassignments(BrokerServices& services, const AlterPartitionReassignmentsRequest& request,
                         Exchange& exchange) {
  AlterPartitionReassignmentsResponse response;
  response.allow_replication_factor_change = request.allow_replication_factor_change;
  response.error_message = std::nullopt;
  if (!may_on_cluster(services, exchange, AclOperation::kAlter)) {
    response.error_code = code_of(KafkaError::kClusterAuthorizationFailed);
    response.error_message = kClusterRefused;
    return exchange.reply(response);
  }
  for (const auto& topic : request.topics) {
    auto& result = response.responses.emplace_back();
    result.name = topic.name;
    for (const auto& partition : topic.partitions) {
      const AdminError error = reassign(services, exchange, topic.name, partition);
      result.partitions.push_back({partition.partition_index, error.code, error.message});
    }
  }
  exchange.reply(response);
}

void list_reassignments(BrokerServices& services, const ListPartitionReassignmentsRequest&, Exchange& exchange) {
  ListPartitionReassignmentsResponse response;
  response.error_message = std::nullopt;
  if (!may_on_cluster(services, exchange, AclOperation::kDescribe)) {
    response.error_code = code_of(KafkaError::kClusterAuthorizationFailed);
    response.error_message = kClusterRefused;
  }
  exchange.reply(response);
}

}  // namespace

Api alter_partition_reassignments_api() {
  return make_api<AlterPartitionReassignmentsRequest,
                  at_once<AlterPartitionReassignmentsRequest, alter_reassignments>>();
}
Api list_partition_reassignments_api() {
  return make_api<ListPartitionReassignmentsRequest, at_once<ListPartitionReassignmentsRequest, list_reassignments>>();
}

}  // namespace millrace
