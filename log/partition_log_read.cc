/// Reading, searching, truncating and deleting in a partition log.
#include <fmt/format.h>

#include <algorithm>

#include "log/batch_scanner.h"
#include "log/batch_seek.h"
#include "log/file_names.h"
#include "log/partition_log.h"

namespace millrace {
namespace {

/// The whole batches at the start of `bytes` that begin before offset `limit`, and where the next one starts.
std::pair<size_t, int64_t> whole_batches(BytesView bytes, int64_t limit) {
  size_t used = 0;
  int64_t next_offset = -1;
  while (bytes.size() - used >= batch_format::kHeaderBytes) {
    const RecordBatchView batch = RecordBatchView::unchecked(bytes.substr(used));
    const size_t size = batch_format::kLogOverhead +
                        static_cast<size_t>(load_be<int32_t>(bytes.data() + used + batch_format::kLengthAt));
    if (size > bytes.size() - used || batch.base_offset() >= limit) break;
    next_offset = batch.next_offset();
    used += size;
  }
  return {used, next_offset};
}

}  // namespace

Expected<LogRead> PartitionLog::read(int64_t offset, size_t bytes_max) const {
  LogRead result;
  std::vector<std::shared_ptr<Segment>> segments;
  std::vector<uint64_t> sizes;
  uint64_t position = 0;
  {
    std::lock_guard lock(mutex_);
    if (auto checked = check_range(offset); !checked) return fail(std::move(checked.error()));
    result.next_offset = offset;
    result.high_watermark = high_watermark_;
    result.last_stable_offset = stable_locked();
    result.log_start_offset = start_offset_;
    if (offset >= high_watermark_) return result;
    auto at = std::upper_bound(segments_.begin(), segments_.end(), offset,
                               [](int64_t target, const auto& segment) { return target < segment->base_offset; });
    if (at != segments_.begin()) --at;
    position = (*at)->offset_index.lookup(offset);
    for (; at != segments_.end(); ++at) {
      segments.push_back(*at);
      sizes.push_back((*at)->size_bytes);
      if ((*at)->next_offset > offset) break;  // segments emptied by compaction are stepped over
    }
  }
  for (size_t i = 0; i < segments.size(); ++i, position = 0) {
    const File& file = *segments[i]->file;
    auto found = seek_batch(file, position, sizes[i], offset);
    if (!found) return fail(std::move(found.error()).wrap(cannot_read(offset)));
    if (!*found) continue;
    const uint64_t start = (*found)->position;
    const size_t wanted = std::min<uint64_t>(std::max<uint64_t>(bytes_max, (*found)->size_bytes), sizes[i] - start);
    std::shared_ptr<char[]> buffer(new char[wanted]);  // not make_shared: that would clear it first
    auto got = file.read_at(start, buffer.get(), wanted);
    if (!got) return fail(std::move(got.error()));
    const auto [used, next_offset] = whole_batches({buffer.get(), *got}, result.high_watermark);
    if (used == 0) return result;
    result.bytes = {buffer.get(), used};
    result.owner = std::move(buffer);
    result.next_offset = next_offset;
    return result;
  }
  result.next_offset =
      std::min(result.high_watermark,
               segments.back()->base_offset > offset ? segments.back()->base_offset : result.high_watermark);
  return result;
}

Expected<std::optional<TimestampOffset>> PartitionLog::find_by_timestamp(int64_t timestamp_ms, int64_t limit) const {
  std::unique_lock lock(mutex_);
  if (limit < 0) limit = high_watermark_;
  const int64_t start = start_offset_;
  const auto segments = segments_;
  std::vector<std::pair<uint64_t, uint64_t>> spans;  // first position to look at, size
  for (const auto& segment : segments) {
    const uint64_t from = segment->max_timestamp < timestamp_ms
                              ? segment->size_bytes
                              : segment->offset_index.lookup(segment->time_index.lookup(timestamp_ms));
    spans.emplace_back(from, segment->size_bytes);
  }
  lock.unlock();
  std::string scratch;
  for (size_t i = 0; i < segments.size(); ++i) {
    BatchScanner scanner(*segments[i]->file, spans[i].first, spans[i].second);
    while (true) {
      auto batch = scanner.next();
      if (!batch) return fail(std::move(batch.error()));
      if (!*batch || (*batch)->base_offset() >= limit) break;
      if ((*batch)->max_timestamp() < timestamp_ms || (*batch)->last_offset() < start) continue;
      auto records = RecordIterator::open(**batch, scratch);
      if (!records) return fail(std::move(records.error()));
      RecordView record;
      while (records->next(record)) {
        if (record.timestamp >= timestamp_ms && record.offset >= start)
          return TimestampOffset{record.timestamp, record.offset};
      }
      if (!records->status()) return fail(records->status().error());
    }
  }
  return std::nullopt;
}

Status PartitionLog::truncate_locked(int64_t offset) {
  if (offset >= end_offset_) return {};
  clean_end_offset_ = -1;
  tail_positions_.clear();
  stable_place_ = {};
  while (segments_.size() > 1 && active().base_offset >= offset) {
    if (auto removed = active().remove_files(files_, active().base_offset > offset); !removed) return removed;
    segments_.pop_back();
  }
  Segment& segment = active();
  uint64_t keep = 0;
  if (segment.base_offset < offset) {
    auto found = seek_batch(*segment.file, segment.offset_index.lookup(offset), segment.size_bytes, offset);
    if (!found) return fail(std::move(found.error()));
    keep = *found ? (*found)->position : segment.size_bytes;
  }
  if (auto cut = segment.file->truncate(keep); !cut) return cut;
  segment.size_bytes = keep;
  segment.dirty = true;
  tail_torn_ = false;
  if (auto loaded = load_producers(segment.base_offset); !loaded) return loaded;
  if (auto rebuilt = segment.recover(config_, producers_, nullptr); !rebuilt) return fail(std::move(rebuilt.error()));
  // A cut may leave the segment's base above what was asked for only when the segment is empty.
  end_offset_ = std::min(offset, std::max(segment.next_offset, segment.base_offset));
  if (keep > 0) end_offset_ = segment.next_offset;
  high_watermark_ = std::min(high_watermark_, end_offset_);
  durable_offset_ = std::min(durable_offset_, end_offset_);
  start_offset_ = std::min(start_offset_, end_offset_);
  std::erase_if(ended_transactions_, [&](const auto& each) { return each.marker_offset >= end_offset_; });
  if (high_watermark_ == end_offset_) high_watermark_place_ = end_place();
  if (auto dropped = drop_snapshots(end_offset_ + 1, INT64_MAX); !dropped) return dropped;
  // From the nearest snapshot once more: compaction may have left too little in the segment to know all producers.
  if (auto loaded = load_producers(end_offset_); !loaded) return loaded;
  producers_.seen(-1, environment_.clock.wall_ms());
  const size_t before = epochs_.size();
  std::erase_if(epochs_, [&](const LeaderEpoch& epoch) { return epoch.start_offset > end_offset_; });
  return epochs_.size() == before ? Status{}
                                  : write_leader_epochs(files_.fs, files_.directory / kLeaderEpochFile, epochs_);
}

}  // namespace millrace
