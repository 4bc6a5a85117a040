#include "tools/admin_tool.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

#include "protocol/messages/describe_topic_partitions.h"
#include "protocol/messages/list_offsets.h"
#include "tools/client_properties.h"
#include "tools/kafka_client.h"

namespace millrace {
namespace {

constexpr int16_t kDescribeTopicPartitionsKey = DescribeTopicPartitionsRequest::kApiKey;

void sort_partitions(TopicLayout& topic) { std::ranges::sort(topic.partitions, {}, &TopicLayout::Partition::index); }

Expected<std::map<std::string, TopicLayout>> from_metadata(WireClient& client, const std::vector<std::string>* names) {
  auto answer = client.metadata(names);
  if (!answer) return fail(std::move(answer.error()));
  std::map<std::string, TopicLayout> topics;
  for (const auto& wire : answer->message.topics) {
    const std::string name(wire.name.value_or(""));
    TopicLayout& topic = topics[name];
    topic.name = name;
    topic.id = wire.topic_id;
    topic.internal = wire.is_internal;
    topic.error = wire.error_code;
    for (const auto& partition : wire.partitions) {
      topic.partitions.push_back({partition.partition_index,
                                  partition.leader_id,
                                  partition.replica_nodes,
                                  partition.isr_nodes,
                                  false,
                                  {},
                                  {}});
    }
    sort_partitions(topic);
  }
  return topics;
}

/// Adds one page; the names with which to go on are what is left of `names`, from the cursor's on.
Expected<bool> add_page(WireClient& client, DescribeTopicPartitionsRequest& request, std::string& cursor_topic,
                        std::map<std::string, TopicLayout>& topics) {
  auto answer = client.call<DescribeTopicPartitionsResponse>(WireClient::kAnyBroker, request);
  if (!answer) return fail(std::move(answer.error()));
  for (const auto& wire : answer->message.topics) {
    const std::string name(wire.name.value_or(""));
    TopicLayout& topic = topics[name];
    topic.name = name;
    topic.id = wire.topic_id;
    topic.internal = wire.is_internal;
    topic.error = wire.error_code;
    for (const auto& part : wire.partitions) {
      const bool has_elr = part.eligible_leader_replicas.has_value();
      topic.partitions.push_back({part.partition_index, part.leader_id, part.replica_nodes, part.isr_nodes, has_elr,
                                  part.eligible_leader_replicas.value_or(std::vector<int32_t>{}),
                                  part.last_known_elr.value_or(std::vector<int32_t>{})});
    }
  }
  const auto& next = answer->message.next_cursor;
  if (!next) return false;
  cursor_topic = next->topic_name;
  request.cursor.emplace();
  request.cursor->topic_name = cursor_topic;
  request.cursor->partition_index = next->partition_index;
  std::erase_if(request.topics, [&](const auto& topic) { return topic.name < cursor_topic; });
  return true;
}

}  // namespace

OptionSpec command_config_option(std::string_view description) {
  return {.name = "command-config", .argument = "command config property file", .description = description};
}

Expected<std::unique_ptr<WireClient>> open_admin(const ToolIo& io, const ParsedOptions& options) {
  return open_admin(io, options.text("bootstrap-server"), options.text("command-config"));
}

Expected<std::unique_ptr<WireClient>> open_admin(const ToolIo& io, const std::string& bootstrap,
                                                 const std::string& command_config) {
  ClientProperties properties;
  if (!command_config.empty()) {
    auto loaded = load_client_properties(io.files, command_config);
    if (!loaded) return fail(std::move(loaded.error()));
    properties = std::move(*loaded);
  }
  auto native = to_librdkafka(properties, ClientKind::kAdmin);
  if (!native) return fail(std::move(native.error()));
  auto settings = WireConnectionOptions::parse(*native);
  if (!settings) return fail(std::move(settings.error()));
  return WireClient::open(bootstrap, std::move(*settings));
}

Expected<std::function<bool(const std::string&)>> topic_filter(const std::string& expression) {
  std::string text = expression;
  std::erase_if(text, [](char c) { return c == ' ' || c == '"' || c == '\''; });
  std::ranges::replace(text, ',', '|');
  auto compiled = std::make_shared<RE2>(text, RE2::Quiet);
  if (!compiled->ok())
    return fail(ErrorCode::kInvalidConfig, fmt::format("{} is an invalid regex: {}", text, compiled->error()));
  return [compiled](const std::string& name) { return RE2::FullMatch(name, *compiled); };
}

Expected<std::map<std::string, TopicLayout>> describe_topics(WireClient& client,
                                                             const std::vector<std::string>* names) {
  auto connection = client.connection_to(WireClient::kAnyBroker);
  if (!connection) return fail(std::move(connection.error()));
  // As Kafka's tools, the API with pages where there is one.
  if (names == nullptr || names->empty() || !(*connection)->versions().contains(kDescribeTopicPartitionsKey))
    return from_metadata(client, names);
  std::map<std::string, TopicLayout> topics;
  DescribeTopicPartitionsRequest request;
  std::vector<std::string> sorted = *names;
  std::ranges::sort(sorted);
  for (const std::string& name : sorted) request.topics.emplace_back().name = name;
  std::string cursor_topic;
  while (true) {
    auto more = add_page(client, request, cursor_topic, topics);
    if (!more) return fail(std::move(more.error()));
    if (!*more) break;
  }
  for (auto& [name, topic] : topics) sort_partitions(topic);
  return topics;
}

Expected<std::map<PartitionName, ListedOffset>> list_offsets(WireClient& client,
                                                             const std::map<PartitionName, int64_t>& timestamps,
                                                             bool committed_only) {
  std::set<std::string> topics;
  for (const auto& [partition, timestamp] : timestamps) topics.insert(partition.first);
  const std::vector<std::string> names(topics.begin(), topics.end());
  auto layouts = from_metadata(client, &names);
  if (!layouts) return fail(std::move(layouts.error()));
  std::map<PartitionName, ListedOffset> result;
  std::map<int32_t, std::map<std::string, std::vector<int32_t>>> by_leader;
  for (const auto& [partition, timestamp] : timestamps) {
    const TopicLayout& topic = (*layouts)[partition.first];
    const auto found = std::ranges::find(topic.partitions, partition.second, &TopicLayout::Partition::index);
    if (found == topic.partitions.end()) {
      result[partition].error = code_of(KafkaError::kUnknownTopicOrPartition);
    } else if (found->leader < 0) {
      result[partition].error = code_of(KafkaError::kLeaderNotAvailable);
    } else {
      by_leader[found->leader][partition.first].push_back(partition.second);
    }
  }
  for (const auto& [leader, asked] : by_leader) {
    ListOffsetsRequest request;
    request.replica_id = -1;
    request.isolation_level = committed_only ? 1 : 0;
    for (const auto& [name, partitions] : asked) {
      auto& topic = request.topics.emplace_back();
      topic.name = name;
      for (const int32_t index : partitions) {
        auto& partition = topic.partitions.emplace_back();
        partition.partition_index = index;
        partition.current_leader_epoch = -1;
        partition.timestamp = timestamps.at({name, index});
      }
    }
    auto answer = client.call<ListOffsetsResponse>(leader, request, 1);
    if (!answer) return fail(std::move(answer.error()));
    for (const auto& topic : answer->message.topics) {
      for (const auto& partition : topic.partitions) {
        result[{std::string(topic.name), partition.partition_index}] = {partition.error_code, partition.offset,
                                                                        partition.timestamp};
      }
    }
  }
  return result;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(separator));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    if (!part.empty()) parts.emplace_back(part);
  }
  return parts;
}

std::string join(const std::vector<int32_t>& numbers, std::string_view separator) {
  return fmt::format("{}", fmt::join(numbers, separator));
}

std::string error_text(const Error& error) {
  std::string text = error.message;
  for (const Error* at = &error; !at->cause.empty();) {
    at = &at->cause.front();
    text += fmt::format(" ({})", at->message);
  }
  return text;
}

std::string failure_text(const Error& error) {
  return error.exception.empty() ? error_text(error) : fmt::format("{}: {}", error.exception, error_text(error));
}

void log_tool_error(const ToolIo& io, const Error& error, std::string_view tool_class) {
  const std::string exception = error.exception.empty() ? "org.apache.kafka.common.KafkaException" : error.exception;
  log_line(io, "ERROR", fmt::format("{}: {} ({})", exception, error_text(error), tool_class));
}

Error terse(std::string message) { return Error{ErrorCode::kInvalidConfig, std::move(message), {}, {}, {}}; }

}  // namespace millrace
