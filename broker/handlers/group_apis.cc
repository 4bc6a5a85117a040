#include <array>

#include "broker/handlers/apis.h"
#include "broker/handlers/group_handlers.h"

namespace millrace {

std::span<const Api> group_apis() {
  static const std::array kApis{offset_commit_api(),     offset_fetch_api(),  join_group_api(),      heartbeat_api(),
                                leave_group_api(),       sync_group_api(),    describe_groups_api(), list_groups_api(),
                                txn_offset_commit_api(), delete_groups_api(), offset_delete_api()};
  return kApis;
}

KafkaError check_partition_to_commit(const BrokerServices& services, const Exchange& exchange, const TopicEntry* topic,
                                     int32_t partition, const std::optional<std::string_view>& metadata) {
  if (topic == nullptr || !topic->has(partition)) return KafkaError::kUnknownTopicOrPartition;
  if (!services.security.authorized(exchange.session(), AclOperation::kRead, ResourceType::kTopic, topic->name))
    return KafkaError::kTopicAuthorizationFailed;
  if (metadata && metadata->size() > services.groups.options().metadata_bytes_max)
    return KafkaError::kOffsetMetadataTooLarge;
  return KafkaError::kNone;
}

}  // namespace millrace
