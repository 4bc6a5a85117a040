#include "log/cleaner.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "log/batch_rewriter.h"
#include "log/batch_scanner.h"
#include "log/clean_transactions.h"
#include "log/file_names.h"

namespace millrace {
namespace {

constexpr size_t kWriteBytes = 1 << 20;

enum class Fate {
  kDrop,       ///< the whole batch goes
  kDropEmpty,  ///< the batch goes when no record is left
  kKeepEmpty,  ///< the batch stays, if need be without records
};

}  // namespace

struct LogCleaner::Round {
  PartitionLog& log;
  CompactionPlan plan;
  CompactionMap map;
  int64_t now_ms;
  int64_t map_end = 0;  ///< the map knows all records before this offset
  CleanTransactions transactions;
  std::vector<RecordView> retained = {};
  std::string scratch = {};
  std::string out = {};  ///< batches that are not yet written
  CleanStats stats = {};
};

LogCleaner::LogCleaner(FileSystem& fs, Clock& clock, Logger logger, CleanerOptions options,
                       std::function<bool()> stopping)
    : fs_(fs), clock_(clock), logger_(std::move(logger)), options_(options), stopping_(std::move(stopping)) {
  std::random_device random;
  for (uint64_t& word : secret_) word = (uint64_t{random()} << 32) | random();
}

Status LogCleaner::check_stop() const {
  if (stopping_ && stopping_()) return fail(ErrorCode::kStopped, "the cleaner stops");
  return {};
}

Expected<CleanResult> LogCleaner::clean(PartitionLog& log, int64_t first_dirty) {
  CompactionPlan plan = log.plan_compaction(first_dirty);
  if (plan.segments.empty() || plan.first_uncleanable <= plan.first_dirty) return CleanResult{plan.first_dirty, {}};
  // The dirty part has at most as many keys as offsets.
  const size_t keys_max = std::min<uint64_t>(options_.dedupe_buffer_bytes / CompactionMap::kBytesPerKey,
                                             static_cast<uint64_t>(plan.first_uncleanable - plan.first_dirty));
  const auto aborted = log.aborted_transactions(plan.segments.front().segment->base_offset, plan.first_uncleanable);
  Round round{log, std::move(plan), CompactionMap(keys_max, secret_), clock_.wall_ms(), 0, CleanTransactions(aborted)};
  auto end = build_map(round);
  if (!end) return fail(std::move(end.error()));
  if (*end <= round.plan.first_dirty) {
    return fail(
        ErrorCode::kInvalidConfig,
        fmt::format("{} cannot be compacted: the keys of one batch at offset {} do not fit into {} bytes, raise "
                    "log.cleaner.dedupe.buffer.size",
                    log.directory().filename().string(), *end, options_.dedupe_buffer_bytes));
  }
  round.map_end = *end;
  const auto& segments = round.plan.segments;
  const LogConfig& config = round.plan.config;
  for (size_t i = 0; i < segments.size() && segments[i].segment->base_offset < *end;) {
    Group group{i};
    auto bytes = static_cast<int64_t>(segments[i].size_bytes);
    size_t index_bytes = segments[i].index_bytes;
    for (++i; i < segments.size() && segments[i].segment->base_offset < *end; ++i) {
      bytes += static_cast<int64_t>(segments[i].size_bytes);
      index_bytes += segments[i].index_bytes;
      const int64_t span = segments[i].next_base - 1 - segments[group.front()].segment->base_offset;
      const bool fits = bytes <= config.segment_bytes &&
                        static_cast<int64_t>(index_bytes) <= config.segment_index_bytes && span <= INT32_MAX;
      if (!fits) break;
      group.push_back(i);
    }
    round.stats.segments_before += group.size();
    ++round.stats.segments_after;
    if (auto copied = copy_group(round, group); !copied) return fail(std::move(copied.error()));
  }
  return CleanResult{*end, round.stats};
}

/// Notes the last offset of each key from the first dirty offset on; returns where the map ends.
Expected<int64_t> LogCleaner::build_map(Round& round) {
  round.map_end = round.plan.first_dirty;
  CleanTransactions transactions(round.log.aborted_transactions(round.plan.first_dirty, round.plan.first_uncleanable));
  std::swap(transactions, round.transactions);
  for (const CompactionSegment& segment : round.plan.segments) {
    if (segment.next_base <= round.plan.first_dirty) continue;
    auto whole = map_segment(round, segment);
    if (!whole) return fail(std::move(whole.error()));
    if (!*whole) break;
    round.map_end = std::max(round.map_end, segment.next_base);
  }
  std::swap(transactions, round.transactions);
  return round.map_end;
}

/// False when the map was full before the segment ended.
Expected<bool> LogCleaner::map_segment(Round& round, const CompactionSegment& source) {
  BatchScanner scanner(*source.segment->file, 0, source.size_bytes);
  while (true) {
    if (auto running = check_stop(); !running) return fail(std::move(running.error()));
    auto next = scanner.next();
    if (!next) return fail(std::move(next.error()));
    if (!*next) return true;
    const RecordBatchView& batch = **next;
    if (batch.last_offset() < round.plan.first_dirty || batch.magic() < batch_format::kMagic) continue;
    const bool data = !batch.control() && !round.transactions.is_aborted(batch);
    if (batch.control()) round.transactions.is_empty_marker(batch, nullptr);
    if (data) {
      auto records = RecordIterator::open(batch, round.scratch);
      RecordView record;
      // A batch that cannot be read supersedes nothing, and stays.
      while (records && records->next(record)) {
        if (!record.key || record.offset < round.plan.first_dirty) continue;
        if (!round.map.put(*record.key, record.offset)) return false;
      }
    }
    round.map_end = std::max(round.map_end, batch.next_offset());
  }
}

Status LogCleaner::copy_group(Round& round, const Group& group) {
  LogFiles files{fs_, round.log.directory()};
  const auto& segments = round.plan.segments;
  const int64_t base = segments[group.front()].segment->base_offset;
  if (auto removed = fs_.remove(files.path(base, kCleanedLogSuffix)); !removed) return removed;
  auto target = Segment::open(files, base, true, kCleanedLogSuffix);
  if (!target) return fail(std::move(target.error()));
  for (const size_t index : group) {
    if (auto copied = copy_segment(round, segments[index], **target); !copied) {
      // What is left of the copy is removed when the folder is next opened or cleaned.
      [[maybe_unused]] const Status removed = fs_.remove(files.path(base, kCleanedLogSuffix));
      return copied;
    }
  }
  if (auto written = write_out(round, **target, true); !written) return written;
  if (auto synced = (*target)->file->sync(); !synced) return synced;
  (*target)->created_ms = segments[group.back()].segment->created_ms;
  std::vector<std::shared_ptr<Segment>> replaced;
  for (const size_t index : group) replaced.push_back(segments[index].segment);
  return round.log.replace_segments(replaced, segments[group.back()].next_base, std::move(*target));
}

Status LogCleaner::copy_segment(Round& round, const CompactionSegment& source, Segment& target) {
  BatchScanner scanner(*source.segment->file, 0, source.size_bytes);
  while (true) {
    if (auto running = check_stop(); !running) return running;
    auto next = scanner.next();
    if (!next) return fail(std::move(next.error()));
    if (!*next) return {};
    round.stats.bytes_read += (*next)->size_bytes();
    if (auto copied = copy_batch(round, **next, target); !copied) return copied;
    if (auto written = write_out(round, target, false); !written) return written;
  }
}

Status LogCleaner::copy_batch(Round& round, const RecordBatchView& batch, Segment& target) {
  const auto keep_as_it_is = [&] { round.out.append(batch.bytes()); };
  if (batch.magic() < batch_format::kMagic) {
    keep_as_it_is();
    return {};
  }
  const bool empty_marker = batch.control() && round.transactions.is_empty_marker(batch, &target.aborted);
  const bool aborted = !batch.control() && round.transactions.is_aborted(batch);
  const bool horizon_passed = batch.has_delete_horizon() && batch.base_timestamp() <= round.now_ms;
  const bool discard = batch.control() ? empty_marker && horizon_passed : aborted;
  Fate fate = discard ? Fate::kDrop : Fate::kDropEmpty;
  // The last batch of the round keeps the offset where the log goes on.
  if (round.plan.is_last_of_producer(batch) || batch.next_offset() == round.plan.first_uncleanable)
    fate = Fate::kKeepEmpty;
  if (fate == Fate::kDrop) return {};

  round.retained.clear();
  bool tombstones = false, all = true;
  auto records = RecordIterator::open(batch, round.scratch);
  RecordView record;
  while (records && records->next(record)) {
    ++round.stats.records_read;
    bool keep = !discard;
    if (keep && !batch.control() && record.offset < round.map_end) {
      const bool last = record.key && record.offset >= round.map.get(*record.key);
      keep = last && (record.value || !horizon_passed);
    }
    all = all && keep;
    if (!keep) continue;
    tombstones = tombstones || !record.value;
    round.retained.push_back(record);
  }
  if (!discard && (!records || !records->status())) {
    keep_as_it_is();  // unreadable: nothing may be lost of it
    return {};
  }
  round.stats.records_kept += static_cast<int64_t>(round.retained.size());
  if (round.retained.empty()) {
    if (fate == Fate::kKeepEmpty) append_empty_batch(batch, round.out);
    return {};
  }
  const bool set_horizon = (tombstones || empty_marker) && !batch.has_delete_horizon();
  if (all && !set_horizon) {
    keep_as_it_is();
    return {};
  }
  int64_t horizon = batch.has_delete_horizon() ? batch.base_timestamp() : -1;
  if (set_horizon) horizon = round.now_ms + round.plan.config.delete_retention_ms;
  return append_retained_batch(batch, round.retained, horizon, round.out);
}

Status LogCleaner::write_out(Round& round, Segment& target, bool all) {
  if (round.out.empty() || (!all && round.out.size() < kWriteBytes)) return {};
  if (auto written = target.file->write_at(target.size_bytes, round.out); !written) return written;
  for (BytesView rest = round.out; !rest.empty();) {
    const size_t size =
        batch_format::kLogOverhead + static_cast<size_t>(load_be<int32_t>(rest.data() + batch_format::kLengthAt));
    const RecordBatchView batch = RecordBatchView::unchecked(rest.substr(0, size));
    if (auto noted = target.note_batch(batch, target.size_bytes, round.plan.config); !noted) return noted;
    target.size_bytes += size;
    rest.remove_prefix(size);
  }
  round.stats.bytes_written += round.out.size();
  round.out.clear();
  return {};
}

}  // namespace millrace
