#include "tools/group_client.h"

#include <fmt/format.h>

#include <algorithm>

#include "protocol/messages/consumer_group_describe.h"
#include "protocol/messages/consumer_protocol.h"
#include "protocol/messages/describe_groups.h"
#include "protocol/messages/list_groups.h"
#include "protocol/messages/offset_commit.h"
#include "protocol/messages/offset_fetch.h"

namespace millrace {
namespace {

// Later versions name topics by id.
constexpr int16_t kOffsetsByNameMax = 9;
constexpr int16_t kFetchOfOneGroupMax = 7;
constexpr int16_t kAllTopicsMin = 2;

void add_assignment(BytesView bytes, WireGroupMember& member) {
  WireReader reader(bytes);
  if (bytes.empty()) return;
  const auto version = reader.number<int16_t>();
  ConsumerProtocolAssignment assignment;
  assignment.decode(reader, std::clamp<int16_t>(version, 0, ConsumerProtocolAssignment::kVersionMax));
  if (reader.bad()) return;  // of another protocol
  for (const auto& topic : assignment.assigned_partitions) {
    for (const int32_t partition : topic.partitions) member.assignment.emplace_back(topic.topic, partition);
  }
}

/// Nothing when the group does not speak KIP-848 (or the broker does not).
Expected<std::optional<WireGroupDescription>> describe_consumer_group(WireClient& client, int32_t node,
                                                                      const std::string& group) {
  auto connection = client.connection_to(node);
  if (!connection) return fail(std::move(connection.error()));
  if (!(*connection)->versions().contains(ConsumerGroupDescribeRequest::kApiKey)) return std::nullopt;
  ConsumerGroupDescribeRequest request;
  request.group_ids = {group};
  auto answer = client.call<ConsumerGroupDescribeResponse>(node, request);
  if (!answer) return fail(std::move(answer.error()));
  if (answer->message.groups.empty()) return std::nullopt;
  const auto& wire = answer->message.groups.front();
  if (wire.error_code == code_of(KafkaError::kGroupIdNotFound) ||
      wire.error_code == code_of(KafkaError::kUnsupportedVersion))
    return std::nullopt;
  WireGroupDescription result{.id = group,
                              .error = wire.error_code,
                              .error_message = std::string(wire.error_message.value_or("")),
                              .state = std::string(wire.group_state),
                              .assignor = std::string(wire.assignor_name),
                              .members = {},
                              .coordinator = {}};
  for (const auto& member : wire.members) {
    WireGroupMember& out = result.members.emplace_back();
    out = {std::string(member.member_id),
           std::string(member.instance_id.value_or("")),
           std::string(member.client_id),
           std::string(member.client_host),
           {}};
    for (const auto& topic : member.assignment.topic_partitions) {
      for (const int32_t partition : topic.partitions) out.assignment.emplace_back(topic.topic_name, partition);
    }
  }
  return result;
}

Expected<WireGroupDescription> describe_classic_group(WireClient& client, int32_t node, const std::string& group) {
  DescribeGroupsRequest request;
  request.groups = {group};
  auto answer = client.call<DescribeGroupsResponse>(node, request);
  if (!answer) return fail(std::move(answer.error()));
  WireGroupDescription result{
      .id = group, .error = 0, .error_message = {}, .state = "Dead", .assignor = {}, .members = {}, .coordinator = {}};
  if (answer->message.groups.empty()) return result;
  const auto& wire = answer->message.groups.front();
  // Before version 6 an unknown group is a dead one without an error.
  if (wire.error_code == code_of(KafkaError::kGroupIdNotFound)) return result;
  result.error = wire.error_code;
  result.error_message = wire.error_message.value_or("");
  result.state = wire.group_state;
  result.assignor = wire.protocol_data;
  for (const auto& member : wire.members) {
    WireGroupMember& out = result.members.emplace_back();
    out = {std::string(member.member_id),
           std::string(member.group_instance_id.value_or("")),
           std::string(member.client_id),
           std::string(member.client_host),
           {}};
    if (wire.protocol_type == "consumer") add_assignment(member.member_assignment, out);
  }
  return result;
}

}  // namespace

Expected<std::vector<WireGroupListing>> list_groups(WireClient& client, const std::vector<std::string>& states,
                                                    const std::vector<std::string>& types) {
  auto brokers = client.brokers();
  if (!brokers) return fail(std::move(brokers.error()));
  ListGroupsRequest request;
  request.states_filter.assign(states.begin(), states.end());
  request.types_filter.assign(types.begin(), types.end());
  const int16_t version_min = !types.empty() ? 5 : !states.empty() ? 4 : 0;
  std::vector<WireGroupListing> groups;
  for (const WireBroker& broker : *brokers) {
    auto answer = client.call<ListGroupsResponse>(broker.id, request, version_min);
    if (!answer) return fail(std::move(answer.error()));
    if (answer->message.error_code != 0) return fail(wire_error(answer->message.error_code));
    for (const auto& group : answer->message.groups) {
      groups.push_back({std::string(group.group_id), std::string(group.protocol_type), std::string(group.group_state),
                        std::string(group.group_type)});
    }
  }
  return groups;
}

Expected<WireGroupDescription> describe_group(WireClient& client, const std::string& group) {
  auto node = client.coordinator(CoordinatorType::kGroup, group);
  if (!node) return fail(std::move(node.error()));
  auto consumer = describe_consumer_group(client, *node, group);
  if (!consumer) return fail(std::move(consumer.error()));
  auto described =
      *consumer ? Expected<WireGroupDescription>(std::move(**consumer)) : describe_classic_group(client, *node, group);
  if (!described) return described;
  auto brokers = client.brokers();
  if (!brokers) return fail(std::move(brokers.error()));
  for (WireBroker& broker : *brokers) {
    if (broker.id == *node) described->coordinator = std::move(broker);
  }
  return described;
}

Expected<std::map<PartitionName, int64_t>> committed_offsets(WireClient& client, const std::string& group) {
  auto node = client.coordinator(CoordinatorType::kGroup, group);
  if (!node) return fail(std::move(node.error()));
  OffsetFetchRequest request;
  request.group_id = group;
  request.topics = std::nullopt;
  auto& asked = request.groups.emplace_back();
  asked.group_id = group;
  asked.topics = std::nullopt;
  auto answer = client.call<OffsetFetchResponse>(*node, request, kAllTopicsMin, kOffsetsByNameMax);
  if (!answer) return fail(std::move(answer.error()));
  std::map<PartitionName, int64_t> offsets;
  int16_t error = answer->message.error_code;
  const auto add = [&](const auto& topics) {
    for (const auto& topic : topics) {
      for (const auto& partition : topic.partitions) {
        if (partition.error_code != 0) error = partition.error_code;
        if (partition.committed_offset >= 0)
          offsets[{std::string(topic.name), partition.partition_index}] = partition.committed_offset;
      }
    }
  };
  if (answer->version <= kFetchOfOneGroupMax) {
    add(answer->message.topics);
  } else if (!answer->message.groups.empty()) {
    error = answer->message.groups.front().error_code;
    add(answer->message.groups.front().topics);
  }
  if (error != 0) return fail(wire_error(error));
  return offsets;
}

Status commit_offsets(WireClient& client, const std::string& group, const std::map<PartitionName, int64_t>& offsets) {
  auto node = client.coordinator(CoordinatorType::kGroup, group);
  if (!node) return fail(std::move(node.error()));
  OffsetCommitRequest request;
  request.group_id = group;
  for (const auto& [partition, offset] : offsets) {
    if (request.topics.empty() || request.topics.back().name != partition.first)
      request.topics.emplace_back().name = partition.first;
    auto& out = request.topics.back().partitions.emplace_back();
    out.partition_index = partition.second;
    out.committed_offset = offset;
    out.committed_metadata = "";
  }
  auto answer = client.call<OffsetCommitResponse>(*node, request, 2, kOffsetsByNameMax);
  if (!answer) return fail(std::move(answer.error()));
  for (const auto& topic : answer->message.topics) {
    for (const auto& partition : topic.partitions) {
      if (partition.error_code != 0) return fail(wire_error(partition.error_code));
    }
  }
  return {};
}

}  // namespace millrace
