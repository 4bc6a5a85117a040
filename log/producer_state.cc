#include "log/producer_state.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/crc32c.h"

namespace millrace {
namespace {

constexpr size_t kSnapshotHeaderBytes = 10;
constexpr size_t kSnapshotEntryBytes = 46;
constexpr int16_t kSnapshotVersion = 1;

tl::unexpected<Error> refuse(ErrorCode code, std::string_view exception, std::string message) {
  return fail(Error{code, std::move(message), fmt::format("org.apache.kafka.common.errors.{}", exception), {}, {}});
}

bool follows(int32_t last, int32_t next) { return next == (last == INT32_MAX ? 0 : last + 1); }

int32_t decrement_sequence(int32_t sequence, int32_t by) {
  return sequence >= by ? sequence - by : INT32_MAX - (by - sequence) + 1;
}

}  // namespace

Expected<std::optional<ProducerBatch>> ProducerState::check(const RecordBatchView& batch) const {
  const auto found = producers_.find(batch.producer_id());
  if (batch.producer_id() < 0 || found == producers_.end()) return std::nullopt;
  const ProducerEntry& known = found->second;
  if (batch.producer_epoch() < known.epoch) {
    return refuse(ErrorCode::kFenced, "InvalidProducerEpochException",
                  fmt::format("producer {} sent epoch {}, the partition knows epoch {}", batch.producer_id(),
                              batch.producer_epoch(), known.epoch));
  }
  // Coordinators write for a producer without counting (TxnOffsetCommit).
  if (batch.base_sequence() == batch_format::kNoSequence) return std::nullopt;
  const bool same_epoch = batch.producer_epoch() == known.epoch;
  if (same_epoch) {
    for (const ProducerBatch& earlier : known.batches) {
      if (earlier.first_sequence == batch.base_sequence() && earlier.last_sequence == batch.last_sequence())
        return earlier;
    }
  }
  const bool in_order =
      same_epoch ? known.batches.empty() || follows(known.batches.back().last_sequence, batch.base_sequence())
                 : batch.base_sequence() == 0;
  if (!in_order && !(same_epoch && known.batches.empty())) {
    return refuse(ErrorCode::kConflict, "OutOfOrderSequenceException",
                  fmt::format("producer {} epoch {} sent sequence {}, the last was {}", batch.producer_id(),
                              batch.producer_epoch(), batch.base_sequence(),
                              known.batches.empty() ? -1 : known.batches.back().last_sequence));
  }
  if (known.transaction_first_offset >= 0 && !batch.transactional()) {
    return refuse(ErrorCode::kConflict, "InvalidTxnStateException",
                  fmt::format("producer {} sent a plain batch inside its transaction", batch.producer_id()));
  }
  return std::nullopt;
}

Expected<std::optional<AbortedTransaction>> ProducerState::apply(const RecordBatchView& batch) {
  if (batch.producer_id() < 0) return std::nullopt;
  const auto found = producers_.find(batch.producer_id());
  ProducerEntry entry = found == producers_.end() ? ProducerEntry{} : found->second;
  std::optional<AbortedTransaction> aborted;
  if (batch.producer_epoch() != entry.epoch) {
    entry.epoch = batch.producer_epoch();
    entry.batches.clear();
  }
  if (batch.control()) {
    auto ended = apply_marker(batch, entry);
    if (!ended) return ended;
    aborted = *ended;
  } else {
    if (entry.batches.size() == ProducerEntry::kBatchesMax) entry.batches.erase(entry.batches.begin());
    entry.batches.push_back({batch.base_sequence(), batch.last_sequence(), batch.base_offset(), batch.last_offset(),
                             batch.max_timestamp()});
    entry.last_timestamp = batch.max_timestamp();
    if (entry.transaction_first_offset >= 0 && !batch.transactional()) {
      return refuse(ErrorCode::kConflict, "InvalidTxnStateException",
                    fmt::format("batch at offset {}: producer {} has a plain batch inside its transaction",
                                batch.base_offset(), batch.producer_id()));
    }
    if (batch.transactional() && entry.transaction_first_offset < 0)
      entry.transaction_first_offset = batch.base_offset();
  }
  const int64_t open_before = found == producers_.end() ? -1 : found->second.transaction_first_offset;
  if (open_before != entry.transaction_first_offset) {
    if (open_before >= 0) open_transactions_.erase(open_before);
    if (entry.transaction_first_offset >= 0) open_transactions_.insert(entry.transaction_first_offset);
  }
  producers_[batch.producer_id()] = std::move(entry);
  return aborted;
}

Expected<std::optional<AbortedTransaction>> ProducerState::apply_marker(const RecordBatchView& batch,
                                                                        ProducerEntry& entry) {
  std::string scratch;
  auto records = RecordIterator::open(batch, scratch);
  if (!records) return fail(std::move(records.error()));
  RecordView marker;
  if (!records->next(marker)) {
    if (!records->status()) return fail(records->status().error());
    return std::nullopt;  // compaction has emptied the batch
  }
  if (!marker.key || marker.key->size() < 4 || !marker.value || marker.value->size() < 6) {
    return fail(ErrorCode::kCorruption,
                fmt::format("batch at offset {}: the transaction marker is cut", batch.base_offset()));
  }
  const auto type = load_be<int16_t>(marker.key->data() + 2);
  if (type != batch_format::kControlAbort && type != batch_format::kControlCommit) return std::nullopt;
  entry.coordinator_epoch = load_be<int32_t>(marker.value->data() + 2);
  entry.last_timestamp = marker.timestamp;
  const int64_t first_offset = std::exchange(entry.transaction_first_offset, -1);
  if (first_offset < 0 || type == batch_format::kControlCommit) return std::nullopt;
  // What a reader may see once this transaction is over: up to the oldest one of another producer.
  int64_t last_stable = marker.offset + 1;
  for (const auto& [producer_id, other] : producers_) {
    if (producer_id == batch.producer_id() || other.transaction_first_offset < 0) continue;
    last_stable = std::min(last_stable, other.transaction_first_offset);
  }
  return AbortedTransaction{batch.producer_id(), first_offset, marker.offset, last_stable};
}

std::optional<int64_t> ProducerState::first_unstable_offset() const {
  if (open_transactions_.empty()) return std::nullopt;
  return *open_transactions_.begin();
}

std::optional<int64_t> ProducerState::open_transaction(int64_t producer_id) const {
  const auto found = producers_.find(producer_id);
  if (found == producers_.end() || found->second.transaction_first_offset < 0) return std::nullopt;
  return found->second.transaction_first_offset;
}

void ProducerState::seen(int64_t producer_id, int64_t now_ms) {
  if (producer_id < 0) {
    for (auto& [id, entry] : producers_) entry.last_seen_ms = now_ms;
  } else if (const auto found = producers_.find(producer_id); found != producers_.end()) {
    found->second.last_seen_ms = now_ms;
  }
}

void ProducerState::expire(int64_t before_ms) {
  std::erase_if(producers_, [&](const auto& each) {
    const ProducerEntry& entry = each.second;
    return entry.transaction_first_offset < 0 && std::max(entry.last_timestamp, entry.last_seen_ms) < before_ms;
  });
}

std::string ProducerState::snapshot() const {
  std::string bytes;
  append_be(bytes, kSnapshotVersion);
  append_be<uint32_t>(bytes, 0);
  append_be(bytes, static_cast<int32_t>(producers_.size()));
  for (const auto& [producer_id, entry] : producers_) {
    const ProducerBatch last = entry.batches.empty() ? ProducerBatch{-1, -1, -1, -1, -1} : entry.batches.back();
    append_be(bytes, producer_id);
    append_be(bytes, entry.epoch);
    append_be(bytes, last.last_sequence);
    append_be(bytes, last.last_offset);
    append_be(bytes, static_cast<int32_t>(last.last_offset - last.first_offset));
    append_be(bytes, entry.last_timestamp);
    append_be(bytes, entry.coordinator_epoch);
    append_be(bytes, entry.transaction_first_offset);
  }
  store_be(bytes.data() + 2, crc32c(BytesView(bytes).substr(6)));
  return bytes;
}

Expected<ProducerState> ProducerState::from_snapshot(BytesView bytes) {
  if (bytes.size() < kSnapshotHeaderBytes || load_be<int16_t>(bytes.data()) != kSnapshotVersion) {
    return fail(ErrorCode::kCorruption, "producer snapshot: unknown version or too short");
  }
  if (load_be<uint32_t>(bytes.data() + 2) != crc32c(bytes.substr(6)))
    return fail(ErrorCode::kCorruption, "producer snapshot: crc differs");
  const auto count = load_be<int32_t>(bytes.data() + 6);
  if (count < 0 || bytes.size() != kSnapshotHeaderBytes + kSnapshotEntryBytes * static_cast<size_t>(count)) {
    return fail(ErrorCode::kCorruption,
                fmt::format("producer snapshot: {} bytes do not hold {} producers", bytes.size(), count));
  }
  ProducerState state;
  const char* at = bytes.data() + kSnapshotHeaderBytes;
  for (int32_t i = 0; i < count; ++i, at += kSnapshotEntryBytes) {
    ProducerEntry entry;
    entry.epoch = load_be<int16_t>(at + 8);
    entry.last_timestamp = load_be<int64_t>(at + 26);
    entry.coordinator_epoch = load_be<int32_t>(at + 34);
    entry.transaction_first_offset = load_be<int64_t>(at + 38);
    const auto last_sequence = load_be<int32_t>(at + 10);
    const auto last_offset = load_be<int64_t>(at + 14);
    const auto delta = load_be<int32_t>(at + 22);
    if (last_offset >= 0) {
      entry.batches.push_back({decrement_sequence(last_sequence, delta), last_sequence, last_offset - delta,
                               last_offset, entry.last_timestamp});
    }
    if (entry.transaction_first_offset >= 0) state.open_transactions_.insert(entry.transaction_first_offset);
    state.producers_[load_be<int64_t>(at)] = std::move(entry);
  }
  return state;
}

}  // namespace millrace
