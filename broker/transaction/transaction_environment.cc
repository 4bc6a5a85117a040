#include "broker/transaction/transaction_environment.h"

namespace millrace {
namespace {

std::shared_ptr<PartitionLog> find_log(const Broker& broker, const PartitionKey& key) {
  const auto topic = broker.find_topic(key.first);
  return topic == nullptr ? nullptr : topic->log(key.second);
}

std::vector<PartitionKey> partitions(const Broker& broker) {
  std::vector<PartitionKey> all;
  for (const TopicInfo& topic : broker.topics()) {
    for (int32_t partition = 0; partition < topic.partitions; ++partition) {
      PartitionKey key{topic.name, partition};
      if (find_log(broker, key) != nullptr) all.push_back(std::move(key));
    }
  }
  return all;
}

}  // namespace

TransactionEnvironment transaction_environment(FileSystem& fs, Clock& clock, Executor& executor, Broker& broker,
                                               decltype(TransactionEnvironment::complete_offsets) complete_offsets) {
  return {.fs = fs,
          .clock = clock,
          .executor = executor,
          .logger = broker.logger(),
          .directory = broker.options().directory,
          .partitions = [&broker] { return partitions(broker); },
          .find_log = [&broker](const PartitionKey& key) { return find_log(broker, key); },
          .state_log = [&broker](int32_t partition) { return broker.log(std::string(kTransactionsTopic), partition); },
          .complete_offsets = std::move(complete_offsets)};
}

TransactionOptions transaction_options(const Broker& broker, TransactionOptions options) {
  const auto partitions_of = [&](std::string_view topic, int32_t otherwise) {
    const auto known = broker.find_topic(topic);
    return known == nullptr ? otherwise : static_cast<int32_t>(known->logs.size());
  };
  options.partitions = partitions_of(kTransactionsTopic, broker.options().transactions_partitions);
  options.offsets_partitions = partitions_of(kOffsetsTopic, broker.options().offsets_partitions);
  return options;
}

}  // namespace millrace
