/// The APIs of groups, each in the file of its name; group_apis.cc lists them. And what they share.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "broker/broker.h"
#include "broker/group/group_coordinator.h"
#include "broker/security/security.h"
#include "broker/server/api.h"
#include "broker/server/services.h"
#include "protocol/kafka_error.h"

namespace millrace {

Api offset_commit_api();
Api offset_fetch_api();
Api join_group_api();
Api heartbeat_api();
Api leave_group_api();
Api sync_group_api();
Api describe_groups_api();
Api list_groups_api();
Api txn_offset_commit_api();
Api delete_groups_api();
Api offset_delete_api();

inline bool may_on_group(const BrokerServices& services, const Exchange& exchange, AclOperation operation,
                         std::string_view group_id) {
  return services.security.authorized(exchange.session(), operation, ResourceType::kGroup, group_id);
}

inline std::optional<std::string> owned(const std::optional<std::string_view>& text) {
  if (!text) return std::nullopt;
  return std::string(*text);
}

inline std::optional<std::string_view> viewed(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  return *text;
}

/// Kafka shows addresses as Java prints them: "/127.0.0.1".
inline std::string shown_host(const Session& session) { return "/" + session.client_host; }

/// What stops a commit for a partition before the group is asked.
KafkaError check_partition_to_commit(const BrokerServices& services, const Exchange& exchange, const TopicEntry* topic,
                                     int32_t partition, const std::optional<std::string_view>& metadata);

}  // namespace millrace
