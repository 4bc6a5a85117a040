// DescribeQuorum (55): this node is the whole quorum.
#include "protocol/messages/describe_quorum.h"
#include "broker/handlers/admin_apis.h"
#include "broker/handlers/admin_common.h"

namespace millrace {
namespace {

constexpr std::string_view kMetadataTopic = "__cluster_metadata";

void add_quorum(const BrokerServices& services, DescribeQuorumResponse::PartitionData& partition) {
  const int64_t now = services.clock.wall_ms();
  partition.error_message = std::nullopt;
  partition.leader_id = services.node_id;
  partition.leader_epoch = 1;
  // Metadata are files replaced atomically, not a log: there are no offsets to tell.
  DescribeQuorumResponse::ReplicaState voter;
  voter.replica_id = services.node_id;
  voter.last_fetch_timestamp = now;
  voter.last_caught_up_timestamp = now;
  partition.current_voters.push_back(voter);
}

void describe_quorum(BrokerServices& services, const DescribeQuorumRequest& request, Exchange& exchange) {
  DescribeQuorumResponse response;
  response.error_message = std::nullopt;
  if (!may_on_cluster(services, exchange, AclOperation::kDescribe)) {
    response.error_code = code_of(KafkaError::kClusterAuthorizationFailed);
    response.error_message = kClusterRefused;
    return exchange.reply(response);
  }
  for (const auto& topic : request.topics) {
    auto& out = response.topics.emplace_back();
    out.topic_name = topic.topic_name;
    for (const auto& asked : topic.partitions) {
      auto& partition = out.partitions.emplace_back();
      partition.partition_index = asked.partition_index;
      if (topic.topic_name == kMetadataTopic && asked.partition_index == 0) {
        add_quorum(services, partition);
      } else {
        partition.error_code = code_of(KafkaError::kUnknownTopicOrPartition);
        partition.error_message = "This server does not host this topic-partition.";
      }
    }
  }
  auto& node = response.nodes.emplace_back();
  node.node_id = services.node_id;
  for (const AdvertisedListener& listener : services.advertised)
    node.listeners.push_back({listener.listener, listener.host, static_cast<uint16_t>(listener.port)});
  exchange.reply(response);
}

}  // namespace

Api describe_quorum_api() { return make_api<DescribeQuorumRequest, at_once<DescribeQuorumRequest, describe_quorum>>(); }

}  // namespace millrace
