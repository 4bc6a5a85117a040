// DescribeProducers (61).
#include "protocol/messages/describe_producers.h"
#include "broker/handlers/transaction_handlers.h"
#include "broker/topic_config.h"

namespace millrace {
namespace {

using Response = DescribeProducersResponse;

KafkaError topic_error(const BrokerServices& services, const Exchange& exchange, std::string_view name,
                       const TopicEntry* known) {
  if (!check_topic_name(name)) return KafkaError::kInvalidTopicException;
  if (!services.security.authorized(exchange.session(), AclOperation::kRead, ResourceType::kTopic, name))
    return KafkaError::kTopicAuthorizationFailed;
  return known == nullptr ? KafkaError::kUnknownTopicOrPartition : KafkaError::kNone;
}

void describe(const PartitionLog& log, Response::PartitionResponse& result) {
  for (const ProducerInfo& producer : log.producers()) {
    result.active_producers.push_back({producer.producer_id, producer.producer_epoch, producer.last_sequence,
                                       producer.last_timestamp, producer.coordinator_epoch,
                                       producer.transaction_first_offset});
  }
}

void handle(BrokerServices& services, const DescribeProducersRequest& request, std::unique_ptr<Exchange> exchange) {
  Response response;
  for (const auto& topic : request.topics) {
    auto& by_topic = response.topics.emplace_back();
    by_topic.name = topic.name;
    const auto known = services.broker.find_topic(topic.name);
    const KafkaError refused = topic_error(services, *exchange, topic.name, known.get());
    for (const int32_t partition : topic.partition_indexes) {
      auto& result = by_topic.partitions.emplace_back();
      result.partition_index = partition;
      const bool exists = known != nullptr && known->has(partition);
      const KafkaError error = refused == KafkaError::kNone && !exists ? KafkaError::kUnknownTopicOrPartition : refused;
      result.error_code = code_of(error);
      if (error == KafkaError::kUnknownTopicOrPartition) {
        result.error_message = "This server does not host this topic-partition.";
      } else if (error == KafkaError::kTopicAuthorizationFailed) {
        result.error_message = "Topic authorization failed.";
      } else if (error == KafkaError::kInvalidTopicException) {
        result.error_message = "The request attempted to perform an operation on an invalid topic.";
      } else if (const auto log = known->log(partition); log != nullptr) {
        describe(*log, result);
      }
    }
  }
  exchange->reply(response);
}

}  // namespace

Api describe_producers_api() { return make_api<DescribeProducersRequest, handle>(); }

}  // namespace millrace
