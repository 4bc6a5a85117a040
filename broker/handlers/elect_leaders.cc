// ElectLeaders (43): the one broker leads every partition, so that no election is ever needed.
#include <fmt/format.h>

#include "broker/handlers/admin_apis.h"
#include "broker/handlers/admin_common.h"
#include "protocol/messages/elect_leaders.h"

namespace millrace {
namespace {

AdminError outcome(BrokerServices& services, Exchange& exchange, std::string_view name, int32_t partition) {
  const auto topic = services.broker.topic(std::string(name));
  if (!topic)
    return admin_error(exchange, KafkaError::kUnknownTopicOrPartition, fmt::format("No such topic as {}", name));
  if (partition < 0 || partition >= topic->partitions)
    return admin_error(exchange, KafkaError::kUnknownTopicOrPartition,
                       fmt::format("No such partition as {}-{}", name, partition));
  return {code_of(KafkaError::kElectionNotNeeded), "Leader election not needed for topic partition."};
}

void elect_leaders(BrokerServices& services, const ElectLeadersRequest& request, Exchange& exchange) {
  ElectLeadersResponse response;
  if (!may_on_cluster(services, exchange, AclOperation::kAlter)) {
    response.error_code = code_of(KafkaError::kClusterAuthorizationFailed);
    return exchange.reply(response);
  }
  if (request.election_type != 0 && request.election_type != 1) {
    response.error_code = code_of(KafkaError::kInvalidRequest);
    return exchange.reply(response);
  }
  // Asked about all partitions, Kafka lists those alone that needed an election.
  if (!request.topic_partitions) return exchange.reply(response);
  for (const auto& topic : *request.topic_partitions) {
    auto& result = response.replica_election_results.emplace_back();
    result.topic = topic.topic;
    for (const int32_t partition : topic.partitions) {
      const AdminError error = outcome(services, exchange, topic.topic, partition);
      result.partition_result.push_back({partition, error.code, error.message});
    }
  }
  exchange.reply(response);
}

}  // namespace

Api elect_leaders_api() { return make_api<ElectLeadersRequest, at_once<ElectLeadersRequest, elect_leaders>>(); }

}  // namespace millrace
