#include "broker/transaction/transaction_state.h"

#include <array>

namespace millrace {
namespace {

using enum TransactionStatus;

constexpr std::array<std::string_view, 8> kNames = {"Empty",        "Ongoing",          "PrepareCommit",
                                                    "PrepareAbort", "CompleteCommit",   "CompleteAbort",
                                                    "Dead",         "PrepareEpochFence"};

/// The last epoch but one is the last that a producer gets: the very last is left for fencing it.
constexpr int16_t kEpochMax = INT16_MAX - 1;

bool exhausted(int16_t epoch) { return epoch >= kEpochMax; }
bool open(const TransactionState& state) { return state.status == kOngoing; }
int16_t raised(int16_t epoch) { return static_cast<int16_t>(epoch + 1); }

Transition answer(KafkaError error) { return {error, false, {}}; }
Transition go_to(TransactionState next) { return {KafkaError::kNone, false, std::move(next)}; }
Transition ask_for_producer_id() { return {KafkaError::kNone, true, {}}; }

/// Empty, with nothing left of the transaction before.
TransactionState initialized(const TransactionState& state, ProducerIdAndEpoch producer, int16_t last_epoch,
                             int32_t timeout_ms, int64_t now_ms) {
  TransactionState next = state;
  if (producer.id != state.producer.id) next.previous_producer_id = state.producer.id;
  next.producer = producer;
  next.next_producer_id = -1;
  next.next_producer_epoch = -1;
  next.last_producer_epoch = last_epoch;
  next.timeout_ms = timeout_ms;
  next.status = kEmpty;
  next.partitions.clear();
  next.start_ms = -1;
  next.update_ms = now_ms;
  next.client_version = kTransactionsV1;
  return next;
}

/// Whether a recovering producer's id can be this transactional id's at all.
bool knows_producer_id(const TransactionState& state, const ProducerIdAndEpoch& expected) {
  return state.producer.epoch < 0 || expected.id == state.producer.id ||
         (expected.id == state.previous_producer_id && exhausted(expected.epoch));
}

Transition raise_epoch(const TransactionState& state, std::optional<ProducerIdAndEpoch> expected, int32_t timeout_ms,
                       int64_t now_ms) {
  const ProducerIdAndEpoch now = state.producer;
  if (!expected) return go_to(initialized(state, {now.id, raised(now.epoch)}, -1, timeout_ms, now_ms));
  if (now.epoch < 0 || (expected->epoch == now.epoch && expected->id == now.id))
    return go_to(initialized(state, {now.id, raised(now.epoch)}, now.epoch, timeout_ms, now_ms));
  // The answer to an earlier try was lost: the producer gets what it was given then.
  if (expected->epoch == state.last_producer_epoch)
    return go_to(initialized(state, now, state.last_producer_epoch, timeout_ms, now_ms));
  return answer(KafkaError::kProducerFenced);
}

Transition decide(const TransactionState& state, bool commit, int16_t client_version,
                  std::optional<int64_t> fresh_producer_id, int64_t now_ms) {
  TransactionState next = state;
  next.status = commit ? kPrepareCommit : kPrepareAbort;
  next.update_ms = now_ms;
  next.client_version = client_version;
  next.next_producer_id = -1;
  if (!open(state)) next.start_ms = now_ms;  // the abort of a transaction that never began
  if (client_version < kTransactionsV2) return go_to(std::move(next));
  if (exhausted(state.producer.epoch)) {
    if (!fresh_producer_id) return ask_for_producer_id();
    next.next_producer_id = *fresh_producer_id;
  }
  next.last_producer_epoch = state.producer.epoch;
  next.producer.epoch = raised(state.producer.epoch);
  return go_to(std::move(next));
}

Transition end_v1(const TransactionState& state, const ProducerIdAndEpoch& producer, bool commit, int64_t now_ms) {
  if (producer.id != state.producer.id) return answer(KafkaError::kInvalidProducerIdMapping);
  if (producer.epoch != state.producer.epoch) return answer(KafkaError::kProducerFenced);
  const bool same = commit ? state.status == kPrepareCommit || state.status == kCompleteCommit
                           : state.status == kPrepareAbort || state.status == kCompleteAbort;
  if (open(state)) return decide(state, commit, kTransactionsV1, {}, now_ms);
  if (!same) return answer(KafkaError::kInvalidTxnState);
  return answer(state.prepared() ? KafkaError::kConcurrentTransactions : KafkaError::kNone);
}

/// With the epoch rising at each end, an end that was asked for again is told by its epoch: the one before.
Transition end_v2(const TransactionState& state, const ProducerIdAndEpoch& producer, bool commit,
                  std::optional<int64_t> fresh_producer_id, int64_t now_ms) {
  const bool after_v2 = state.client_version >= kTransactionsV2;
  const bool same_id = producer.id == state.producer.id;
  const bool again_on_new_id =
      after_v2 && producer.id == state.previous_producer_id && producer.epoch == kEpochMax && state.producer.epoch == 0;
  const bool again = again_on_new_id || (after_v2 && same_id && state.producer.epoch == producer.epoch + 1);
  if (!same_id && !again_on_new_id) return answer(KafkaError::kInvalidProducerIdMapping);
  const bool now = same_id && producer.epoch == state.producer.epoch;
  switch (state.status) {
    case kPrepareCommit:
    case kPrepareAbort:
      if (!again) return answer(KafkaError::kProducerFenced);
      return answer(commit == (state.status == kPrepareCommit) ? KafkaError::kConcurrentTransactions
                                                               : KafkaError::kInvalidTxnState);
    case kCompleteCommit:
    case kCompleteAbort:
      if (again) {
        return answer(commit == (state.status == kCompleteCommit) ? KafkaError::kNone : KafkaError::kInvalidTxnState);
      }
      break;
    default:
      break;
  }
  if (!now) return answer(KafkaError::kProducerFenced);
  // An abort is taken even where nothing has begun: batches that are still under way must not begin it afterwards.
  if (open(state) || !commit) return decide(state, commit, kTransactionsV2, fresh_producer_id, now_ms);
  return answer(KafkaError::kInvalidTxnState);
}

}  // namespace

std::string_view transaction_status_name(TransactionStatus status) {
  const auto index = static_cast<size_t>(status);
  return index < kNames.size() ? kNames[index] : "Unknown";
}

std::optional<TransactionStatus> transaction_status_of(std::string_view name) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<TransactionStatus>(i);
  }
  return std::nullopt;
}

Transition init_producer_id(const TransactionState& state, std::optional<ProducerIdAndEpoch> expected,
                            int32_t timeout_ms, std::optional<int64_t> fresh_producer_id, int64_t now_ms) {
  if (expected && !knows_producer_id(state, *expected)) return answer(KafkaError::kProducerFenced);
  if (state.prepared()) return answer(KafkaError::kConcurrentTransactions);
  if (open(state)) {
    // A producer that is not even the current one must not end the current one's transaction.
    if (expected && expected->epoch != state.producer.epoch && expected->epoch != state.last_producer_epoch)
      return answer(KafkaError::kProducerFenced);
    return {KafkaError::kConcurrentTransactions, false, fenced_abort(state, now_ms)};
  }
  if (!exhausted(state.producer.epoch)) return raise_epoch(state, expected, timeout_ms, now_ms);
  if (expected && expected->epoch != state.producer.epoch) {
    if (expected->epoch != state.last_producer_epoch) return answer(KafkaError::kProducerFenced);
    return go_to(initialized(state, state.producer, state.last_producer_epoch, timeout_ms, now_ms));
  }
  if (!fresh_producer_id) return ask_for_producer_id();
  const int16_t last = expected ? state.producer.epoch : static_cast<int16_t>(-1);
  return go_to(initialized(state, {*fresh_producer_id, 0}, last, timeout_ms, now_ms));
}

Transition add_partitions(const TransactionState& state, const ProducerIdAndEpoch& producer,
                          const std::vector<PartitionKey>& partitions, int16_t client_version, int64_t now_ms) {
  if (producer.id != state.producer.id) return answer(KafkaError::kInvalidProducerIdMapping);
  if (producer.epoch != state.producer.epoch) return answer(KafkaError::kProducerFenced);
  if (state.prepared()) return answer(KafkaError::kConcurrentTransactions);
  TransactionState next = state;
  next.partitions.insert(partitions.begin(), partitions.end());
  if (open(state) && next.partitions.size() == state.partitions.size()) return answer(KafkaError::kNone);
  if (!open(state)) next.start_ms = now_ms;
  next.status = kOngoing;
  next.update_ms = now_ms;
  next.client_version = client_version;
  return go_to(std::move(next));
}

KafkaError verify_partition(const TransactionState& state, const ProducerIdAndEpoch& producer,
                            const PartitionKey& partition) {
  if (producer.id != state.producer.id) return KafkaError::kInvalidProducerIdMapping;
  if (producer.epoch != state.producer.epoch) return KafkaError::kProducerFenced;
  if (state.prepared()) return KafkaError::kConcurrentTransactions;
  return state.partitions.contains(partition) ? KafkaError::kNone : KafkaError::kTransactionAbortable;
}

Transition end_transaction(const TransactionState& state, const ProducerIdAndEpoch& producer, bool commit,
                           int16_t client_version, std::optional<int64_t> fresh_producer_id, int64_t now_ms) {
  if (client_version < kTransactionsV2) return end_v1(state, producer, commit, now_ms);
  return end_v2(state, producer, commit, fresh_producer_id, now_ms);
}

bool timed_out(const TransactionState& state, int64_t now_ms) {
  return open(state) && state.start_ms + state.timeout_ms < now_ms;
}

TransactionState fenced_abort(const TransactionState& state, int64_t now_ms) {
  TransactionState next = state;
  next.status = kPrepareAbort;
  // An epoch at the end of its range cannot rise; InitProducerId then goes on with a new id, which fences as well.
  if (state.producer.epoch < INT16_MAX) next.producer.epoch = raised(state.producer.epoch);
  next.last_producer_epoch = -1;
  next.next_producer_id = -1;
  next.update_ms = now_ms;
  // No client has asked, so none must be able to claim this end as its own.
  next.client_version = kTransactionsV1;
  return next;
}

TransactionState completed(const TransactionState& state, int64_t now_ms) {
  TransactionState next = state;
  next.status = state.status == kPrepareCommit ? kCompleteCommit : kCompleteAbort;
  next.partitions.clear();
  next.update_ms = now_ms;
  if (state.next_producer_id >= 0) {
    next.previous_producer_id = state.producer.id;
    next.last_producer_epoch = state.producer.epoch;
    next.producer = {state.next_producer_id, 0};
    next.next_producer_id = -1;
  }
  return next;
}

bool expired(const TransactionState& state, int64_t now_ms, int64_t expiration_ms) {
  const bool idle = state.status == kEmpty || state.status == kCompleteCommit || state.status == kCompleteAbort;
  return idle && state.update_ms <= now_ms - expiration_ms;
}

ProducerIdAndEpoch producer_after(const TransactionState& state) {
  if (state.prepared() && state.next_producer_id >= 0) return {state.next_producer_id, 0};
  return state.producer;
}

}  // namespace millrace
