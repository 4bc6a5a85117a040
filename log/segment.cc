#include "log/segment.h"

#include <fmt/format.h>

#include "log/batch_scanner.h"
#include "log/file_names.h"

namespace millrace {
namespace {

Status write_whole_file(FileSystem& fs, const Path& path, std::string_view content) {
  auto file = fs.open(path, FileSystem::Open::kCreate);
  if (!file) return fail(std::move(file.error()));
  if (auto cut = (*file)->truncate(content.size()); !cut) return cut;
  if (auto written = (*file)->write_at(0, content); !written) return written;
  return (*file)->sync();
}

}  // namespace

Path LogFiles::path(int64_t base_offset, std::string_view suffix) const {
  return directory / file_name(base_offset, suffix);
}

Expected<std::shared_ptr<Segment>> Segment::open(LogFiles& files, int64_t base_offset, bool create,
                                                 std::string_view suffix) {
  auto file =
      files.fs.open(files.path(base_offset, suffix), create ? FileSystem::Open::kCreate : FileSystem::Open::kReadWrite);
  if (!file) return fail(std::move(file.error()));
  auto size = (*file)->size();
  if (!size) return fail(std::move(size.error()));
  auto segment = std::make_shared<Segment>();  // co-owned by the log and by readers that still read a deleted segment
  segment->base_offset = base_offset;
  segment->next_offset = base_offset;
  segment->file = std::move(*file);
  segment->size_bytes = *size;
  segment->offset_index = OffsetIndex(base_offset);
  segment->time_index = TimeIndex(base_offset);
  return segment;
}

Status Segment::load_indexes(LogFiles& files) {
  const auto name = [&](std::string_view suffix) { return files.path(base_offset, suffix); };
  if (!files.fs.exists(name(kOffsetIndexSuffix)) || !files.fs.exists(name(kTimeIndexSuffix))) {
    return fail(ErrorCode::kCorruption, fmt::format("{}: an index is missing", name(kLogSuffix).string()));
  }
  auto offsets = files.fs.read_file(name(kOffsetIndexSuffix));
  if (!offsets) return fail(std::move(offsets.error()));
  auto decoded_offsets = OffsetIndex::decode(base_offset, *offsets, size_bytes);
  if (!decoded_offsets) return fail(std::move(decoded_offsets.error()).wrap(name(kOffsetIndexSuffix).string()));
  auto times = files.fs.read_file(name(kTimeIndexSuffix));
  if (!times) return fail(std::move(times.error()));
  auto decoded_times = TimeIndex::decode(base_offset, *times);
  if (!decoded_times) return fail(std::move(decoded_times.error()).wrap(name(kTimeIndexSuffix).string()));
  if (files.fs.exists(name(kTransactionIndexSuffix))) {
    auto transactions = files.fs.read_file(name(kTransactionIndexSuffix));
    if (!transactions) return fail(std::move(transactions.error()));
    auto decoded = AbortedTransaction::decode(*transactions);
    if (!decoded) return fail(std::move(decoded.error()).wrap(name(kTransactionIndexSuffix).string()));
    aborted = std::move(*decoded);
  }
  offset_index = std::move(*decoded_offsets);
  time_index = std::move(*decoded_times);
  return {};
}

Status Segment::write_indexes(LogFiles& files) {
  if (auto finished = finish_time_index(); !finished) return finished;
  if (auto done = write_whole_file(files.fs, files.path(base_offset, kOffsetIndexSuffix), offset_index.encode()); !done)
    return done;
  if (auto done = write_whole_file(files.fs, files.path(base_offset, kTimeIndexSuffix), time_index.encode()); !done)
    return done;
  if (aborted.empty()) return files.fs.remove(files.path(base_offset, kTransactionIndexSuffix));
  return write_whole_file(files.fs, files.path(base_offset, kTransactionIndexSuffix),
                          AbortedTransaction::encode(aborted));
}

Status Segment::load_summary() {
  if (size_bytes == 0) return {};
  BatchScanner first(*file, 0, size_bytes);
  auto batch = first.next();
  if (!batch) return fail(std::move(batch.error()));
  if (*batch) first_batch_timestamp = (*batch)->max_timestamp();
  if (!time_index.entries().empty()) {
    max_timestamp = time_index.entries().back().timestamp;
    max_timestamp_offset = base_offset + time_index.entries().back().relative_offset;
  }
  last_index_position =
      offset_index.entries().empty() ? 0 : static_cast<uint64_t>(offset_index.entries().back().position);
  BatchScanner rest(*file, last_index_position, size_bytes);
  while (true) {
    auto next = rest.next();
    if (!next) return fail(std::move(next.error()));
    if (!*next) break;
    next_offset = (*next)->next_offset();
    if ((*next)->magic() == batch_format::kMagic) last_leader_epoch = (*next)->leader_epoch();
    if ((*next)->max_timestamp() > max_timestamp) {
      max_timestamp = (*next)->max_timestamp();
      max_timestamp_offset = (*next)->last_offset();
    }
  }
  if (rest.next_position() != size_bytes) {
    return fail(ErrorCode::kCorruption, fmt::format("segment {}: {} bytes after the last whole batch", base_offset,
                                                    size_bytes - rest.next_position()));
  }
  return {};
}

Status Segment::note_batch(const RecordBatchView& batch, uint64_t position, const LogConfig& config) {
  if (batch.max_timestamp() > max_timestamp) {
    max_timestamp = batch.max_timestamp();
    max_timestamp_offset = batch.last_offset();
  }
  if (position == 0) first_batch_timestamp = batch.max_timestamp();
  if (position - last_index_position > static_cast<uint64_t>(config.index_interval_bytes)) {
    if (auto added = offset_index.append(batch.last_offset(), position); !added) return added;
    if (auto added = time_index.append_if_later(max_timestamp, max_timestamp_offset); !added) return added;
    last_index_position = position;
  }
  next_offset = batch.next_offset();
  if (batch.magic() == batch_format::kMagic) last_leader_epoch = batch.leader_epoch();
  return {};
}

Expected<uint64_t> Segment::recover(const LogConfig& config, ProducerState& producers,
                                    std::vector<std::pair<int32_t, int64_t>>* epochs) {
  offset_index = OffsetIndex(base_offset);
  time_index = TimeIndex(base_offset);
  aborted.clear();
  max_timestamp = max_timestamp_offset = first_batch_timestamp = -1;
  last_index_position = 0;
  next_offset = base_offset;
  BatchScanner scanner(*file, 0, size_bytes);
  uint64_t good_bytes = 0;
  while (true) {
    auto batch = scanner.next();
    if (!batch && batch.error().code != ErrorCode::kCorruption) return fail(std::move(batch.error()));
    if (!batch || !*batch || !(*batch)->verify_crc()) break;  // the torn tail starts here
    const RecordBatchView& good = **batch;
    if (beyond(good.last_offset())) {
      return fail(ErrorCode::kCorruption,
                  fmt::format("segment {}: the batch at position {} has the offset {}, which this segment cannot hold",
                              base_offset, good_bytes, good.last_offset()));
    }
    if (auto noted = note_batch(good, good_bytes, config); !noted) return fail(std::move(noted.error()));
    good_bytes += good.size_bytes();
    if (good.magic() < batch_format::kMagic) continue;
    if (epochs != nullptr && good.leader_epoch() >= 0 &&
        (epochs->empty() || good.leader_epoch() > epochs->back().first)) {
      if (good.base_offset() < 0) {
        return fail(ErrorCode::kCorruption, fmt::format("segment {}: leader epoch {} would start at offset {}",
                                                        base_offset, good.leader_epoch(), good.base_offset()));
      }
      epochs->emplace_back(good.leader_epoch(), good.base_offset());
    }
    auto ended = producers.apply(good);
    if (!ended) return fail(std::move(ended.error()));
    if (*ended) aborted.push_back(**ended);
  }
  const uint64_t cut = size_bytes - good_bytes;
  if (cut > 0) {
    if (auto truncated = file->truncate(good_bytes); !truncated) return fail(std::move(truncated.error()));
    size_bytes = good_bytes;
  }
  if (auto finished = finish_time_index(); !finished) return fail(std::move(finished.error()));
  return cut;
}

Status Segment::trim() {
  if (!preallocated) return {};
  if (auto cut = file->truncate(size_bytes); !cut) return cut;
  preallocated = false;
  dirty = true;
  return {};
}

Status Segment::remove_files(LogFiles& files, bool with_snapshot) const {
  // The log goes first: indexes without a log are dropped when the folder is opened.
  for (const std::string_view suffix :
       {kLogSuffix, kOffsetIndexSuffix, kTimeIndexSuffix, kTransactionIndexSuffix, kSnapshotSuffix}) {
    if (suffix == kSnapshotSuffix && !with_snapshot) continue;
    if (auto removed = files.fs.remove(files.path(base_offset, suffix)); !removed) return removed;
  }
  return {};
}

}  // namespace millrace
