/// Opening a partition log: tidying the folder, recovery after a crash, replay of the producer state.
#include <fmt/format.h>

#include <algorithm>

#include "log/batch_scanner.h"
#include "log/file_names.h"
#include "log/partition_log.h"

namespace millrace {

Expected<std::shared_ptr<PartitionLog>> PartitionLog::open(Environment environment, Path directory, LogConfig config,
                                                           LogOpenOptions options) {
  // Not make_shared: the constructor is private. Co-owned by the manager, the committer's queue and callers.
  std::shared_ptr<PartitionLog> log(new PartitionLog(std::move(environment), std::move(directory), config));
  if (auto loaded = log->load(options); !loaded) {
    return fail(std::move(loaded.error()).wrap(fmt::format("cannot open the log {}", log->files_.directory.string())));
  }
  return log;
}

PartitionLog::PartitionLog(Environment environment, Path directory, LogConfig config)
    : environment_(std::move(environment)), files_{environment_.fs, std::move(directory)}, config_(config) {}

Status PartitionLog::load(const LogOpenOptions& options) {
  const bool fresh = !files_.fs.exists(files_.directory);
  if (auto made = files_.fs.create_directories(files_.directory); !made) return made;
  if (fresh) {
    if (auto synced = files_.fs.sync_directory(files_.directory.parent_path()); !synced) return synced;
  }
  auto bases = tidy_directory();
  if (!bases) return fail(std::move(bases.error()));
  auto epochs = read_leader_epochs(files_.fs, files_.directory / kLeaderEpochFile);
  if (epochs) {
    epochs_ = std::move(*epochs);
  } else if (epochs.error().code != ErrorCode::kCorruption) {
    return fail(std::move(epochs.error()));
  }
  for (const int64_t base : *bases) {
    auto segment = Segment::open(files_, base, false);
    if (!segment) return fail(std::move(segment.error()));
    segments_.push_back(std::move(*segment));
  }
  size_t first_suspect = segments_.size();
  for (size_t i = 0; i < segments_.size(); ++i) {
    const bool last = i + 1 == segments_.size();
    const bool trusted = options.clean || (!last && segments_[i + 1]->base_offset <= options.recovery_point);
    Status loaded = trusted ? segments_[i]->load_indexes(files_) : Status{};
    if (trusted && loaded) loaded = segments_[i]->load_summary();
    if (!loaded && loaded.error().code != ErrorCode::kCorruption) return loaded;
    if (!loaded && trusted) {
      auto rebuilt = rebuild_indexes(i, options);
      if (!rebuilt) return fail(std::move(rebuilt.error()));
      if (*rebuilt) loaded = Status{};
    }
    if (!loaded || !trusted) {
      first_suspect = i;
      break;
    }
  }
  if (first_suspect < segments_.size()) {
    if (auto recovered = recover_from(first_suspect, options); !recovered) return recovered;
  }
  if (segments_.empty()) {
    auto segment = new_segment(std::max<int64_t>(options.log_start_offset, 0));
    if (!segment) return fail(std::move(segment.error()));
    segments_.push_back(std::move(*segment));
  }
  start_offset_ = std::max(options.log_start_offset, segments_.front()->base_offset);
  end_offset_ = std::max(active().next_offset, active().base_offset);
  start_offset_ = std::min(start_offset_, end_offset_);
  choose_leader_epoch();
  // A snapshot of offsets that recovery has cut would contradict what is written there next.
  if (auto dropped = drop_snapshots(end_offset_ + 1, INT64_MAX); !dropped) return dropped;
  if (auto loaded = load_producers(end_offset_); !loaded) return loaded;
  producers_.seen(-1, environment_.clock.wall_ms());
  durable_offset_ = end_offset_;
  advance_high_watermark(end_offset_, end_place());
  const bool untouched =
      options.clean && first_suspect == segments_.size() && files_.fs.exists(files_.path(end_offset_, kSnapshotSuffix));
  if (untouched && !directory_dirty_) clean_end_offset_ = end_offset_;
  return {};
}

/// Rebuilds the indexes of one segment whose data are trusted: a compaction that a crash has cut short leaves none.
/// False when its batches turn out to be damaged.
Expected<bool> PartitionLog::rebuild_indexes(size_t index, const LogOpenOptions& options) {
  Segment& segment = *segments_[index];
  environment_.logger.info("segment_indexes_rebuilt", {{"log", files_.directory.string()},
                                                       {"segment", segment.base_offset},
                                                       {"recovery_point", options.recovery_point}});
  if (auto loaded = load_producers(segment.base_offset); !loaded) return fail(std::move(loaded.error()));
  auto cut = segment.recover(config_, producers_, nullptr);
  if (!cut) return fail(std::move(cut.error()));
  if (*cut > 0) return false;
  if (auto written = segment.write_indexes(files_); !written) return fail(std::move(written.error()));
  return true;
}

/// One more than any epoch seen here. Without the checkpoint the newest batches still tell what was in use.
void PartitionLog::choose_leader_epoch() {
  std::erase_if(epochs_, [&](const LeaderEpoch& each) { return each.start_offset >= end_offset_; });
  int32_t last = epochs_.empty() ? -1 : epochs_.back().epoch;
  for (const auto& segment : segments_) last = std::max(last, segment->last_leader_epoch);
  leader_epoch_ = last + 1;
}

/// Finishes what a crash interrupted and returns the base offsets of the segments.
Expected<std::vector<int64_t>> PartitionLog::tidy_directory() {
  auto names = files_.fs.list(files_.directory);
  if (!names) return fail(std::move(names.error()));
  if (auto finished = finish_swaps_on_disk(*names); !finished) return fail(std::move(finished.error()));
  for (const std::string& name : *names) {
    const bool left_over = name.ends_with(kDeletedSuffix) || name.ends_with(kCleanedSuffix) ||
                           name.ends_with(kTemporarySuffix) || name.ends_with(kSwapSuffix) ||
                           name.ends_with(kSwapEndSuffix);
    if (!left_over) continue;
    if (auto removed = files_.fs.remove(files_.directory / name); !removed) return fail(std::move(removed.error()));
  }
  names = files_.fs.list(files_.directory);
  if (!names) return fail(std::move(names.error()));
  std::vector<int64_t> bases;
  for (const std::string& name : *names) {
    if (const auto base = offset_of_file(name, kLogSuffix)) bases.push_back(*base);
  }
  for (const std::string& name : *names) {
    for (const std::string_view suffix : {kOffsetIndexSuffix, kTimeIndexSuffix, kTransactionIndexSuffix}) {
      const auto base = offset_of_file(name, suffix);
      if (!base || std::binary_search(bases.begin(), bases.end(), *base)) continue;
      if (auto removed = files_.fs.remove(files_.directory / name); !removed) return fail(std::move(removed.error()));
    }
  }
  return bases;
}

/// Rebuilds the segments from `first` on; the first damage ends the log there.
Status PartitionLog::recover_from(size_t first, const LogOpenOptions& options) {
  if (auto loaded = load_producers(segments_[first]->base_offset); !loaded) return loaded;
  std::vector<std::pair<int32_t, int64_t>> epochs;
  for (size_t i = first; i < segments_.size(); ++i) {
    Segment& segment = *segments_[i];
    auto cut = segment.recover(config_, producers_, &epochs);
    if (!cut) return fail(std::move(cut.error()));
    if (auto synced = segment.file->sync(); !synced) return synced;
    const bool last = i + 1 == segments_.size();
    if (!last || options.clean) {
      if (auto written = segment.write_indexes(files_); !written) return written;
    }
    if (*cut == 0) continue;
    environment_.logger.warn("log_tail_cut", {{"log", files_.directory.string()},
                                              {"segment", segment.base_offset},
                                              {"bytes", *cut},
                                              {"end_offset", segment.next_offset},
                                              {"recovery_point", options.recovery_point}});
    // Zeros that preallocation has left are no loss: the next segment goes on where the good batches end.
    if (!last && segments_[i + 1]->base_offset == segment.next_offset) continue;
    for (size_t later = i + 1; later < segments_.size(); ++later) {
      environment_.logger.warn("segment_deleted", {{"log", files_.directory.string()},
                                                   {"segment", segments_[later]->base_offset},
                                                   {"bytes", segments_[later]->size_bytes}});
      if (auto removed = segments_[later]->remove_files(files_); !removed) return removed;
    }
    segments_.resize(i + 1);
  }
  if (auto synced = files_.fs.sync_directory(files_.directory); !synced) return synced;
  return adopt_epochs(epochs);
}

Status PartitionLog::adopt_epochs(const std::vector<std::pair<int32_t, int64_t>>& epochs) {
  const size_t before = epochs_.size();
  for (const auto& [epoch, offset] : epochs) {
    if (epochs_.empty() || epoch > epochs_.back().epoch) epochs_.push_back({epoch, offset});
    leader_epoch_ = std::max(leader_epoch_, epoch);
  }
  return epochs_.size() == before ? Status{}
                                  : write_leader_epochs(files_.fs, files_.directory / kLeaderEpochFile, epochs_);
}

/// The producer state before `upto`: from the newest usable snapshot, then by replay of batch headers.
Status PartitionLog::load_producers(int64_t upto) {
  producers_ = ProducerState();
  auto names = files_.fs.list(files_.directory);
  if (!names) return fail(std::move(names.error()));
  int64_t from = segments_.empty() ? 0 : segments_.front()->base_offset;
  for (auto name = names->rbegin(); name != names->rend(); ++name) {
    const auto offset = offset_of_file(*name, kSnapshotSuffix);
    if (!offset || *offset > upto) continue;
    auto bytes = files_.fs.read_file(files_.directory / *name);
    if (!bytes) return fail(std::move(bytes.error()));
    auto state = ProducerState::from_snapshot(*bytes);
    if (!state) {
      environment_.logger.warn("producer_snapshot_dropped",
                               {{"file", (files_.directory / *name).string()}, {"error", state.error().message}});
      if (auto removed = files_.fs.remove(files_.directory / *name); !removed) return removed;
      continue;
    }
    producers_ = std::move(*state);
    from = *offset;
    break;
  }
  return replay_producers(from, upto);
}

/// Removes the snapshots with names in [first, last].
Status PartitionLog::drop_snapshots(int64_t first, int64_t last) {
  auto names = files_.fs.list(files_.directory);
  if (!names) return fail(std::move(names.error()));
  for (const std::string& name : *names) {
    const auto offset = offset_of_file(name, kSnapshotSuffix);
    if (!offset || *offset < first || *offset > last) continue;
    if (auto removed = files_.fs.remove(files_.directory / name); !removed) return removed;
  }
  return {};
}

Status PartitionLog::replay_producers(int64_t from, int64_t upto) {
  for (size_t i = 0; i < segments_.size(); ++i) {
    Segment& segment = *segments_[i];
    if (segment.base_offset >= upto) break;
    if (i + 1 < segments_.size() && segments_[i + 1]->base_offset <= from) continue;
    BatchScanner scanner(*segment.file, segment.offset_index.lookup(from), segment.size_bytes);
    while (true) {
      auto batch = scanner.next();
      if (!batch) return fail(std::move(batch.error()));
      if (!*batch || (*batch)->base_offset() >= upto) break;
      if ((*batch)->last_offset() < from || (*batch)->magic() < batch_format::kMagic) continue;
      if (auto applied = producers_.apply(**batch); !applied) return fail(std::move(applied.error()));
    }
  }
  return {};
}

}  // namespace millrace
