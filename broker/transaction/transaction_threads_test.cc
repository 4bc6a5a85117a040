/// Producers on threads of their own, over a real broker with its syncing thread and executor.
#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "broker/server/background.h"
#include "broker/transaction/transaction_environment.h"
#include "log/fault_file_system.h"

namespace millrace {
namespace {

constexpr int kThreads = 4;
constexpr int kTransactions = 40;

/// Runs one transaction after the other, in both versions of the protocol; returns the errors it met.
class Worker {
 public:
  Worker(Broker& broker, TransactionCoordinator& coordinator, int number)
      : broker_(broker), coordinator_(coordinator), id_("worker-" + std::to_string(number)) {}

  void run() {
    for (const int16_t version : {kTransactionsV1, kTransactionsV2}) {
      init();
      for (int i = 0; i < kTransactions; ++i) transaction(version, i % 3 != 0);
    }
  }

 private:
  void init() {
    std::promise<std::pair<KafkaError, ProducerIdAndEpoch>> answer;
    coordinator_.init_producer_id(id_, 60'000, {}, [&](KafkaError error, ProducerIdAndEpoch producer) {
      answer.set_value({error, producer});
    });
    const auto [error, producer] = answer.get_future().get();
    ASSERT_EQ(error, KafkaError::kNone);
    producer_ = producer;
    sequence_ = 0;
  }
  void transaction(int16_t version, bool commit) {
    const PartitionKey key{"t", sequence_ % 2};
    std::promise<KafkaError> added;
    coordinator_.add_partitions(id_, producer_, {key}, version, [&](KafkaError error) { added.set_value(error); });
    ASSERT_EQ(added.get_future().get(), KafkaError::kNone);
    append(key);
    std::promise<std::pair<KafkaError, ProducerIdAndEpoch>> ended;
    coordinator_.end_transaction(id_, producer_, commit, version, [&](KafkaError error, ProducerIdAndEpoch producer) {
      ended.set_value({error, producer});
    });
    const auto [error, producer] = ended.get_future().get();
    ASSERT_EQ(error, KafkaError::kNone);
    producer_ = producer;
  }
  void append(const PartitionKey& key) {
    RecordBatchBuilder builder({.producer_id = producer_.id, .producer_epoch = producer_.epoch, .transactional = true});
    builder.append(0, {}, id_);
    ASSERT_TRUE(builder.finish());
    std::string batch = builder.take();
    std::promise<bool> durable;
    auto log = broker_.log(key.first, key.second);
    ASSERT_TRUE(log);
    ASSERT_TRUE((*log)->append(batch, {.check_producer = false},
                               [&](const Expected<int64_t>& offset) { durable.set_value(offset.has_value()); }));
    ASSERT_TRUE(durable.get_future().get());
    ++sequence_;
  }

  Broker& broker_;
  TransactionCoordinator& coordinator_;
  const std::string id_;
  ProducerIdAndEpoch producer_;
  int32_t sequence_ = 0;
};

TEST(TransactionThreads, ManyProducersAtOnce) {
  FaultFileSystem fs;
  SystemClock clock;
  auto broker = Broker::open(fs, clock, Logger(), {.directory = "/logs", .background = false});
  ASSERT_TRUE(broker) << broker.error().message;
  ASSERT_TRUE((*broker)->create_topic("t", 2, {}));
  BackgroundExecutor executor(clock);
  TransactionOptions options = transaction_options(**broker);
  options.timeout_scan_interval = std::chrono::milliseconds(1);
  auto coordinator = TransactionCoordinator::open(
      transaction_environment(fs, clock, executor, **broker, [](int64_t, int32_t, bool) {}), options);
  ASSERT_TRUE(coordinator) << coordinator.error().message;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) threads.emplace_back([&, i] { Worker(**broker, **coordinator, i).run(); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ((*coordinator)->list().size(), static_cast<size_t>(kThreads));
  for (int32_t partition = 0; partition < 2; ++partition) {
    const auto log = *(*broker)->log("t", partition);
    EXPECT_EQ(log->last_stable_offset(), log->end_offset());
    EXPECT_FALSE(log->aborted_transactions(0, log->end_offset()).empty());
  }
  (*coordinator)->stop();
  std::optional<KafkaError> refused;
  (*coordinator)->init_idempotent_producer([&](KafkaError error, ProducerIdAndEpoch) { refused = error; });
  EXPECT_EQ(refused, KafkaError::kCoordinatorNotAvailable);
  executor.stop();
  ASSERT_TRUE((*broker)->close());
}

}  // namespace
}  // namespace millrace
