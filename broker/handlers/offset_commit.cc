// OffsetCommit (8): a group's positions. Answered when they are durable.
#include "protocol/messages/offset_commit.h"
#include "broker/handlers/group_handlers.h"

namespace millrace {
namespace {

constexpr int16_t kKnowsGroupIdNotFound = 9;
constexpr int16_t kTopicIds = 10;

using Place = std::pair<size_t, size_t>;  // topic and partition in the request

void answer(Exchange& exchange, OffsetCommitResponse& response, const std::vector<Place>& places, KafkaError error) {
  for (const auto& [topic, partition] : places)
    response.topics[topic].partitions[partition].error_code = code_of(error);
  exchange.reply(response);
}

/// Fills `response` with what can be said now, and `commit` with the rest; `places` says where its answers belong.
void sort_out(const BrokerServices& services, const Exchange& exchange, const OffsetCommitRequest& request,
              OffsetCommitResponse& response, OffsetCommit& commit, std::vector<Place>& places) {
  const bool by_id = exchange.version() >= kTopicIds;
  for (const auto& topic : request.topics) {
    const auto entry = by_id ? services.broker.find_topic(topic.topic_id) : services.broker.find_topic(topic.name);
    auto& out = response.topics.emplace_back();
    out.name = topic.name;
    out.topic_id = topic.topic_id;
    for (const auto& each : topic.partitions) {
      const KafkaError error = by_id && entry == nullptr
                                   ? KafkaError::kUnknownTopicId
                                   : check_partition_to_commit(services, exchange, entry.get(), each.partition_index,
                                                               each.committed_metadata);
      out.partitions.push_back({each.partition_index, code_of(error)});
      if (error != KafkaError::kNone) continue;
      places.emplace_back(response.topics.size() - 1, out.partitions.size() - 1);
      commit.offsets.push_back({{entry->name, each.partition_index},
                                {.offset = each.committed_offset,
                                 .leader_epoch = each.committed_leader_epoch,
                                 .metadata = std::string(each.committed_metadata.value_or(""))}});
    }
  }
}

void handle(BrokerServices& services, const OffsetCommitRequest& request, std::unique_ptr<Exchange> exchange) {
  OffsetCommitResponse response;
  OffsetCommit commit;
  std::vector<Place> places;
  if (!may_on_group(services, *exchange, AclOperation::kRead, request.group_id)) {
    for (const auto& topic : request.topics) {
      auto& out = response.topics.emplace_back();
      out.name = topic.name;
      out.topic_id = topic.topic_id;
      for (const auto& each : topic.partitions)
        out.partitions.push_back({each.partition_index, code_of(KafkaError::kGroupAuthorizationFailed)});
    }
    return exchange->reply(response);
  }
  sort_out(services, *exchange, request, response, commit, places);
  if (commit.offsets.empty() && !request.topics.empty()) return exchange->reply(response);
  commit.who = {std::string(request.group_id), std::string(request.member_id), owned(request.group_instance_id),
                request.generation_id_or_member_epoch};
  commit.retention_ms = request.retention_time_ms;
  commit.knows_group_id_not_found = exchange->version() >= kKnowsGroupIdNotFound;
  services.groups.commit(std::move(commit), [held = std::shared_ptr<Exchange>(std::move(exchange)),
                                             response = std::move(response), places = std::move(places)](
                                                KafkaError error) mutable { answer(*held, response, places, error); });
}

}  // namespace

Api offset_commit_api() { return make_api<OffsetCommitRequest, handle>(); }

}  // namespace millrace
