// OffsetForLeaderEpoch: where a leader epoch ended, so that clients find out what was cut.
#include "protocol/messages/offset_for_leader_epoch.h"
#include "broker/handlers/data_handlers.h"

namespace millrace {
namespace {

void answer_partition(const PartitionLog* log, const OffsetForLeaderEpochRequest::OffsetForLeaderPartition& asked,
                      OffsetForLeaderEpochResponse::EpochEndOffset& answer) {
  answer.partition = asked.partition;
  if (log == nullptr) {
    answer.error_code = code_of(KafkaError::kUnknownTopicOrPartition);
    return;
  }
  const KafkaError error = check_leader_epoch(*log, asked.current_leader_epoch);
  answer.error_code = code_of(error);
  if (error != KafkaError::kNone) return;
  const EpochEndOffset end = log->end_offset_for_epoch(asked.leader_epoch);
  answer.leader_epoch = end.epoch;
  answer.end_offset = end.end_offset;
}

void handle_offset_for_leader_epoch(BrokerServices& services, const OffsetForLeaderEpochRequest& request,
                                    std::unique_ptr<Exchange> exchange) {
  OffsetForLeaderEpochResponse response;
  for (const auto& asked : request.topics) {
    auto& topic = response.topics.emplace_back();
    topic.topic = asked.topic;
    const bool allowed = may(services, exchange->session(), AclOperation::kDescribe, asked.topic);
    const auto entry = services.broker.find_topic(asked.topic);
    for (const auto& partition : asked.partitions) {
      auto& answer = topic.partitions.emplace_back();
      answer_partition(find_log(entry.get(), partition.partition).get(), partition, answer);
      if (allowed) continue;
      answer = {};
      answer.partition = partition.partition;
      answer.error_code = code_of(KafkaError::kTopicAuthorizationFailed);
    }
  }
  exchange->reply(response);
}

}  // namespace

Api offset_for_leader_epoch_api() {
  return make_api<OffsetForLeaderEpochRequest, handle_offset_for_leader_epoch>(0, 4);
}

}  // namespace millrace
