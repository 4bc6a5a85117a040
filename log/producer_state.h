/// What a partition remembers of idempotent and transactional producers, so that a retry is not stored twice and a
/// reader knows which transactions are open. Snapshot format: docs/formats/segment.md.
/// Threads: guarded by the log that owns it. Pure: no I/O, no clock.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/error.h"
#include "log/segment_index.h"
#include "protocol/record_batch.h"

namespace millrace {

struct ProducerBatch {
  int32_t first_sequence;
  int32_t last_sequence;
  int64_t first_offset;
  int64_t last_offset;
  int64_t timestamp;
};

struct ProducerEntry {
  static constexpr size_t kBatchesMax = 5;
  int16_t epoch = -1;
  int32_t coordinator_epoch = -1;
  int64_t last_timestamp = -1;
  int64_t last_seen_ms = -1;              ///< by the broker's clock; record times may lie years back. Not in snapshots
  int64_t transaction_first_offset = -1;  ///< -1 = none open
  std::vector<ProducerBatch> batches;     ///< oldest first, at most kBatchesMax
};

class ProducerState {
 public:
  /// Rules of a client's append. The earlier batch when `batch` is a retry of it; nothing when it may be appended.
  /// Errors (with Kafka's exception class in Error::exception): kFenced for a stale epoch, kConflict for a gap in the
  /// sequence or a plain batch inside a transaction.
  Expected<std::optional<ProducerBatch>> check(const RecordBatchView& batch) const;

  /// Takes note of an appended or replayed batch; returns the transaction that an abort marker in it has ended.
  /// Errors: kCorruption for a marker that cannot be read, kConflict for a plain batch inside a transaction.
  Expected<std::optional<AbortedTransaction>> apply(const RecordBatchView& batch);

  /// First offset of the oldest open transaction.
  std::optional<int64_t> first_unstable_offset() const;
  /// First offset of the producer's open transaction.
  std::optional<int64_t> open_transaction(int64_t producer_id) const;
  const std::map<int64_t, ProducerEntry>& producers() const { return producers_; }
  /// The producer (-1 = each) was heard of now.
  void seen(int64_t producer_id, int64_t now_ms);
  /// Forgets producers unused since `before_ms`, except those in a transaction.
  void expire(int64_t before_ms);

  std::string snapshot() const;
  static Expected<ProducerState> from_snapshot(BytesView bytes);

 private:
  Expected<std::optional<AbortedTransaction>> apply_marker(const RecordBatchView& batch, ProducerEntry& entry);
  std::map<int64_t, ProducerEntry> producers_;  // ordered: snapshots are written in this order
  std::set<int64_t> open_transactions_;         // first offsets
};

}  // namespace millrace
