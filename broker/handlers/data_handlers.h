/// The APIs of the data path, each in the file of its name; data_apis.cc lists them. And what they share.
#pragma once

#include <memory>
#include <string_view>

#include "broker/broker.h"
#include "broker/security/security.h"
#include "broker/server/api.h"
#include "broker/server/services.h"
#include "protocol/kafka_error.h"

namespace millrace {

Api produce_api();
Api fetch_api();
Api list_offsets_api();
Api metadata_api();
Api find_coordinator_api();
Api api_versions_api();
Api delete_records_api();
Api offset_for_leader_epoch_api();
Api describe_cluster_api();
Api describe_topic_partitions_api();

/// Where a client that came in by `session`'s listener is told to connect.
const AdvertisedListener& advertised_to(const BrokerServices& services, const Session& session);

/// Null when the topic has no such partition. Partitions of __consumer_offsets that were never written are not made.
inline const std::shared_ptr<PartitionLog>& find_log(const TopicEntry* topic, int32_t partition) {
  static const std::shared_ptr<PartitionLog> kNone;
  return topic == nullptr ? kNone : topic->log(partition);
}

/// A client's idea of the leader epoch against the log's; -1 asks for no check.
inline KafkaError check_leader_epoch(const PartitionLog& log, int32_t claimed) {
  if (claimed < 0) return KafkaError::kNone;
  const int32_t current = log.leader_epoch();
  return claimed < current   ? KafkaError::kFencedLeaderEpoch
         : claimed > current ? KafkaError::kUnknownLeaderEpoch
                             : KafkaError::kNone;
}

inline bool may(const BrokerServices& services, const Session& session, AclOperation operation,
                std::string_view topic) {
  return services.security.authorized(session, operation, ResourceType::kTopic, topic);
}

}  // namespace millrace
