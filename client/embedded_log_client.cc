#include "client/embedded_log_client.h"

#include <fmt/format.h>

#include "client/embedded_consumer.h"
#include "client/embedded_producer.h"

namespace millrace {
namespace {

class EmbeddedAdmin final : public Admin {
 public:
  explicit EmbeddedAdmin(Broker& broker) : broker_(broker) {}

  std::string cluster_id() override { return broker_.cluster_id(); }

  Status create_topic(const NewTopic& topic) override {
    auto created = broker_.create_topic(topic.name, topic.partitions, topic.configs);
    return created ? Status{} : fail(std::move(created.error()));
  }

  Status delete_topic(const std::string& name) override { return broker_.delete_topic(name); }

  Expected<std::vector<std::string>> list_topics() override {
    std::vector<std::string> names;
    for (const TopicInfo& info : broker_.topics()) names.push_back(info.name);
    return names;
  }

  Expected<TopicDescription> describe_topic(const std::string& name) override {
    auto info = broker_.topic(name);
    if (!info) return fail(std::move(info.error()));
    return TopicDescription{info->name, info->id, info->partitions, info->internal, info->configs};
  }

  Expected<int64_t> earliest_offset(const TopicPartition& partition) override {
    auto log = broker_.log(partition.topic, partition.partition);
    if (!log) return fail(std::move(log.error()));
    return (*log)->log_start_offset();
  }

  Expected<int64_t> latest_offset(const TopicPartition& partition) override {
    auto log = broker_.log(partition.topic, partition.partition);
    if (!log) return fail(std::move(log.error()));
    return (*log)->high_watermark();
  }

  Expected<std::optional<int64_t>> offset_for_time(const TopicPartition& partition, int64_t timestamp_ms) override {
    auto log = broker_.log(partition.topic, partition.partition);
    if (!log) return fail(std::move(log.error()));
    auto found = (*log)->find_by_timestamp(timestamp_ms);
    if (!found) return fail(std::move(found.error()));
    if (!*found) return std::nullopt;
    return (*found)->offset;
  }

  Expected<std::map<TopicPartition, OffsetAndMetadata>> group_offsets(const std::string& group) override {
    std::map<TopicPartition, OffsetAndMetadata> offsets;
    for (const auto& [key, each] : broker_.offsets().group(group))
      offsets[{key.first, key.second}] = {each.offset, each.metadata};
    return offsets;
  }

  Status alter_group_offsets(const std::string& group, const std::map<TopicPartition, int64_t>& offsets) override {
    if (auto free = check_no_members(group); !free) return free;
    GroupOffsets::Offsets stored;
    for (const auto& [partition, offset] : offsets) {
      if (auto log = broker_.log(partition.topic, partition.partition); !log) return fail(std::move(log.error()));
      stored[{partition.topic, partition.partition}] = {offset, -1, {}, 0};
    }
    return broker_.offsets().commit(group, stored);
  }

  Status delete_group_offsets(const std::string& group, const std::vector<TopicPartition>& partitions) override {
    if (auto free = check_no_members(group); !free) return free;
    std::vector<PartitionKey> keys;
    for (const TopicPartition& each : partitions) keys.emplace_back(each.topic, each.partition);
    return broker_.offsets().remove(group, keys);
  }

  Status delete_group(const std::string& group) override {
    if (auto free = check_no_members(group); !free) return free;
    std::vector<PartitionKey> keys;
    for (const auto& [key, each] : broker_.offsets().group(group)) keys.push_back(key);
    return broker_.offsets().remove(group, keys);
  }

 private:
  Status check_no_members(const std::string& group) {
    if (!broker_.membership().has_members(group)) return {};
    return fail(Error{ErrorCode::kConflict,
                      fmt::format("group {} has members: stop its consumers first", group),
                      "org.apache.kafka.common.errors.GroupNotEmptyException",
                      {},
                      {}});
  }
  Broker& broker_;
};

}  // namespace

EmbeddedLogClient::EmbeddedLogClient(std::unique_ptr<Broker> broker, EmbeddedLogOptions options, Logger logger)
    : broker_(std::move(broker)),
      options_(std::move(options)),
      logger_(std::move(logger)),
      admin_(std::make_unique<EmbeddedAdmin>(*broker_)) {}

Expected<std::unique_ptr<EmbeddedLogClient>> EmbeddedLogClient::open(FileSystem& fs, Clock& clock,
                                                                     EmbeddedLogOptions options, Logger logger) {
  BrokerOptions broker_options;
  broker_options.directory = options.directory;
  broker_options.partitions_default = options.partitions_default;
  broker_options.auto_create_topics = options.auto_create_topics;
  auto broker = Broker::open(fs, clock, logger, std::move(broker_options));
  if (!broker) return fail(std::move(broker.error()));
  return std::unique_ptr<EmbeddedLogClient>(
      new EmbeddedLogClient(std::move(*broker), std::move(options), std::move(logger)));
}

EmbeddedLogClient::~EmbeddedLogClient() {
  if (auto closed = broker_->close(); !closed) logger_.error("log_close_failed", {{"error", closed.error().message}});
}

Expected<std::unique_ptr<Producer>> EmbeddedLogClient::producer(const std::string&) {
  return std::make_unique<EmbeddedProducer>(*broker_, options_);
}

Expected<std::unique_ptr<Consumer>> EmbeddedLogClient::consumer(ConsumerConfig config) {
  return std::make_unique<EmbeddedConsumer>(*broker_, std::move(config), logger_);
}

Admin& EmbeddedLogClient::admin() { return *admin_; }

}  // namespace millrace
