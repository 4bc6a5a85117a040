#include "client/embedded_log_client.h"

#include <fmt/format.h>

#include <algorithm>

#include "client/embedded_consumer.h"
#include "client/embedded_group_calls.h"
#include "client/embedded_producer.h"
#include "client/embedded_transactional_producer.h"

namespace millrace {
namespace {

class EmbeddedAdmin final : public Admin {
 public:
  EmbeddedAdmin(Broker& broker, GroupCoordinator& groups, TransactionCoordinator* transactions)
      : broker_(broker), groups_(groups), transactions_(transactions) {}

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
    for (const auto& [key, each] : groups_.committed(group))
      offsets[{key.first, key.second}] = {each.offset, each.metadata};
    return offsets;
  }

  Status alter_group_offsets(const std::string& group, const std::map<TopicPartition, int64_t>& offsets) override {
    OffsetCommit request;
    request.who.group_id = group;
    for (const auto& [partition, offset] : offsets) {
      if (auto log = broker_.log(partition.topic, partition.partition); !log) return fail(std::move(log.error()));
      request.offsets.push_back({{partition.topic, partition.partition}, {.offset = offset, .metadata = {}}});
    }
    return commit_and_wait(groups_, std::move(request));
  }

  Status delete_group_offsets(const std::string& group, const std::vector<TopicPartition>& partitions) override {
    std::vector<PartitionKey> keys;
    for (const TopicPartition& each : partitions) keys.emplace_back(each.topic, each.partition);
    return delete_offsets_and_wait(groups_, group, keys);
  }

  Status delete_group(const std::string& group) override { return delete_group_and_wait(groups_, group); }

  Status abort_transactions_on(const std::string& topic) override {
    if (transactions_ == nullptr) return {};
    for (const TransactionSnapshot& each : transactions_->list()) {
      const TransactionState& state = each.state;
      const bool open = state.status == TransactionStatus::kOngoing || state.prepared();
      const bool holds = std::ranges::any_of(state.partitions, [&](const auto& key) { return key.first == topic; });
      if (!open || !holds) continue;
      auto taken = take_over_and_wait(*transactions_, each.transactional_id, state.timeout_ms);
      if (!taken) return fail(std::move(taken.error()));
    }
    return {};
  }

 private:
  Broker& broker_;
  GroupCoordinator& groups_;
  TransactionCoordinator* transactions_;
};

}  // namespace

EmbeddedLogClient::EmbeddedLogClient(std::unique_ptr<Broker> owned_broker,
                                     std::unique_ptr<GroupCoordinator> owned_groups, Broker& broker,
                                     GroupCoordinator& groups, TransactionCoordinator* transactions,
                                     EmbeddedLogOptions options, Logger logger)
    : owned_broker_(std::move(owned_broker)),
      owned_groups_(std::move(owned_groups)),
      broker_(broker),
      groups_(groups),
      transactions_(transactions),
      options_(std::move(options)),
      logger_(std::move(logger)),
      admin_(std::make_unique<EmbeddedAdmin>(broker_, groups_, transactions_)) {}

Expected<std::unique_ptr<EmbeddedLogClient>> EmbeddedLogClient::open(FileSystem& fs, Clock& clock,
                                                                     EmbeddedLogOptions options, Logger logger) {
  BrokerOptions broker_options;
  broker_options.directory = options.directory;
  broker_options.partitions_default = options.partitions_default;
  broker_options.auto_create_topics = options.auto_create_topics;
  auto broker = Broker::open(fs, clock, logger, std::move(broker_options));
  if (!broker) return fail(std::move(broker.error()));
  auto groups = GroupCoordinator::open(**broker, clock, logger, {});
  if (!groups) return fail(std::move(groups.error()));
  Broker& opened = **broker;
  GroupCoordinator& loaded = **groups;
  return std::unique_ptr<EmbeddedLogClient>(new EmbeddedLogClient(
      std::move(*broker), std::move(*groups), opened, loaded, nullptr, std::move(options), std::move(logger)));
}

std::unique_ptr<EmbeddedLogClient> EmbeddedLogClient::over(Broker& broker, GroupCoordinator& groups,
                                                           EmbeddedLogOptions options, Logger logger,
                                                           TransactionCoordinator* transactions) {
  return std::unique_ptr<EmbeddedLogClient>(
      new EmbeddedLogClient({}, {}, broker, groups, transactions, std::move(options), std::move(logger)));
}

EmbeddedLogClient::~EmbeddedLogClient() {
  if (owned_broker_ == nullptr) return;
  owned_groups_->close();
  if (auto closed = owned_broker_->close(); !closed)
    logger_.error("log_close_failed", {{"error", closed.error().message}});
}

Expected<std::unique_ptr<Producer>> EmbeddedLogClient::producer(const std::string&) {
  return std::make_unique<EmbeddedProducer>(broker_, options_);
}

Expected<std::unique_ptr<TransactionalProducer>> EmbeddedLogClient::transactional_producer(
    const TransactionConfig& config) {
  if (transactions_ == nullptr) return fail(ErrorCode::kInvalidConfig, "this log has no transactions");
  return EmbeddedTransactionalProducer::open(broker_, *transactions_, options_, config);
}

Expected<std::unique_ptr<Consumer>> EmbeddedLogClient::consumer(ConsumerConfig config) {
  return std::make_unique<EmbeddedConsumer>(broker_, groups_, std::move(config), logger_);
}

Admin& EmbeddedLogClient::admin() { return *admin_; }

}  // namespace millrace
