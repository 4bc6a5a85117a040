#include "client/embedded_transactional_producer.h"

#include <fmt/format.h>

#include <future>
#include <thread>

namespace millrace {
namespace {

using namespace std::chrono_literals;

/// How long the end of another transaction of the same id is waited for, and how often it is asked about.
constexpr auto kPatience = 60s;
constexpr auto kPause = 2ms;

bool may_pass(KafkaError error) {
  return error == KafkaError::kConcurrentTransactions || error == KafkaError::kCoordinatorLoadInProgress;
}

/// Asks until the answer is final. `ask` takes a callback that gets the error first.
template <class Answer, class Ask>
Answer ask_until_final(Ask ask) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (true) {
    std::promise<Answer> answered;
    ask([&](Answer answer) { answered.set_value(answer); });
    const Answer answer = answered.get_future().get();
    if (!may_pass(answer.first) || std::chrono::steady_clock::now() >= deadline) return answer;
    std::this_thread::sleep_for(kPause);
  }
}

using ProducerAnswer = std::pair<KafkaError, ProducerIdAndEpoch>;

tl::unexpected<Error> refused(KafkaError error, std::string_view what, std::string_view transactional_id) {
  Error made = error_of(error, fmt::format("cannot {} {}: {}", what, transactional_id, kafka_error_name(error)));
  if (error == KafkaError::kInvalidProducerEpoch || error == KafkaError::kProducerFenced)
    made.code = ErrorCode::kFenced;
  return fail(std::move(made));
}

}  // namespace

Expected<ProducerIdAndEpoch> take_over_and_wait(TransactionCoordinator& transactions,
                                                const std::string& transactional_id, int32_t timeout_ms) {
  const auto answer = ask_until_final<ProducerAnswer>([&](auto done) {
    transactions.init_producer_id(transactional_id, timeout_ms, std::nullopt,
                                  [done](KafkaError error, ProducerIdAndEpoch producer) mutable {
                                    done({error, producer});
                                  });
  });
  if (answer.first != KafkaError::kNone) return refused(answer.first, "take over", transactional_id);
  return answer.second;
}

Expected<std::unique_ptr<EmbeddedTransactionalProducer>> EmbeddedTransactionalProducer::open(
    Broker& broker, TransactionCoordinator& transactions, const EmbeddedLogOptions& options,
    const TransactionConfig& config) {
  auto producer =
      take_over_and_wait(transactions, config.transactional_id, static_cast<int32_t>(config.timeout.count()));
  if (!producer) return fail(std::move(producer.error()));
  return std::unique_ptr<EmbeddedTransactionalProducer>(
      new EmbeddedTransactionalProducer(broker, transactions, options, config.transactional_id, *producer));
}

void EmbeddedTransactionalProducer::note_failure(const Error& error) {
  std::lock_guard lock(failure_mutex_);
  if (!failure_) failure_ = error;
}

std::optional<Error> EmbeddedTransactionalProducer::take_failure() {
  std::lock_guard lock(failure_mutex_);
  return std::exchange(failure_, std::nullopt);
}

/// A partition must be in the transaction before it is written to.
Status EmbeddedTransactionalProducer::join(const TopicPartition& to) {
  const PartitionKey key{to.topic, to.partition};
  if (joined_.contains(to)) {
    const KafkaError error = transactions_.verify(transactional_id_, producer_.id, producer_.epoch, key);
    return error == KafkaError::kNone ? Status{} : refused(error, "write in the transaction of", transactional_id_);
  }
  // A transaction nearly always writes to the partitions of the one before: they join together, with one sync.
  std::vector<PartitionKey> partitions = std::exchange(joined_last_, {});
  if (std::ranges::find(partitions, key) == partitions.end()) partitions.push_back(key);
  const auto answer = ask_until_final<std::pair<KafkaError, bool>>([&](auto done) {
    transactions_.add_partitions(transactional_id_, producer_, partitions, kTransactionsV1,
                                 [done](KafkaError error) mutable {
                                   done({error, true});
                                 });
  });
  if (answer.first != KafkaError::kNone) return refused(answer.first, "begin the transaction of", transactional_id_);
  for (PartitionKey& each : partitions) joined_.insert({std::move(each.first), each.second});
  return {};
}

void EmbeddedTransactionalProducer::send(const TopicPartition& to, RecordBatchBuilder batch, Callback done) {
  const auto refuse = [&](Error error) {
    note_failure(error);
    done(fail(std::move(error)));
  };
  // The partition exists before it joins.
  if (auto partitions = partition_count(to.topic); !partitions) return refuse(std::move(partitions.error()));
  if (auto joined = join(to); !joined) return refuse(std::move(joined.error()));
  int32_t& sequence = next_sequence_[to];
  const int32_t count = batch.record_count();
  batch.set_producer(producer_.id, producer_.epoch, sequence);
  sequence = sequence > INT32_MAX - count ? count - (INT32_MAX - sequence) - 1 : sequence + count;
  appender_.send(to, std::move(batch), [this, done = std::move(done)](Expected<int64_t> offset) {
    if (!offset) note_failure(offset.error());
    done(std::move(offset));
  });
}

Status EmbeddedTransactionalProducer::commit() {
  // Each batch gets its answer within the delivery timeout; after that the appender itself waits no longer.
  if (auto flushed = appender_.flush(delivery_timeout_ + 5s); !flushed) return flushed;
  if (auto failure = take_failure()) {
    [[maybe_unused]] const Status aborted = end(false);  // the failure says more
    return fail(std::move(*failure));
  }
  return end(true);
}

Status EmbeddedTransactionalProducer::abort() {
  if (auto flushed = appender_.flush(delivery_timeout_ + 5s); !flushed) return flushed;
  take_failure();
  return end(false);
}

Status EmbeddedTransactionalProducer::end(bool commit) {
  if (joined_.empty()) return {};
  for (const TopicPartition& each : joined_) joined_last_.emplace_back(each.topic, each.partition);
  joined_.clear();
  const auto answer = ask_until_final<ProducerAnswer>([&](auto done) {
    transactions_.end_transaction(transactional_id_, producer_, commit, kTransactionsV1,
                                  [done](KafkaError error, ProducerIdAndEpoch producer) mutable {
                                    done({error, producer});
                                  });
  });
  if (answer.first == KafkaError::kNone) return {};
  return refused(answer.first, commit ? "commit the transaction of" : "abort the transaction of", transactional_id_);
}

}  // namespace millrace
