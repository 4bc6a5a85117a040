#include "log/partition_log.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/crc32c.h"
#include "core/invariant.h"
#include "log/file_names.h"

namespace millrace {
namespace {

tl::unexpected<Error> closed_error(const Path& directory) {
  return fail(ErrorCode::kStopped, fmt::format("the log {} is closed", directory.string()));
}

}  // namespace

Status PartitionLog::check_batch(const RecordBatchView& batch) const {
  if (batch.size_bytes() > static_cast<uint64_t>(config_.message_bytes_max)) {
    return fail(Error{
        ErrorCode::kBadRecord,
        fmt::format("a batch of {} bytes for {} is larger than max.message.bytes {}: send less at once or raise it",
                    batch.size_bytes(), files_.directory.filename().string(), config_.message_bytes_max),
        "org.apache.kafka.common.errors.RecordTooLargeException",
        {},
        {}});
  }
  if (batch.size_bytes() > static_cast<uint64_t>(config_.segment_bytes)) {
    return fail(Error{ErrorCode::kBadRecord,
                      fmt::format("a batch of {} bytes for {} is larger than segment.bytes {}", batch.size_bytes(),
                                  files_.directory.filename().string(), config_.segment_bytes),
                      "org.apache.kafka.common.errors.RecordBatchTooLargeException",
                      {},
                      {}});
  }
  const bool counts = batch.record_count() > 0 && batch.last_offset_delta() + 1 == batch.record_count();
  // Offsets that a coordinator writes for a transaction carry the producer without a sequence.
  const bool unnumbered = batch.base_sequence() < 0 && !batch.control() && !batch.transactional();
  if (!counts || (batch.producer_id() >= 0 && unnumbered)) {
    return fail(Error{
        ErrorCode::kBadRecord,
        fmt::format("a batch for {} contradicts itself: {} records, last offset delta {}, producer {}, sequence {}",
                    files_.directory.filename().string(), batch.record_count(), batch.last_offset_delta(),
                    batch.producer_id(), batch.base_sequence()),
        "org.apache.kafka.common.InvalidRecordException",
        {},
        {}});
  }
  return {};
}

/// Fills in what the log decides: base offset and leader epoch (outside the CRC), and the time under LogAppendTime.
Status PartitionLog::stamp_batch(std::span<char> bytes, const AppendOptions& options, AppendResult& result) {
  char* header = bytes.data();
  if (options.keep_offsets) {
    const RecordBatchView batch = RecordBatchView::unchecked({bytes.data(), bytes.size()});
    if (batch.base_offset() < end_offset_) {
      return fail(ErrorCode::kConflict, fmt::format("{}: offset {} is already taken, the log ends at {}",
                                                    files_.directory.string(), batch.base_offset(), end_offset_));
    }
    return adopt_epochs({{batch.leader_epoch(), batch.base_offset()}});
  }
  if (epochs_.empty() || epochs_.back().epoch < leader_epoch_) {
    if (auto adopted = adopt_epochs({{leader_epoch_, end_offset_}}); !adopted) return adopted;
  }
  store_be(header + batch_format::kBaseOffsetAt, end_offset_);
  store_be(header + batch_format::kPartitionLeaderEpochAt, leader_epoch_);
  if (!config_.log_append_time) return {};
  result.append_time = environment_.clock.wall_ms();
  const auto attributes = load_be<int16_t>(header + batch_format::kAttributesAt);
  store_be(header + batch_format::kAttributesAt,
           static_cast<int16_t>((attributes & 0x7F) | batch_format::kLogAppendTimeBit));
  store_be(header + batch_format::kMaxTimestampAt, result.append_time);
  const BytesView covered = BytesView(bytes.data(), bytes.size()).substr(batch_format::kAttributesAt);
  store_be(header + batch_format::kCrcAt, crc32c(covered));
  return {};
}

Expected<AppendResult> PartitionLog::append(std::span<char> bytes, const AppendOptions& options, Durable on_durable) {
  if (!options.from_client) return append_checked(bytes, options, std::move(on_durable));
  // The costly checks run outside the lock.
  const LogConfig rules = config();
  const std::string partition = files_.directory.filename().string();
  std::string rewritten;
  auto checked = check_client_batch(bytes, {rules, partition, environment_.clock.wall_ms(), options.produce_version},
                                    options.record_errors, rewritten);
  if (!checked) return fail(std::move(checked.error()));
  if (!checked->empty()) return append_checked(*checked, options, std::move(on_durable));
  AppendResult nothing{-1, -1, -1, false, log_start_offset()};
  if (on_durable) on_durable(-1);
  return nothing;
}

Expected<AppendResult> PartitionLog::append_checked(std::span<char> bytes, const AppendOptions& options,
                                                    Durable on_durable) {
  std::unique_lock lock(mutex_);
  if (closed_) return closed_error(files_.directory);
  auto parsed = RecordBatchView::parse({bytes.data(), bytes.size()});
  if (!parsed) return fail(std::move(parsed.error()));
  const RecordBatchView batch = *parsed;
  if (batch.size_bytes() != bytes.size()) {
    return fail(ErrorCode::kBadRecord,
                fmt::format("{} bytes follow the batch: one batch at a time", bytes.size() - batch.size_bytes()));
  }
  AppendResult result;
  if (!options.keep_offsets) {
    if (auto checked = check_batch(batch); !checked) return fail(std::move(checked.error()));
  }
  // First, or a retry could be taken for a duplicate of a batch that is about to be cut.
  if (auto repaired = repair_tail(); !repaired) return storage_error(std::move(repaired.error()));
  if (options.check_producer && !options.keep_offsets) {
    auto earlier = producers_.check(batch);
    if (!earlier) return fail(std::move(earlier.error()));
    if (*earlier) {
      result = {(*earlier)->first_offset, (*earlier)->last_offset, (*earlier)->timestamp, true, start_offset_};
      if (!on_durable) return result;
      if (result.last_offset >= durable_offset_ && config_.durability == Durability::kGroupCommit) {
        waiters_.push_back({result.base_offset, result.last_offset + 1, std::move(on_durable)});
      } else {
        lock.unlock();
        on_durable(result.base_offset);
      }
      return result;
    }
  }
  if (auto stamped = stamp_batch(bytes, options, result); !stamped) return storage_error(std::move(stamped.error()));
  if (auto rolled = roll_if_needed(batch); !rolled) return storage_error(std::move(rolled.error()));
  result.base_offset = batch.base_offset();
  result.last_offset = batch.last_offset();
  if (auto written = write_batch(bytes); !written) return storage_error(std::move(written.error()));
  result.log_start_offset = start_offset_;
  if (config_.durability == Durability::kPageCache) {
    advance_high_watermark(end_offset_, end_place());
    if (unflushed_since_ms_ < 0 && config_.flush_ms != INT64_MAX) unflushed_since_ms_ = environment_.clock.wall_ms();
    const bool sync_now = end_offset_ - durable_offset_ >= config_.flush_messages;
    if (sync_now && environment_.committer != nullptr) environment_.committer->dirty(shared_from_this());
    lock.unlock();
    if (on_durable) on_durable(result.base_offset);
    notify_listeners();
    return result;
  }
  if (on_durable) waiters_.push_back({result.base_offset, end_offset_, std::move(on_durable)});
  if (environment_.committer != nullptr) environment_.committer->dirty(shared_from_this());
  return result;
}

/// Trouble with the disk is told in words that make a producer try again.
tl::unexpected<Error> PartitionLog::storage_error(Error error) const {
  if (error.code != ErrorCode::kUnavailable) return fail(std::move(error));
  Error told = std::move(error).wrap(
      fmt::format("cannot append to {}: nothing was stored, retry when there is room", files_.directory.string()));
  told.exception = "org.apache.kafka.common.errors.KafkaStorageException";
  return fail(std::move(told));
}

/// One write behind the last batch, then the books: indexes, producers, end offset.
Status PartitionLog::write_batch(std::span<char> bytes) {
  Segment& segment = active();
  const RecordBatchView batch = RecordBatchView::unchecked({bytes.data(), bytes.size()});
  const bool tracked = batch.producer_id() >= 0;
  auto written = segment.file->write_at(segment.size_bytes, {bytes.data(), bytes.size()});
  if (!written) {
    tail_torn_ = true;
    // Cut at once when the file system lets us; else the next append has to.
    if (segment.file->truncate(segment.size_bytes)) tail_torn_ = false;
    return written;
  }
  if (tracked) {
    const auto open_before = batch.control() ? producers_.open_transaction(batch.producer_id()) : std::nullopt;
    auto ended = producers_.apply(batch);
    if (!ended) {
      tail_torn_ = true;
      return fail(std::move(ended.error()));
    }
    if (*ended) segment.aborted.push_back(**ended);
    producers_.seen(batch.producer_id(), environment_.clock.wall_ms());
    if (open_before && !producers_.open_transaction(batch.producer_id())) {
      ended_transactions_.push_back({*open_before, batch.last_offset()});
    }
  }
  if (auto noted = segment.note_batch(batch, segment.size_bytes, config_); !noted) {
    tail_torn_ = true;
    return noted;
  }
  tail_positions_.add(
      {segment.base_offset, batch.base_offset(), batch.last_offset(), segment.size_bytes, bytes.size()});
  segment.size_bytes += bytes.size();
  segment.dirty = true;
  end_offset_ = batch.next_offset();
  return {};
}

/// Removes what a failed write or sync has left behind the last good batch.
Status PartitionLog::repair_tail() {
  if (cut_pending_ >= 0) {
    if (auto cut = truncate_locked(cut_pending_); !cut) return cut;
    cut_pending_ = -1;
  }
  if (!tail_torn_) return {};
  if (auto cut = active().file->truncate(active().size_bytes); !cut) return cut;
  tail_torn_ = false;
  return {};
}

Status PartitionLog::roll_if_needed(const RecordBatchView& batch) {
  Segment& segment = active();
  const auto size = static_cast<int64_t>(segment.size_bytes);
  bool needed = size > config_.segment_bytes - static_cast<int64_t>(batch.size_bytes());
  if (size > 0) {
    const int64_t age = batch.max_timestamp() >= 0 && segment.first_batch_timestamp >= 0
                            ? batch.max_timestamp() - segment.first_batch_timestamp
                            : environment_.clock.wall_ms() - segment.created_ms;
    needed =
        needed || age > config_.segment_age_max_ms() - segment.jitter_ms ||
        static_cast<int64_t>(segment.offset_index.size_bytes() + OffsetIndex::kEntryBytes) >
            config_.segment_index_bytes ||
        static_cast<int64_t>(segment.time_index.size_bytes() + TimeIndex::kEntryBytes) > config_.segment_index_bytes;
  }
  if (segment.beyond(batch.last_offset())) needed = true;
  return needed ? roll(batch.base_offset()) : Status{};
}

Status PartitionLog::roll(int64_t base_offset) {
  if (active().base_offset == base_offset) return {};  // an empty segment is used as it is
  if (auto trimmed = active().trim(); !trimmed) return trimmed;
  if (auto synced = sync_before_roll(); !synced) return synced;
  if (auto written = active().write_indexes(files_); !written) return written;
  if (auto written = write_snapshot(base_offset); !written) return written;
  auto segment = new_segment(base_offset);
  if (!segment) return fail(std::move(segment.error()));
  segments_.push_back(std::move(*segment));
  return {};
}

/// Neither a later segment nor a snapshot may outlive a crash that takes what lies before them: a retry of what was
/// lost would be taken for a duplicate. Group commit has synced nearly all of it before.
Status PartitionLog::sync_before_roll() {
  if (config_.durability != Durability::kGroupCommit || !active().dirty) return {};
  auto synced = active().file->sync();
  if (synced) return {};
  cut_pending_ = durable_offset_;
  lost_waiters_ = take_waiters(INT64_MAX);
  return synced;
}

Expected<std::shared_ptr<Segment>> PartitionLog::new_segment(int64_t base_offset) {
  auto segment = Segment::open(files_, base_offset, true);
  if (!segment) return segment;
  (*segment)->created_ms = environment_.clock.wall_ms();
  if (const int64_t most = std::min(config_.segment_jitter_ms, config_.segment_ms); most > 0) {
    // Differs from log to log without being drawn anew after a restart.
    const uint64_t seed = std::hash<std::string>()(files_.directory.string()) + static_cast<uint64_t>(base_offset);
    (*segment)->jitter_ms = static_cast<int64_t>(seed * 0x9E3779B97F4A7C15ULL % static_cast<uint64_t>(most));
  }
  if (config_.preallocate && (*segment)->size_bytes == 0) {
    if (auto reserved = (*segment)->file->truncate(static_cast<uint64_t>(config_.segment_bytes)); !reserved)
      return fail(std::move(reserved.error()));
    (*segment)->preallocated = true;
  }
  directory_dirty_ = true;
  return segment;
}

Status PartitionLog::write_snapshot(int64_t offset) {
  const Path path = files_.path(offset, kSnapshotSuffix);
  auto file = files_.fs.open(path, FileSystem::Open::kCreate);
  if (!file) return fail(std::move(file.error()));
  const std::string bytes = producers_.snapshot();
  if (auto cut = (*file)->truncate(bytes.size()); !cut) return cut;
  if (auto written = (*file)->write_at(0, bytes); !written) return written;
  return (*file)->sync();
}

Status PartitionLog::flush() {
  std::lock_guard one_flush(flush_mutex_);
  std::unique_lock lock(mutex_);
  std::vector<Waiter> lost = std::exchange(lost_waiters_, {});
  if (!lost.empty()) {
    lock.unlock();
    refuse_waiters(lost, Error{ErrorCode::kUnavailable, "the disk did not take the records", {}, {}, {}});
    lock.lock();
  }
  // What an earlier sync has lost was refused to its producers: it must go before anything is called durable.
  if (auto repaired = repair_tail(); !repaired) return repaired;
  std::vector<std::shared_ptr<Segment>> dirty;
  for (const auto& segment : segments_) {
    if (std::exchange(segment->dirty, false)) dirty.push_back(segment);
  }
  const int64_t target = end_offset_;
  const LimitPlace target_place = end_place();
  unflushed_since_ms_ = -1;
  const bool sync_directory = std::exchange(directory_dirty_, false);
  const bool nothing = dirty.empty() && waiters_.empty() && durable_offset_ == target;
  if (nothing && !sync_directory) return {};
  const Path directory = files_.directory;
  lock.unlock();
  Status synced;
  for (const auto& segment : dirty) {
    if (synced) synced = segment->file->sync();
  }
  if (synced && sync_directory) synced = files_.fs.sync_directory(directory);
  lock.lock();
  std::vector<Waiter> done;
  const int64_t before = high_watermark_;
  if (synced) {
    durable_offset_ = std::max(durable_offset_, std::min(target, end_offset_));
    if (durable_offset_ > high_watermark_) advance_high_watermark(durable_offset_, target_place);
    done = take_waiters(durable_offset_);
  } else {
    // After a failed fdatasync the kernel may have dropped the pages: what was not acknowledged is taken back.
    environment_.logger.error(
        "log_sync_failed",
        {{"log", directory.string()}, {"cut_to", durable_offset_}, {"error", synced.error().message}});
    directory_dirty_ = directory_dirty_ || sync_directory;
    for (const auto& segment : dirty) segment->dirty = true;
    cut_pending_ = durable_offset_;
    done = take_waiters(INT64_MAX);
    if (truncate_locked(cut_pending_)) cut_pending_ = -1;
  }
  const bool advanced = high_watermark_ != before;
  lock.unlock();
  if (!synced) refuse_waiters(done, synced.error());
  for (Waiter& waiter : done) {
    if (synced) waiter.done(waiter.base_offset);
  }
  if (advanced) notify_listeners();
  return synced;
}

void PartitionLog::refuse_waiters(std::vector<Waiter>& waiters, const Error& why) {
  for (Waiter& waiter : waiters) {
    Error told = Error(why).wrap(fmt::format("{}: the batch was not stored, send it again", files_.directory.string()));
    told.exception = "org.apache.kafka.common.errors.KafkaStorageException";
    waiter.done(fail(std::move(told)));
  }
}

PartitionLog::LimitPlace PartitionLog::end_place() const {
  return {end_offset_, segments_.back()->base_offset, segments_.back()->size_bytes};
}

void PartitionLog::advance_high_watermark(int64_t offset, const LimitPlace& place) {
  high_watermark_ = offset;
  high_watermark_place_ = place;
  std::erase_if(ended_transactions_, [&](const auto& each) { return each.marker_offset < offset; });
}

std::vector<PartitionLog::Waiter> PartitionLog::take_waiters(int64_t upto) {
  std::vector<Waiter> taken;
  const auto keep =
      std::stable_partition(waiters_.begin(), waiters_.end(), [&](const Waiter& w) { return w.end_offset <= upto; });
  taken.assign(std::make_move_iterator(waiters_.begin()), std::make_move_iterator(keep));
  waiters_.erase(waiters_.begin(), keep);
  return taken;
}

Status PartitionLog::truncate_to(int64_t offset) {
  std::lock_guard structure(structure_mutex_);
  if (auto finished = finish_pending_swap(); !finished) return finished;
  std::lock_guard one_flush(flush_mutex_);
  std::lock_guard lock(mutex_);
  return truncate_locked(offset);
}

Status PartitionLog::close() {
  std::lock_guard structure(structure_mutex_);
  if (auto finished = finish_pending_swap(); !finished) return finished;
  if (auto flushed = flush(); !flushed) return flushed;
  std::lock_guard lock(mutex_);
  if (closed_) return {};
  if (auto repaired = repair_tail(); !repaired) return repaired;
  closed_ = true;
  remove_doomed(INT64_MAX);
  if (auto trimmed = active().trim(); !trimmed) return trimmed;
  if (end_offset_ == clean_end_offset_) return {};
  if (active().dirty) {
    if (auto synced = active().file->sync(); !synced) return synced;
  }
  if (auto written = active().write_indexes(files_); !written) return written;
  if (auto written = write_snapshot(end_offset_); !written) return written;
  return files_.fs.sync_directory(files_.directory);
}

void PartitionLog::abandon() {
  std::unique_lock lock(mutex_);
  closed_ = true;
  std::vector<Waiter> left = take_waiters(INT64_MAX);
  std::move(lost_waiters_.begin(), lost_waiters_.end(), std::back_inserter(left));
  lost_waiters_.clear();
  const Path directory = files_.directory;
  lock.unlock();
  for (Waiter& waiter : left) waiter.done(closed_error(directory));
  notify_listeners();
}

int64_t PartitionLog::log_start_offset() const {
  std::lock_guard lock(mutex_);
  return start_offset_;
}
int64_t PartitionLog::end_offset() const {
  std::lock_guard lock(mutex_);
  return end_offset_;
}
int64_t PartitionLog::high_watermark() const {
  std::lock_guard lock(mutex_);
  return high_watermark_;
}
int64_t PartitionLog::recovery_point() const {
  std::lock_guard lock(mutex_);
  return durable_offset_;
}
int64_t PartitionLog::last_stable_offset() const {
  std::lock_guard lock(mutex_);
  return stable_locked();
}
uint64_t PartitionLog::size_bytes() const {
  std::lock_guard lock(mutex_);
  uint64_t total = 0;
  for (const auto& segment : segments_) total += segment->size_bytes;
  return total;
}
size_t PartitionLog::segment_count() const {
  std::lock_guard lock(mutex_);
  return segments_.size();
}
std::vector<SegmentStart> PartitionLog::segment_starts() const {
  std::lock_guard lock(mutex_);
  std::vector<SegmentStart> starts;
  for (const auto& segment : segments_) {
    if (segment->size_bytes > 0) starts.push_back({segment->base_offset, segment->max_timestamp});
  }
  return starts;
}
int64_t PartitionLog::first_segment_offset() const {
  std::lock_guard lock(mutex_);
  return segments_.front()->base_offset;
}
std::vector<LeaderEpoch> PartitionLog::leader_epochs() const {
  std::lock_guard lock(mutex_);
  return epochs_;
}
ProducerState PartitionLog::producer_state() const {
  std::lock_guard lock(mutex_);
  return producers_;
}
LogConfig PartitionLog::config() const {
  std::lock_guard lock(mutex_);
  return config_;
}
void PartitionLog::set_config(const LogConfig& config) {
  std::lock_guard lock(mutex_);
  config_ = config;
}

void PartitionLog::add_listener(LogListener* listener) {
  std::lock_guard lock(listeners_mutex_);
  listeners_.push_back(listener);
}
void PartitionLog::remove_listener(LogListener* listener) {
  std::lock_guard lock(listeners_mutex_);
  std::erase(listeners_, listener);
}
void PartitionLog::notify_listeners() {
  std::lock_guard lock(listeners_mutex_);
  for (LogListener* listener : listeners_) listener->on_advance();
}

}  // namespace millrace
