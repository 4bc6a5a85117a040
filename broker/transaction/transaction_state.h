/// The rules of one transaction: what a request makes of the state of a transactional id. Pure: no I/O, no clock, no
/// locks. The names and numbers of the states are those of __transaction_state and of DescribeTransactions.
///
/// Each rule returns a Transition. Its `next` counts only once it is durable in __transaction_state; the coordinator
/// (transaction_coordinator.h) sees to that and to the markers.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "log/log_manager.h"
#include "protocol/kafka_error.h"

namespace millrace {

enum class TransactionStatus : int8_t {
  kEmpty = 0,
  kOngoing = 1,
  kPrepareCommit = 2,
  kPrepareAbort = 3,
  kCompleteCommit = 4,
  kCompleteAbort = 5,
  kDead = 6,
  kPrepareEpochFence = 7,
};

/// "CompleteCommit"
std::string_view transaction_status_name(TransactionStatus status);
std::optional<TransactionStatus> transaction_status_of(std::string_view name);

struct ProducerIdAndEpoch {
  int64_t id = -1;
  int16_t epoch = -1;
  bool operator==(const ProducerIdAndEpoch&) const = default;
};

/// Version of the transaction protocol that a client speaks (the feature transaction.version): 0 and 1 announce their
/// partitions, 2 (KIP-890) adds them by producing and gets a new epoch with each end of a transaction.
inline constexpr int16_t kTransactionsV1 = 0;
inline constexpr int16_t kTransactionsV2 = 2;

/// What __transaction_state keeps of a transactional id.
struct TransactionState {
  ProducerIdAndEpoch producer;
  int64_t previous_producer_id = -1;  ///< the id before epochs ran out
  int64_t next_producer_id = -1;      ///< Prepare*: the id that the producer goes on with, as its epochs have run out
  int16_t last_producer_epoch = -1;   ///< the epoch before; known only until the next restart, as in Kafka
  int16_t next_producer_epoch = -1;   ///< of two-phase commits (KIP-939), which only Kafka writes: kept as it is
  int32_t timeout_ms = 0;
  TransactionStatus status = TransactionStatus::kEmpty;
  std::set<PartitionKey> partitions;
  int64_t start_ms = -1;
  int64_t update_ms = -1;
  int16_t client_version = kTransactionsV1;
  bool operator==(const TransactionState&) const = default;

  bool prepared() const {
    return status == TransactionStatus::kPrepareCommit || status == TransactionStatus::kPrepareAbort;
  }
};

/// What a request leads to.
struct Transition {
  KafkaError error = KafkaError::kNone;  ///< the answer, once `next` (if any) is durable and its markers are written
  bool needs_producer_id = false;        ///< ask again with a fresh producer id; nothing else is set
  std::optional<TransactionState> next = {};
};

/// A producer takes the transactional id over, or recovers (`expected` is what it has). An open transaction is aborted
/// first, behind a raised epoch, and the answer is CONCURRENT_TRANSACTIONS: the client asks again.
/// `fresh_producer_id`: used when the epochs of the old one are exhausted.
Transition init_producer_id(const TransactionState& state, std::optional<ProducerIdAndEpoch> expected,
                            int32_t timeout_ms, std::optional<int64_t> fresh_producer_id, int64_t now_ms);

/// Partitions join the transaction, which begins with the first.
Transition add_partitions(const TransactionState& state, const ProducerIdAndEpoch& producer,
                          const std::vector<PartitionKey>& partitions, int16_t client_version, int64_t now_ms);

/// Whether `producer` may write to `partition` now: kTransactionAbortable when the partition is not in its transaction.
KafkaError verify_partition(const TransactionState& state, const ProducerIdAndEpoch& producer,
                            const PartitionKey& partition);

/// EndTxn: the decision. With `client_version` 2 the epoch rises in the same step, so that nothing the producer sent
/// before can count for its next transaction.
Transition end_transaction(const TransactionState& state, const ProducerIdAndEpoch& producer, bool commit,
                           int16_t client_version, std::optional<int64_t> fresh_producer_id, int64_t now_ms);

/// Whether an open transaction has lasted longer than its producer allowed.
bool timed_out(const TransactionState& state, int64_t now_ms);
/// The decision to abort an Ongoing transaction against its producer, whose epoch is fenced off.
TransactionState fenced_abort(const TransactionState& state, int64_t now_ms);

/// What follows Prepare* once all markers are durable.
TransactionState completed(const TransactionState& state, int64_t now_ms);
/// Whether the id has been unused for so long that it is forgotten.
bool expired(const TransactionState& state, int64_t now_ms, int64_t expiration_ms);

/// What the producer goes on with after `state`: the answer to InitProducerId and EndTxn.
ProducerIdAndEpoch producer_after(const TransactionState& state);

}  // namespace millrace
