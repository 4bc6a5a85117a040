// CreateTopics (19).
#include <fmt/format.h>

#include <algorithm>

#include "broker/handlers/admin_apis.h"
#include "broker/handlers/admin_common.h"
#include "broker/handlers/config_entries.h"
#include "protocol/messages/create_topics.h"

namespace millrace {
namespace {

using Topic = CreateTopicsRequest::CreatableTopic;
using Result = CreateTopicsResponse::CreatableTopicResult;

Error refusal(KafkaError error, std::string message) { return error_of(error, std::move(message)); }

std::string without_collisions(std::string_view name) {
  std::string unified(name);
  std::ranges::replace(unified, '.', '_');
  return unified;
}

/// The names of metrics make no difference between '.' and '_', which is why Kafka takes only one of two such topics.
Status check_name(BrokerServices& services, const Topic& topic) {
  if (auto legal = check_topic_name(topic.name); !legal) return legal;
  if (topic.name.find_first_of("._") == std::string_view::npos) return {};
  const std::string unified = without_collisions(topic.name);
  for (const TopicInfo& other : services.broker.topics()) {
    if (other.name == topic.name || without_collisions(other.name) != unified) continue;
    return fail(refusal(KafkaError::kInvalidTopicException,
                        fmt::format("Topic '{}' collides with existing topic: {}", topic.name, other.name)));
  }
  return {};
}

Expected<TopicConfigs> read_configs(const Topic& topic) {
  TopicConfigs configs;
  for (const auto& config : topic.configs) {
    if (!config.value)
      return fail(refusal(KafkaError::kInvalidConfig,
                          fmt::format("Null value not supported for topic configs: {}", config.name)));
    configs[std::string(config.name)] = *config.value;
  }
  if (auto valid = apply_topic_configs(LogConfig{}, configs); !valid)
    return fail(refusal(KafkaError::kInvalidConfig, valid.error().message));
  return configs;
}

/// The number of partitions that `topic` assigns by hand.
Expected<int32_t> assigned_partitions(const BrokerServices& services, const Topic& topic) {
  if (topic.replication_factor != -1)
    return fail(refusal(KafkaError::kInvalidRequest,
                        "A manual partition assignment was specified, but replication factor was not set to -1."));
  if (topic.num_partitions != -1)
    return fail(refusal(KafkaError::kInvalidRequest,
                        "A manual partition assignment was specified, but numPartitions was not set to -1."));
  std::set<int32_t> partitions;
  for (const auto& assignment : topic.assignments) {
    if (!partitions.insert(assignment.partition_index).second)
      return fail(refusal(
          KafkaError::kInvalidReplicaAssignment,
          fmt::format("Found multiple manual partition assignments for partition {}", assignment.partition_index)));
    if (auto possible = check_assignment(services, assignment.broker_ids); !possible)
      return fail(std::move(possible.error()));
  }
  if (*partitions.begin() != 0 || *partitions.rbegin() != static_cast<int32_t>(partitions.size()) - 1)
    return fail(
        refusal(KafkaError::kInvalidReplicaAssignment, "partitions should be a consecutive 0-based integer sequence"));
  return static_cast<int32_t>(partitions.size());
}

Expected<int32_t> partitions_of(const BrokerServices& services, const Topic& topic) {
  if (!topic.assignments.empty()) return assigned_partitions(services, topic);
  if (topic.replication_factor < -1 || topic.replication_factor == 0)
    return fail(refusal(KafkaError::kInvalidReplicationFactor,
                        "Replication factor must be larger than 0, or -1 to use the default value."));
  if (topic.num_partitions < -1 || topic.num_partitions == 0)
    return fail(
        refusal(KafkaError::kInvalidPartitions, "Number of partitions was set to an invalid non-positive value."));
  if (topic.replication_factor > 1 && !services.configs->is_true("accept.replication.factor"))
    return fail(refusal(KafkaError::kInvalidReplicationFactor,
                        fmt::format("Unable to replicate the partition {0} time(s): The target replication factor of "
                                    "{0} cannot be reached because only 1 broker(s) are registered.",
                                    topic.replication_factor)));
  return topic.num_partitions == -1 ? services.broker.options().partitions_default : topic.num_partitions;
}

/// The topic as it is now, or as it would be.
Expected<TopicInfo> create_one(BrokerServices& services, const Topic& topic, bool validate_only) {
  if (auto named = check_name(services, topic); !named) return fail(std::move(named.error()));
  const std::string name(topic.name);
  if (services.broker.topic(name))
    return fail(refusal(KafkaError::kTopicAlreadyExists, fmt::format("Topic '{}' already exists.", name)));
  auto configs = read_configs(topic);
  if (!configs) return fail(std::move(configs.error()));
  auto partitions = partitions_of(services, topic);
  if (!partitions) return fail(std::move(partitions.error()));
  if (validate_only) return TopicInfo{name, make_topic_id(), *partitions, false, std::move(*configs)};
  return services.broker.create_topic(name, *partitions, *configs);
}

void describe(BrokerServices& services, Exchange& exchange, const TopicInfo& topic, Result& result) {
  result.topic_id = Uuid::parse(topic.id).value_or(Uuid{});
  result.error_message = std::nullopt;
  if (!may_on_topic(services, exchange, AclOperation::kDescribeConfigs, topic.name)) {
    result.topic_config_error_code = code_of(KafkaError::kTopicAuthorizationFailed);
    return;
  }
  result.num_partitions = topic.partitions;
  result.replication_factor = 1;
  for (ConfigEntry& entry : topic_config_entries(*services.configs, services.node_id, topic.configs)) {
    auto& config = result.configs->emplace_back();
    config.name = exchange.keep(std::move(entry.name));
    config.value = exchange.keep(std::move(*entry.value));
    config.config_source = static_cast<int8_t>(entry.source);
  }
}

bool may_create(const BrokerServices& services, const Exchange& exchange, std::string_view topic) {
  return may_on_cluster(services, exchange, AclOperation::kCreate) ||
         may_on_topic(services, exchange, AclOperation::kCreate, topic);
}

void create_topics(BrokerServices& services, const CreateTopicsRequest& request, Exchange& exchange) {
  const auto twice = duplicates(request.topics, [](const Topic& topic) { return topic.name; });
  std::set<std::string_view> answered;
  CreateTopicsResponse response;
  for (const Topic& topic : request.topics) {
    if (!answered.insert(topic.name).second) continue;
    Result& result = response.topics.emplace_back();
    result.name = topic.name;
    const auto fail_with = [&](AdminError error) {
      result.error_code = error.code;
      result.error_message = error.message;
    };
    if (twice.contains(topic.name)) {
      fail_with({code_of(KafkaError::kInvalidRequest), "Duplicate topic name."});
    } else if (!may_create(services, exchange, topic.name)) {
      fail_with({code_of(KafkaError::kTopicAuthorizationFailed), "Authorization failed."});
    } else if (auto created = create_one(services, topic, request.validate_only); !created) {
      fail_with(admin_error(exchange, created.error()));
    } else {
      describe(services, exchange, *created, result);
    }
  }
  exchange.reply(response);
}

}  // namespace

Api create_topics_api() { return make_api<CreateTopicsRequest, in_background<CreateTopicsRequest, create_topics>>(); }

}  // namespace millrace
