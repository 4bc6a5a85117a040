/// The transactional producer of the embedded log: the transaction coordinator's verbs as function calls, waited for.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <set>

#include "broker/transaction/transaction_coordinator.h"
#include "client/embedded_producer.h"

namespace millrace {

/// Takes a transactional id over: a predecessor is fenced off and its open transaction aborted when this returns.
/// Errors: kUnavailable when the coordinator does not come to an end; those of InitProducerId.
Expected<ProducerIdAndEpoch> take_over_and_wait(TransactionCoordinator& transactions,
                                                const std::string& transactional_id, int32_t timeout_ms);

class EmbeddedTransactionalProducer final : public TransactionalProducer {
 public:
  static Expected<std::unique_ptr<EmbeddedTransactionalProducer>> open(Broker& broker,
                                                                       TransactionCoordinator& transactions,
                                                                       const EmbeddedLogOptions& options,
                                                                       const TransactionConfig& config);
  /// Waits for callbacks and leaves an open transaction to the successor or to the timeout.
  ~EmbeddedTransactionalProducer() override = default;

  Expected<int32_t> partition_count(const std::string& topic) override { return appender_.partition_count(topic); }
  void send(const TopicPartition& to, RecordBatchBuilder batch, Callback done) override;
  Status flush(std::chrono::milliseconds timeout) override { return appender_.flush(timeout); }
  Status commit() override;
  Status abort() override;
  bool in_transaction() const override { return !joined_.empty(); }

 private:
  EmbeddedTransactionalProducer(Broker& broker, TransactionCoordinator& transactions, const EmbeddedLogOptions& options,
                                std::string transactional_id, ProducerIdAndEpoch producer)
      : transactions_(transactions),
        transactional_id_(std::move(transactional_id)),
        producer_(producer),
        delivery_timeout_(options.delivery_timeout),
        appender_(broker, options) {}
  Status join(const TopicPartition& to);
  Status end(bool commit);
  void note_failure(const Error& error);
  std::optional<Error> take_failure();

  TransactionCoordinator& transactions_;
  const std::string transactional_id_;
  const ProducerIdAndEpoch producer_;
  const std::chrono::milliseconds delivery_timeout_;
  std::map<TopicPartition, int32_t> next_sequence_;  // they go on from transaction to transaction
  std::set<TopicPartition> joined_;                  // partitions of the open transaction
  std::vector<PartitionKey> joined_last_;            // of the transaction before
  std::mutex failure_mutex_;                         // the callbacks come from the committer's thread
  std::optional<Error> failure_;                     // of the open transaction
  EmbeddedProducer appender_;                        // last: waits for callbacks, which use the rest
};

}  // namespace millrace
