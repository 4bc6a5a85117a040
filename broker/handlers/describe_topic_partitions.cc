// DescribeTopicPartitions: topics by name, page by page.
#include <algorithm>
#include <set>

#include "broker/handlers/data_handlers.h"
#include "protocol/messages/describe_topic_partitions.h"

namespace millrace {
namespace {

constexpr int32_t kPartitionsMax = 2000;  // max.request.partition.size.limit

using Request = DescribeTopicPartitionsRequest;
using Response = DescribeTopicPartitionsResponse;
using Topic = Response::DescribeTopicPartitionsResponseTopic;

/// The names asked for, or all, from the cursor on and in order.
std::set<std::string> names_from_cursor(const BrokerServices& services, const Request& request) {
  std::set<std::string> names;
  const std::string_view from = request.cursor ? request.cursor->topic_name : std::string_view();
  if (request.topics.empty()) {
    for (const TopicInfo& info : services.broker.topics()) {
      if (info.name >= from) names.insert(info.name);
    }
  }
  for (const auto& asked : request.topics) {
    if (asked.name >= from) names.emplace(asked.name);
  }
  return names;
}

/// Adds partitions from `first` on, `room` at most; the partition to go on with, -1 when all are told.
int32_t add_partitions(const TopicEntry& entry, int32_t self, int32_t first, int32_t room, Topic& topic) {
  const auto count = static_cast<int32_t>(entry.logs.size());
  const int32_t upto = std::min(count, first + room);
  for (int32_t i = first; i < upto; ++i) {
    auto& partition = topic.partitions.emplace_back();
    partition.partition_index = i;
    partition.leader_id = self;
    partition.leader_epoch = entry.log(i) == nullptr ? 0 : entry.log(i)->leader_epoch();
    partition.replica_nodes = {self};
    partition.isr_nodes = {self};
    partition.eligible_leader_replicas.emplace();
    partition.last_known_elr.emplace();
  }
  return upto < count ? upto : -1;
}

void handle_describe_topic_partitions(BrokerServices& services, const Request& request,
                                      std::unique_ptr<Exchange> exchange) {
  if (request.cursor && request.cursor->partition_index < 0) return exchange->close_connection();
  const std::set<std::string> names = names_from_cursor(services, request);
  std::vector<std::shared_ptr<const TopicEntry>> entries;  // the answer's views point into them
  Response response;
  int32_t room = std::max(1, std::min(request.response_partition_limit, kPartitionsMax));
  for (const std::string& name : names) {
    const bool allowed = may(services, exchange->session(), AclOperation::kDescribe, name);
    auto entry = services.broker.find_topic(name);
    if (room == 0) {
      response.next_cursor = {{name, 0}};
      break;
    }
    if (!allowed || entry == nullptr) {
      if (request.topics.empty()) continue;
      Topic& topic = response.topics.emplace_back();
      topic.name = name;
      topic.error_code = code_of(!allowed                  ? KafkaError::kTopicAuthorizationFailed
                                 : !check_topic_name(name) ? KafkaError::kInvalidTopicException
                                                           : KafkaError::kUnknownTopicOrPartition);
      continue;
    }
    Topic& topic = response.topics.emplace_back();
    topic.name = name;
    topic.topic_id = entry->id;
    topic.is_internal = entry->internal;
    topic.topic_authorized_operations =
        services.security.authorized_operations(exchange->session(), ResourceType::kTopic, name);
    const bool at_cursor = request.cursor && request.cursor->topic_name == name;
    const int32_t next =
        add_partitions(*entry, services.node_id, at_cursor ? request.cursor->partition_index : 0, room, topic);
    room -= static_cast<int32_t>(topic.partitions.size());
    entries.push_back(std::move(entry));
    if (next >= 0) {
      response.next_cursor = {{name, next}};
      break;
    }
  }
  exchange->reply(response);
}

}  // namespace

Api describe_topic_partitions_api() {
  return make_api<DescribeTopicPartitionsRequest, handle_describe_topic_partitions>(0, 0);
}

}  // namespace millrace
