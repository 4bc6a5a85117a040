// Metadata: this broker, and topics with their partitions, created where clients may.
#include <fmt/format.h>

#include "broker/handlers/data_handlers.h"
#include "protocol/messages/metadata.h"

namespace millrace {
namespace {

constexpr int16_t kNoneIsEmptySince = 1;
constexpr int16_t kTopicIdsSince = 12;
constexpr int32_t kNotAsked = INT32_MIN;

/// One request under way: entries are kept because the answer's views point into them.
struct MetadataJob {
  BrokerServices& services;
  MetadataRequest request;
  std::unique_ptr<Exchange> exchange;
  MetadataResponse response = {};
  std::vector<std::shared_ptr<const TopicEntry>> entries = {};

  const Session& session() const { return exchange->session(); }
  bool allowed(AclOperation operation, std::string_view topic) const {
    return may(services, session(), operation, topic);
  }
};

using Topic = MetadataResponse::MetadataResponseTopic;

void describe(MetadataJob& job, std::shared_ptr<const TopicEntry> entry) {
  Topic& topic = job.response.topics.emplace_back();
  topic.name = entry->name;
  topic.topic_id = entry->id;
  topic.is_internal = entry->internal;
  const int32_t self = job.services.node_id;
  topic.partitions.reserve(entry->logs.size());
  for (size_t i = 0; i < entry->logs.size(); ++i) {
    auto& partition = topic.partitions.emplace_back();
    partition.partition_index = static_cast<int32_t>(i);
    partition.leader_id = self;
    partition.leader_epoch = entry->logs[i] == nullptr ? 0 : entry->logs[i]->leader_epoch();
    partition.replica_nodes = {self};
    partition.isr_nodes = {self};
  }
  topic.topic_authorized_operations =
      job.request.include_topic_authorized_operations
          ? job.services.security.authorized_operations(job.session(), ResourceType::kTopic, entry->name)
          : kNotAsked;
  job.entries.push_back(std::move(entry));
}

void refuse(MetadataJob& job, std::optional<std::string_view> name, const Uuid& id, KafkaError error) {
  Topic& topic = job.response.topics.emplace_back();
  topic.error_code = code_of(error);
  topic.name = name;
  topic.topic_id = id;
}

bool may_create(const MetadataJob& job, std::string_view topic) {
  return job.services.security.authorized_on_cluster(job.session(), AclOperation::kCreate) ||
         job.allowed(AclOperation::kCreate, topic);
}

bool creates(const MetadataJob& job) {
  return job.request.allow_auto_topic_creation && job.services.broker.options().auto_create_topics;
}

/// The internal topics have partitions and configs of their own, which their first use gives them.
Status create(Broker& broker, const std::string& name) {
  if (name == kOffsetsTopic || name == kTransactionsTopic) {
    auto made = broker.log(name, 0);
    return made ? Status{} : Status(fail(std::move(made.error())));
  }
  auto made = broker.topic_or_create(name);
  return made ? Status{} : Status(fail(std::move(made.error())));
}

void describe_unknown(MetadataJob& job, std::string_view name) {
  if (!creates(job)) {
    const bool valid = check_topic_name(name).has_value();
    return refuse(job, name, {}, valid ? KafkaError::kUnknownTopicOrPartition : KafkaError::kInvalidTopicException);
  }
  if (!may_create(job, name)) return refuse(job, name, {}, KafkaError::kTopicAuthorizationFailed);
  const Status created = create(job.services.broker, std::string(name));
  auto entry = job.services.broker.find_topic(name);
  if (created && entry != nullptr) return describe(job, std::move(entry));
  refuse(job, name, {}, created ? KafkaError::kUnknownTopicOrPartition : kafka_error_of(created.error()));
}

void describe_by_id(MetadataJob& job, const Uuid& id) {
  auto entry = job.services.broker.find_topic(id);
  if (entry == nullptr) return refuse(job, std::nullopt, id, KafkaError::kUnknownTopicId);
  // Who may not see the topic is not told its name either.
  if (!job.allowed(AclOperation::kDescribe, entry->name))
    return refuse(job, std::nullopt, id, KafkaError::kTopicAuthorizationFailed);
  describe(job, std::move(entry));
}

void describe_all(MetadataJob& job) {
  for (const TopicInfo& info : job.services.broker.topics()) {
    if (!job.allowed(AclOperation::kDescribe, info.name)) continue;
    if (auto entry = job.services.broker.find_topic(info.name)) describe(job, std::move(entry));
  }
}

void describe_asked(MetadataJob& job) {
  for (const auto& asked : *job.request.topics) {
    if (!asked.topic_id.is_zero()) {
      if (job.exchange->version() < kTopicIdsSince) {
        refuse(job, asked.name.value_or(""), asked.topic_id, KafkaError::kInvalidRequest);
      } else {
        describe_by_id(job, asked.topic_id);
      }
      continue;
    }
    if (!asked.name) {
      refuse(job, job.exchange->version() < kTopicIdsSince ? std::optional<std::string_view>("") : std::nullopt, {},
             KafkaError::kInvalidRequest);
      continue;
    }
    if (!job.allowed(AclOperation::kDescribe, *asked.name)) {
      refuse(job, asked.name, {}, KafkaError::kTopicAuthorizationFailed);
    } else if (auto entry = job.services.broker.find_topic(*asked.name)) {
      describe(job, std::move(entry));
    } else {
      describe_unknown(job, *asked.name);
    }
  }
}

bool asks_for_all(const MetadataJob& job) {
  return !job.request.topics || (job.exchange->version() < kNoneIsEmptySince && job.request.topics->empty());
}

void answer(MetadataJob& job) {
  const AdvertisedListener& here = advertised_to(job.services, job.session());
  MetadataResponse& response = job.response;
  response.brokers.push_back({job.services.node_id, here.host, here.port, std::nullopt});
  response.cluster_id = job.services.broker.cluster_id();
  response.controller_id = job.services.node_id;
  if (job.request.include_cluster_authorized_operations) {
    const Security& security = job.services.security;
    response.cluster_authorized_operations =
        security.authorized_on_cluster(job.session(), AclOperation::kDescribe)
            ? security.authorized_operations(job.session(), ResourceType::kCluster, kClusterResource)
            : 0;
  }
  if (asks_for_all(job)) {
    describe_all(job);
  } else {
    describe_asked(job);
  }
  job.exchange->reply(response);
}

/// Whether answering touches the disk.
bool will_create(const MetadataJob& job) {
  if (!creates(job) || asks_for_all(job)) return false;
  for (const auto& asked : *job.request.topics) {
    if (asked.name && asked.topic_id.is_zero() && job.services.broker.find_topic(*asked.name) == nullptr) return true;
  }
  return false;
}

void handle_metadata(BrokerServices& services, const MetadataRequest& request, std::unique_ptr<Exchange> exchange) {
  auto job = std::make_shared<MetadataJob>(MetadataJob{services, request, std::move(exchange)});
  if (!will_create(*job)) return answer(*job);
  services.executor.run([job = std::move(job)] { answer(*job); });
}

}  // namespace

Api metadata_api() { return make_api<MetadataRequest, handle_metadata>(0, 13); }

}  // namespace millrace
