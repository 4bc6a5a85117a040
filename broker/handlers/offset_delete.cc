// OffsetDelete (47): single offsets of a group, unless its members read those topics.
#include "protocol/messages/offset_delete.h"
#include "broker/handlers/group_handlers.h"

namespace millrace {
namespace {

using Place = std::pair<size_t, size_t>;  // topic and partition in the request

void refuse(Exchange& exchange, KafkaError error) {
  OffsetDeleteResponse response;
  response.error_code = code_of(error);
  exchange.reply(response);
}

KafkaError check(const BrokerServices& services, const Exchange& exchange, std::string_view name, int32_t partition) {
  if (!services.security.authorized(exchange.session(), AclOperation::kRead, ResourceType::kTopic, name))
    return KafkaError::kTopicAuthorizationFailed;
  const auto topic = services.broker.find_topic(name);
  return topic != nullptr && topic->has(partition) ? KafkaError::kNone : KafkaError::kUnknownTopicOrPartition;
}

void handle(BrokerServices& services, const OffsetDeleteRequest& request, std::unique_ptr<Exchange> exchange) {
  if (!may_on_group(services, *exchange, AclOperation::kDelete, request.group_id))
    return refuse(*exchange, KafkaError::kGroupAuthorizationFailed);
  if (request.group_id.empty()) return refuse(*exchange, KafkaError::kInvalidGroupId);
  OffsetDeleteResponse response;
  std::vector<PartitionKey> keys;
  std::vector<Place> places;
  for (const auto& topic : request.topics) {
    auto& out = response.topics.emplace_back();
    out.name = topic.name;
    for (const auto& each : topic.partitions) {
      const KafkaError error = check(services, *exchange, topic.name, each.partition_index);
      out.partitions.push_back({each.partition_index, code_of(error)});
      if (error != KafkaError::kNone) continue;
      keys.emplace_back(std::string(topic.name), each.partition_index);
      places.emplace_back(response.topics.size() - 1, out.partitions.size() - 1);
    }
  }
  services.groups.delete_offsets(
      std::string(request.group_id), std::move(keys),
      [held = std::shared_ptr<Exchange>(std::move(exchange)), response = std::move(response),
       places = std::move(places)](KafkaError error, const std::vector<KafkaError>& each) mutable {
        if (error != KafkaError::kNone) return refuse(*held, error);
        for (size_t i = 0; i < places.size(); ++i)
          response.topics[places[i].first].partitions[places[i].second].error_code = code_of(each[i]);
        held->reply(response);
      });
}

}  // namespace

Api offset_delete_api() { return make_api<OffsetDeleteRequest, handle>(); }

}  // namespace millrace
