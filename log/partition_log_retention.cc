/// What a partition log gives up: records by request, segments by size and age, producers and files by time.
#include <fmt/format.h>

#include <algorithm>

#include "log/file_names.h"
#include "log/partition_log.h"

namespace millrace {

Expected<int64_t> PartitionLog::delete_records(int64_t before_offset) {
  std::lock_guard lock(mutex_);
  if (before_offset == -1) before_offset = high_watermark_;
  if (before_offset < 0 || before_offset > high_watermark_) {
    return fail(Error{ErrorCode::kNotFound,
                      fmt::format("{}: cannot delete records before {}, readable are {} to {}",
                                  files_.directory.filename().string(), before_offset, start_offset_, high_watermark_),
                      "org.apache.kafka.common.errors.OffsetOutOfRangeException",
                      {},
                      {}});
  }
  start_offset_ = std::max(start_offset_, before_offset);
  if (auto trimmed = trim_epochs(); !trimmed) return fail(std::move(trimmed.error()));
  return start_offset_;
}

Expected<size_t> PartitionLog::apply_retention() {
  std::lock_guard structure(structure_mutex_);
  if (auto finished = finish_pending_swap(); !finished) return fail(std::move(finished.error()));
  std::lock_guard one_flush(flush_mutex_);
  std::lock_guard lock(mutex_);
  if (closed_) return size_t{0};
  uint64_t total = 0;
  for (const auto& segment : segments_) total += segment->size_bytes;
  size_t count = 0;
  const int64_t now = environment_.clock.wall_ms();
  if (config_.producer_expiration_ms >= 0) producers_.expire(now - config_.producer_expiration_ms);
  for (; count < segments_.size(); ++count) {
    const Segment& oldest = *segments_[count];
    const int64_t next_base = count + 1 < segments_.size() ? segments_[count + 1]->base_offset : end_offset_;
    if (next_base > high_watermark_ || oldest.size_bytes == 0) break;
    const bool last = count + 1 == segments_.size();
    const bool before_start = !last && next_base <= start_offset_;
    const bool by_size = config_.cleanup_delete && config_.retention_bytes >= 0 &&
                         total >= static_cast<uint64_t>(config_.retention_bytes) + oldest.size_bytes;
    const int64_t newest = oldest.max_timestamp >= 0 ? oldest.max_timestamp : oldest.created_ms;
    const bool by_time = config_.cleanup_delete && config_.retention_ms >= 0 && now - newest > config_.retention_ms;
    if (!before_start && !by_size && !by_time) break;
    total -= oldest.size_bytes;
  }
  if (count == 0) return count;
  if (count == segments_.size()) {
    if (auto rolled = roll(end_offset_); !rolled) return fail(std::move(rolled.error()));
  }
  if (auto removed = remove_front(count); !removed) return fail(std::move(removed.error()));
  return count;
}

Status PartitionLog::remove_front(size_t count) {
  const int64_t next_start = segments_[count]->base_offset;
  start_offset_ = std::max(start_offset_, next_start);
  for (size_t i = 0; i < count; ++i) {
    const Segment& oldest = *segments_.front();
    if (auto removed = discard_files(oldest.base_offset); !removed) return removed;
    environment_.logger.info(
        "segment_deleted",
        {{"log", files_.directory.string()}, {"segment", oldest.base_offset}, {"bytes", oldest.size_bytes}});
    segments_.erase(segments_.begin());
  }
  clean_end_offset_ = -1;
  if (auto trimmed = trim_epochs(); !trimmed) return trimmed;
  return drop_snapshots(0, next_start - 1);
}

/// Epochs that ended before the log's start are forgotten; the one that holds it starts there.
Status PartitionLog::trim_epochs() {
  const std::vector<LeaderEpoch> before = epochs_;
  while (epochs_.size() > 1 && epochs_[1].start_offset <= start_offset_) epochs_.erase(epochs_.begin());
  if (!epochs_.empty()) epochs_.front().start_offset = std::max(epochs_.front().start_offset, start_offset_);
  return epochs_ == before ? Status{} : write_leader_epochs(files_.fs, files_.directory / kLeaderEpochFile, epochs_);
}

/// The files of a segment lose their names at once and their bytes after file.delete.delay.ms.
Status PartitionLog::discard_files(int64_t base_offset) {
  // The log goes first: indexes without a log are dropped when the folder is opened.
  for (const std::string_view suffix : {kLogSuffix, kOffsetIndexSuffix, kTimeIndexSuffix, kTransactionIndexSuffix}) {
    const Path path = files_.path(base_offset, suffix);
    if (!files_.fs.exists(path)) continue;
    if (config_.file_delete_delay_ms == 0) {
      if (auto removed = files_.fs.remove(path); !removed) return removed;
      continue;
    }
    Path doomed = path.string() + std::string(kDeletedSuffix);
    if (auto renamed = files_.fs.rename(path, doomed); !renamed) return renamed;
    doomed_.push_back({environment_.clock.wall_ms() + config_.file_delete_delay_ms, std::move(doomed)});
  }
  return {};
}

void PartitionLog::remove_doomed(int64_t due_ms) {
  std::erase_if(doomed_, [&](const DoomedFile& file) {
    if (file.due_ms > due_ms) return false;
    auto removed = files_.fs.remove(file.path);
    if (!removed) {
      environment_.logger.warn("file_not_removed", {{"file", file.path.string()}, {"error", removed.error().message}});
    }
    return removed.has_value();
  });
}

void PartitionLog::maintain() {
  const int64_t now = environment_.clock.wall_ms();
  bool flush_due = false;
  {
    std::lock_guard structure(structure_mutex_);
    remove_doomed(now);
    std::lock_guard lock(mutex_);
    if (closed_) return;
    flush_due = unflushed_since_ms_ >= 0 && now - unflushed_since_ms_ >= config_.flush_ms;
  }
  // A failed sync is logged by the log and told to its waiters.
  if (flush_due) [[maybe_unused]]
    const Status flushed = flush();
}

}  // namespace millrace
