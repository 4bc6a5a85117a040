/// What a partition log does for its compaction: the plan, and the swap of a cleaned segment for those it replaces.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "log/batch_scanner.h"
#include "log/file_names.h"
#include "log/partition_log.h"

namespace millrace {

CompactionPlan PartitionLog::plan_compaction(int64_t first_dirty) const {
  std::lock_guard lock(mutex_);
  CompactionPlan plan;
  plan.config = config_;
  plan.first_dirty = first_dirty < start_offset_ || first_dirty > end_offset_ ? start_offset_ : first_dirty;
  const int64_t now = environment_.clock.wall_ms();
  int64_t limit = std::min(stable_locked(), segments_.back()->base_offset);
  if (config_.min_compaction_lag_ms > 0) {
    for (size_t i = segment_holding(plan.first_dirty); i + 1 < segments_.size(); ++i) {
      if (segments_[i]->max_timestamp <= now - config_.min_compaction_lag_ms) continue;
      limit = std::min(limit, segments_[i]->base_offset);
      break;
    }
  }
  // Only whole segments are cleaned.
  plan.first_uncleanable = limit < segments_.front()->base_offset ? segments_.front()->base_offset
                                                                  : segments_[segment_holding(limit)]->base_offset;
  int64_t oldest_dirty = INT64_MAX;
  for (size_t i = 0; i + 1 < segments_.size() && segments_[i]->base_offset < plan.first_uncleanable; ++i) {
    const auto& segment = segments_[i];
    const int64_t next_base = segments_[i + 1]->base_offset;
    plan.segments.push_back({segment, segment->size_bytes,
                             std::max(segment->offset_index.size_bytes(), segment->time_index.size_bytes()),
                             next_base});
    if (next_base <= plan.first_dirty) {
      plan.clean_bytes += segment->size_bytes;
      continue;
    }
    plan.dirty_bytes += segment->size_bytes;
    if (segment->first_batch_timestamp > 0) oldest_dirty = std::min(oldest_dirty, segment->first_batch_timestamp);
  }
  plan.overdue = oldest_dirty != INT64_MAX && now - oldest_dirty > config_.max_compaction_lag_ms;
  for (const auto& [id, entry] : producers_.producers()) {
    plan.producers[id] = {entry.batches.empty() ? -1 : entry.batches.back().last_offset, entry.epoch};
  }
  return plan;
}

Status PartitionLog::replace_segments(const std::vector<std::shared_ptr<Segment>>& replaced, int64_t next_base,
                                      std::shared_ptr<Segment> cleaned) {
  std::lock_guard structure(structure_mutex_);
  if (auto finished = finish_pending_swap(); !finished) return finished;
  const auto place_of_replaced = [&]() -> std::optional<size_t> {
    const auto first = std::find(segments_.begin(), segments_.end(), replaced.front());
    const auto left = static_cast<size_t>(segments_.end() - first);
    // The segment behind them stays as it is, so they cannot reach the active one.
    if (closed_ || left <= replaced.size() || !std::equal(replaced.begin(), replaced.end(), first)) return std::nullopt;
    return static_cast<size_t>(first - segments_.begin());
  };
  {
    std::lock_guard lock(mutex_);
    if (!place_of_replaced()) {
      return fail(ErrorCode::kConflict,
                  fmt::format("{}: segments were removed while they were compacted", files_.directory.string()));
    }
  }
  if (auto finished = cleaned->finish_time_index(); !finished) return finished;
  const int64_t base = cleaned->base_offset;
  // From the rename on, the swap is decided: after a crash load() finishes it.
  if (auto noted = files_.fs.write_file_atomically(files_.path(base, kSwapEndSuffix), std::to_string(next_base));
      !noted)
    return noted;
  if (auto renamed = files_.fs.rename(files_.path(base, kCleanedLogSuffix), files_.path(base, kSwapLogSuffix));
      !renamed)
    return renamed;
  pending_swap_ = PendingSwap{base, next_base, cleaned};
  {
    std::lock_guard lock(mutex_);
    const auto at = place_of_replaced();
    if (at) {
      const auto first = segments_.begin() + static_cast<std::ptrdiff_t>(*at);
      *first = std::move(cleaned);
      segments_.erase(first + 1, first + static_cast<std::ptrdiff_t>(replaced.size()));
      tail_positions_.clear();
      stable_place_ = {};
      clean_end_offset_ = -1;
    }
  }
  return finish_pending_swap();
}

/// What is left to do on disk of a swap that is decided. Until it is done no other files may be removed.
Status PartitionLog::finish_pending_swap() {
  if (!pending_swap_) return {};
  if (auto synced = files_.fs.sync_directory(files_.directory); !synced) return synced;
  if (auto done = finish_swap(pending_swap_->base, pending_swap_->next_base); !done) return done;
  if (pending_swap_->cleaned) {
    if (auto written = pending_swap_->cleaned->write_indexes(files_); !written) return written;
  }
  pending_swap_.reset();
  return files_.fs.sync_directory(files_.directory);
}

Status PartitionLog::finish_swap(int64_t base, int64_t next_base) {
  const Path swap = files_.path(base, kSwapLogSuffix);
  if (files_.fs.exists(swap)) {
    auto names = files_.fs.list(files_.directory);
    if (!names) return fail(std::move(names.error()));
    for (const std::string& name : *names) {  // by offset: a marker never goes before the data that it ends
      for (const std::string_view suffix :
           {kOffsetIndexSuffix, kTimeIndexSuffix, kTransactionIndexSuffix, kSnapshotSuffix, kLogSuffix}) {
        const auto offset = offset_of_file(name, suffix);
        if (!offset || *offset < base || *offset >= next_base) continue;
        // The first log file is replaced by the rename below; what the producers were at its start still holds.
        if (*offset == base && (suffix == kLogSuffix || suffix == kSnapshotSuffix)) continue;
        if (auto removed = files_.fs.remove(files_.directory / name); !removed) return removed;
      }
    }
    if (auto synced = files_.fs.sync_directory(files_.directory); !synced) return synced;
    if (auto renamed = files_.fs.rename(swap, files_.path(base, kLogSuffix)); !renamed) return renamed;
    if (auto synced = files_.fs.sync_directory(files_.directory); !synced) return synced;
  }
  return files_.fs.remove(files_.path(base, kSwapEndSuffix));
}

/// Finishes the swaps that a crash has left; without the file that says how far one reaches (Kafka writes none), its
/// last batch does.
Status PartitionLog::finish_swaps_on_disk(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const auto base = offset_of_file(name, kSwapLogSuffix);
    if (!base) continue;
    int64_t next_base = *base + 1;
    if (files_.fs.exists(files_.path(*base, kSwapEndSuffix))) {
      auto text = files_.fs.read_file(files_.path(*base, kSwapEndSuffix));
      if (!text) return fail(std::move(text.error()));
      std::from_chars(text->data(), text->data() + text->size(), next_base);
    } else {
      auto file = files_.fs.open(files_.directory / name, FileSystem::Open::kRead);
      if (!file) return fail(std::move(file.error()));
      auto size = (*file)->size();
      if (!size) return fail(std::move(size.error()));
      BatchScanner scanner(**file, 0, *size);
      for (auto batch = scanner.next(); batch && *batch; batch = scanner.next()) next_base = (*batch)->next_offset();
    }
    if (auto done = finish_swap(*base, next_base); !done) return done;
  }
  return {};
}

}  // namespace millrace
