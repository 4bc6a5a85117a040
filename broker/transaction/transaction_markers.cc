/// The second half of a transaction's end: markers, pending offsets, Complete*; and what time alone brings about.
#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "broker/broker.h"
#include "broker/transaction/transaction_coordinator.h"
#include "broker/transaction/transaction_records.h"
#include "protocol/hash.h"

namespace millrace {
namespace {

constexpr size_t kTombstonesPerBatch = 100;

}  // namespace

/// Markers of one transaction on their way.
struct TransactionCoordinator::Markers {
  std::string id;
  ProducerIdAndEpoch producer;
  bool commit = false;
  int32_t coordinator_epoch = 0;
  std::vector<PartitionKey> offsets;  ///< partitions of __consumer_offsets
  Done done;                          ///< empty once called
  std::mutex mutex;
  std::vector<PartitionKey> left;  ///< no marker there yet
  size_t waiting = 0;
};

void TransactionCoordinator::finish(const std::string& id, Done done) {
  auto markers = std::make_shared<Markers>();
  const int32_t partition = partition_of_group(id, options_.partitions);
  if (const auto log = environment_.find_log({std::string(kTransactionsTopic), partition}))
    markers->coordinator_epoch = log->leader_epoch();
  {
    std::lock_guard lock(mutex_);
    const auto found = entries_.find(id);
    if (found == entries_.end()) return;
    const TransactionState& state = found->second.state;
    markers->id = id;
    markers->producer = state.producer;
    markers->commit = state.status == TransactionStatus::kPrepareCommit;
    markers->left.assign(state.partitions.begin(), state.partitions.end());
  }
  std::copy_if(markers->left.begin(), markers->left.end(), std::back_inserter(markers->offsets),
               [](const PartitionKey& key) { return key.first == kOffsetsTopic; });
  markers->done = std::move(done);
  write_markers(markers);
}

void TransactionCoordinator::write_markers(const std::shared_ptr<Markers>& markers) {
  std::vector<PartitionKey> partitions;
  {
    std::lock_guard lock(markers->mutex);
    partitions.swap(markers->left);
    markers->waiting = partitions.size() + 1;
  }
  for (const PartitionKey& partition : partitions) write_marker(markers, partition);
  marker_settled(markers, nullptr);
}

void TransactionCoordinator::write_marker(const std::shared_ptr<Markers>& markers, const PartitionKey& partition) {
  const auto log = environment_.find_log(partition);
  // The topic has been deleted since, or nothing was ever written to that partition of __consumer_offsets.
  if (log == nullptr) return marker_settled(markers, nullptr);
  std::string batch =
      marker_batch(markers->producer, markers->commit, markers->coordinator_epoch, environment_.clock.wall_ms());
  auto durable = [this, ticket = take_ticket(), markers, partition](Expected<int64_t> written) {
    marker_settled(markers, written ? nullptr : &partition);
  };
  auto appended = log->append(std::span<char>(batch), {.check_producer = false}, std::move(durable));
  if (appended) return;
  environment_.logger.warn(
      "transaction_marker_not_written",
      {{"transactional_id", markers->id}, {"log", log->directory().string()}, {"error", appended.error().message}});
  marker_settled(markers, &partition);
}

void TransactionCoordinator::marker_settled(const std::shared_ptr<Markers>& markers, const PartitionKey* failed) {
  {
    std::lock_guard lock(markers->mutex);
    if (failed != nullptr) markers->left.push_back(*failed);
    if (--markers->waiting > 0) return;
  }
  // What follows writes to the log, which the thread that syncs it must not do.
  run_soon([this, markers] { markers_written(markers); });
}

void TransactionCoordinator::markers_written(const std::shared_ptr<Markers>& markers) {
  const bool all = markers->left.empty();
  if (all) {
    for (const PartitionKey& partition : markers->offsets)
      environment_.complete_offsets(markers->producer.id, partition.second, markers->commit);
    complete(markers->id);
  }
  // The decision stands in any case; the producer's next request waits for markers that are still missing.
  if (const Done done = std::exchange(markers->done, nullptr)) done(KafkaError::kNone);
  if (all) return;
  std::lock_guard lock(mutex_);
  if (!stopping_) unfinished_.push_back(markers);
}

void TransactionCoordinator::complete(const std::string& id) {
  std::string batch;
  const int64_t now_ms = environment_.clock.wall_ms();
  {
    std::lock_guard lock(mutex_);
    const auto found = entries_.find(id);
    if (found == entries_.end() || !found->second.state.prepared()) return;
    found->second.pending = completed(found->second.state, now_ms);
    batch = transaction_batch(id, *found->second.pending, now_ms);
  }
  // Nobody waits for this record: should it be lost, the next start writes the same markers once more. Records of the
  // transaction that follows come behind it in the same partition.
  append(partition_of_group(id, options_.partitions), std::move(batch), [](KafkaError) {});
  settle(id, true);
}

// --- Time ---

void TransactionCoordinator::scan() {
  const int64_t now_ms = environment_.clock.wall_ms();
  retry_markers();
  abort_timed_out(now_ms);
  if (now_ms - expiration_scanned_ms_ < options_.expiration_scan_interval.count()) return;
  expiration_scanned_ms_ = now_ms;
  forget_expired(now_ms);
}

void TransactionCoordinator::retry_markers() {
  std::vector<std::shared_ptr<Markers>> unfinished;
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return;
    unfinished.swap(unfinished_);
  }
  for (const auto& markers : unfinished) write_markers(markers);
}

void TransactionCoordinator::abort_timed_out(int64_t now_ms) {
  std::vector<TransactionSnapshot> aborts;
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return;
    for (auto& [id, entry] : entries_) {
      if (entry.pending || !timed_out(entry.state, now_ms)) continue;
      entry.pending = fenced_abort(entry.state, now_ms);
      aborts.push_back({id, *entry.pending});
    }
  }
  for (TransactionSnapshot& abort : aborts) {
    environment_.logger.info("transaction_timed_out", {{"transactional_id", abort.transactional_id},
                                                       {"producer_id", abort.state.producer.id},
                                                       {"timeout_ms", abort.state.timeout_ms}});
    persist_decision(std::move(abort.transactional_id), std::move(abort.state), [](KafkaError) {});
  }
}

void TransactionCoordinator::forget_expired(int64_t now_ms) {
  std::map<int32_t, std::vector<std::string>> by_partition;
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return;
    for (auto& [id, entry] : entries_) {
      if (entry.pending || !expired(entry.state, now_ms, options_.id_expiration_ms)) continue;
      entry.pending = entry.state;
      entry.pending->status = TransactionStatus::kDead;
      by_partition[partition_of_group(id, options_.partitions)].push_back(id);
    }
  }
  for (auto& [partition, ids] : by_partition) {
    for (size_t from = 0; from < ids.size(); from += kTombstonesPerBatch) {
      const size_t to = std::min(ids.size(), from + kTombstonesPerBatch);
      std::vector<std::string> some(ids.begin() + static_cast<ptrdiff_t>(from),
                                    ids.begin() + static_cast<ptrdiff_t>(to));
      std::string batch = tombstone_batch(some, now_ms);
      append(partition, std::move(batch), [this, some = std::move(some)](KafkaError error) {
        for (const std::string& id : some) settle(id, error == KafkaError::kNone);
      });
    }
  }
}

}  // namespace millrace
