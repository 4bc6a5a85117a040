/// Lookups that answer Fetch, ListOffsets, OffsetForLeaderEpoch and DescribeProducers without reading data.
#include <fmt/format.h>

#include <algorithm>

#include "log/batch_scanner.h"
#include "log/batch_seek.h"
#include "log/partition_log.h"

namespace millrace {

Status PartitionLog::check_range(int64_t offset) const {
  if (offset >= start_offset_ && offset <= end_offset_) return {};
  return fail(Error{ErrorCode::kNotFound,
                    fmt::format("{}: offset {} is outside the log, which holds {} to {}",
                                files_.directory.filename().string(), offset, start_offset_, end_offset_),
                    "org.apache.kafka.common.errors.OffsetOutOfRangeException",
                    {},
                    {}});
}

/// Transactions whose marker is not yet durable count as open: a crash may take the marker back.
int64_t PartitionLog::stable_locked() const {
  int64_t stable = std::min(high_watermark_, producers_.first_unstable_offset().value_or(INT64_MAX));
  for (const EndedTransaction& each : ended_transactions_) stable = std::min(stable, each.first_offset);
  return stable;
}

size_t PartitionLog::segment_holding(int64_t offset) const {
  const auto after = std::upper_bound(segments_.begin(), segments_.end(), offset,
                                      [](int64_t target, const auto& each) { return target < each->base_offset; });
  return after == segments_.begin() ? 0 : static_cast<size_t>(after - segments_.begin()) - 1;
}

/// Where in segment `index` the offset `limit` starts, as far as that is known without reading; nothing when not.
std::optional<uint64_t> PartitionLog::known_position(size_t index, int64_t limit) const {
  const Segment& segment = *segments_[index];
  const bool last = index + 1 == segments_.size();
  if (limit >= (last ? end_offset_ : segments_[index + 1]->base_offset)) return segment.size_bytes;
  if (limit <= segment.base_offset) return 0;
  for (const LimitPlace* place : {&high_watermark_place_, &std::as_const(stable_place_)}) {
    if (place->offset == limit && place->segment == segment.base_offset) return place->position;
  }
  const auto noted = tail_positions_.find(limit);
  if (noted && noted->segment == segment.base_offset) return noted->position;
  return std::nullopt;
}

Expected<LogSlice> PartitionLog::locate(int64_t offset, size_t bytes_max, Isolation isolation,
                                        bool at_least_one_batch) const {
  LogSlice slice;
  std::unique_lock lock(mutex_);
  if (auto checked = check_range(offset); !checked) return fail(std::move(checked.error()));
  slice.high_watermark = high_watermark_;
  slice.last_stable_offset = stable_locked();
  slice.log_start_offset = start_offset_;
  const int64_t limit = isolation == Isolation::kCommitted ? slice.last_stable_offset : high_watermark_;
  for (int64_t target = offset; target < limit;) {
    const size_t index = segment_holding(target);
    const std::shared_ptr<Segment> segment = segments_[index];
    const uint64_t size = segment->size_bytes;
    const int64_t next_base = index + 1 < segments_.size() ? segments_[index + 1]->base_offset : INT64_MAX;
    const auto noted = tail_positions_.find(offset);
    const bool in_tail = noted && noted->segment == segment->base_offset;
    const uint64_t from = segment->offset_index.lookup(offset);
    const uint64_t limit_from = segment->offset_index.lookup(limit);
    const std::optional<uint64_t> known_end = known_position(index, limit);
    std::optional<BatchPlace> first;
    uint64_t end = known_end.value_or(0);
    if (in_tail) first = BatchPlace{noted->position, noted->size_bytes, noted->base_offset, noted->last_offset};
    if (!in_tail || !known_end) {
      lock.unlock();
      if (!in_tail) {
        auto found = seek_batch(*segment->file, from, size, offset);
        if (!found) return fail(std::move(found.error()).wrap(cannot_read(offset)));
        first = *found;
      }
      if (!known_end) {
        auto found = seek_batch(*segment->file, limit_from, size, limit);
        if (!found) return fail(std::move(found.error()).wrap(cannot_read(limit)));
        end = *found ? (*found)->position : size;
      }
      lock.lock();
      if (!known_end) stable_place_ = {limit, segment->base_offset, end};
    }
    if (first && first->position < end) {
      const uint64_t most = std::min<uint64_t>(bytes_max, end - first->position);
      if (most < first->size_bytes && !at_least_one_batch) return slice;
      slice.position = first->position;
      slice.size = std::max(most, first->size_bytes);
      slice.segment = segment;
      if (isolation == Isolation::kCommitted) {
        const auto bound = segment->offset_index.offset_at(slice.position + slice.size);
        aborted_locked(offset, std::min(limit, bound.value_or(next_base)), slice.aborted);
      }
      return slice;
    }
    target = next_base;  // compaction may leave a segment with nothing from here on
  }
  return slice;
}

std::string PartitionLog::cannot_read(int64_t offset) const {
  return fmt::format("cannot read {} at offset {}", files_.directory.string(), offset);
}

void PartitionLog::aborted_locked(int64_t from, int64_t to, std::vector<AbortedTransaction>& found) const {
  // A transaction is listed in the segment of its marker, which lies behind its data.
  for (size_t i = segment_holding(from); i < segments_.size(); ++i) {
    for (const AbortedTransaction& each : segments_[i]->aborted) {
      if (each.last_offset >= from && each.first_offset < to) found.push_back(each);
      if (each.last_stable_offset >= to) return;
    }
  }
}

std::vector<AbortedTransaction> PartitionLog::aborted_transactions(int64_t from, int64_t to) const {
  std::lock_guard lock(mutex_);
  std::vector<AbortedTransaction> found;
  aborted_locked(from, to, found);
  return found;
}

Expected<std::optional<TimestampOffset>> PartitionLog::find_max_timestamp() const {
  std::unique_lock lock(mutex_);
  std::shared_ptr<Segment> newest;
  for (const auto& segment : segments_) {
    if (segment->max_timestamp >= 0 && (!newest || segment->max_timestamp > newest->max_timestamp)) newest = segment;
  }
  if (!newest) return std::nullopt;
  const int64_t timestamp = newest->max_timestamp;
  const uint64_t from = newest->offset_index.lookup(newest->max_timestamp_offset);
  const uint64_t size = newest->size_bytes;
  lock.unlock();
  BatchScanner scanner(*newest->file, from, size);
  std::string scratch;
  while (true) {
    auto batch = scanner.next();
    if (!batch) return fail(std::move(batch.error()));
    if (!*batch) return std::nullopt;
    if ((*batch)->max_timestamp() != timestamp) continue;
    auto records = RecordIterator::open(**batch, scratch);
    if (!records) return fail(std::move(records.error()));
    RecordView record;
    while (records->next(record)) {
      if (record.timestamp == timestamp) return TimestampOffset{record.timestamp, record.offset};
    }
    if (!records->status()) return fail(records->status().error());
    // Compaction keeps a batch's largest timestamp even when its record is gone.
    return TimestampOffset{timestamp, (*batch)->last_offset()};
  }
}

EpochEndOffset PartitionLog::end_offset_for_epoch(int32_t epoch) const {
  std::lock_guard lock(mutex_);
  if (epoch < 0 || epoch > leader_epoch_) return {};
  if (epoch == leader_epoch_) return {epoch, end_offset_};
  const auto higher = std::upper_bound(epochs_.begin(), epochs_.end(), epoch,
                                       [](int32_t target, const LeaderEpoch& each) { return target < each.epoch; });
  // The current epoch has no line of its own before its first batch: it starts at the end.
  const int64_t end = higher == epochs_.end() ? end_offset_ : higher->start_offset;
  return {higher == epochs_.begin() ? epoch : std::prev(higher)->epoch, end};
}

int32_t PartitionLog::leader_epoch() const {
  std::lock_guard lock(mutex_);
  return leader_epoch_;
}

std::vector<ProducerInfo> PartitionLog::producers() const {
  std::lock_guard lock(mutex_);
  std::vector<ProducerInfo> infos;
  infos.reserve(producers_.producers().size());
  for (const auto& [id, entry] : producers_.producers()) {
    infos.push_back({id, entry.epoch, entry.batches.empty() ? -1 : entry.batches.back().last_sequence,
                     entry.last_timestamp, entry.coordinator_epoch, entry.transaction_first_offset});
  }
  return infos;
}

}  // namespace millrace
