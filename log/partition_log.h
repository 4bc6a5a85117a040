/// One partition's append-only sequence of record batches, stored as segment files in Kafka's own formats.
///
/// An append goes into the page cache with one write and is acknowledged by flush(), which the group committer calls
/// for all dirty partitions together. Readers see only what is durable (the high watermark), so no reader ever sees
/// what a crash can undo. A failed sync is never acknowledged: the unsynced tail is cut and its waiters are told.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/error.h"
#include "core/file_system.h"
#include "core/logger.h"
#include "log/checkpoint.h"
#include "log/client_batch.h"
#include "log/compaction_plan.h"
#include "log/log_config.h"
#include "log/producer_state.h"
#include "log/segment.h"
#include "log/tail_positions.h"

namespace millrace {

class PartitionLog;

/// Whoever syncs dirty logs. Must outlive them.
class Committer {
 public:
  virtual ~Committer() = default;
  /// `log` holds bytes that wait for flush(). Called under the log's lock: must not call the log.
  virtual void dirty(std::shared_ptr<PartitionLog> log) = 0;
};

/// Told when readers of a partition may find more. Called on the committing thread: must not block or call the log.
class LogListener {
 public:
  virtual ~LogListener() = default;
  virtual void on_advance() = 0;
};

struct LogOpenOptions {
  int64_t recovery_point = 0;    ///< all before this offset was synced
  int64_t log_start_offset = 0;  ///< records before this offset were deleted
  bool clean = false;            ///< the last process closed the log: indexes and snapshot can be trusted
};

struct AppendOptions {
  bool keep_offsets = false;   ///< batches carry their offsets, epochs and times already (copying a log)
  bool check_producer = true;  ///< idempotence rules; off for markers written by a coordinator
  /// The bytes come from a Produce request: everything that log/client_batch.h lists is checked and put right first.
  bool from_client = false;
  int16_t produce_version = 9;  ///< from_client: of the request; before 3 magic 0 and 1 are taken and converted
  std::vector<RecordError>* record_errors = nullptr;  ///< from_client: filled when single records are to blame
};

struct AppendResult {
  int64_t base_offset = 0;
  int64_t last_offset = 0;
  int64_t append_time = -1;  ///< ms under LogAppendTime, else -1; of a duplicate the first try's largest timestamp
  bool duplicate = false;    ///< a retry: the offsets are those of the first try
  int64_t log_start_offset = 0;
};

/// Which records a reader wants: all that are durable, or only those of transactions that have ended.
enum class Isolation : int8_t { kUncommitted = 0, kCommitted = 1 };

/// Where in a file the answer to a Fetch lies, for sendfile. `segment->file` may be read for as long as the slice
/// lives, also when retention or compaction has meanwhile replaced the segment; of the other members of the segment
/// only base_offset may be looked at.
struct LogSlice {
  std::shared_ptr<Segment> segment;  ///< null when there is nothing to read; co-owned with the log
  uint64_t position = 0;             ///< starts with the batch that holds the offset asked for
  uint64_t size = 0;                 ///< may end inside a batch, as clients expect; 0 = nothing to read now
  int64_t high_watermark = 0;
  int64_t last_stable_offset = 0;
  int64_t log_start_offset = 0;
  /// Only for kCommitted: aborted transactions that may overlap the bytes, by marker. The client drops their batches.
  std::vector<AbortedTransaction> aborted;
};

struct EpochEndOffset {
  int32_t epoch = -1;  ///< -1 = the log knows nothing of the epoch
  int64_t end_offset = -1;
};

/// One producer as DescribeProducers tells it.
struct ProducerInfo {
  int64_t producer_id = -1;
  int16_t producer_epoch = -1;
  int32_t last_sequence = -1;
  int64_t last_timestamp = -1;
  int32_t coordinator_epoch = -1;
  int64_t transaction_first_offset = -1;  ///< -1 = no open transaction
};

/// Whole batches in place. The bytes live as long as `owner`.
struct LogRead {
  std::shared_ptr<const char[]> owner;  ///< co-owned by whoever still reads `bytes`
  BytesView bytes;                      ///< starts with the batch that holds the offset asked for; empty at the end
  int64_t next_offset = 0;
  int64_t high_watermark = 0;
  int64_t last_stable_offset = 0;
  int64_t log_start_offset = 0;
};

struct TimestampOffset {
  int64_t timestamp;
  int64_t offset;
};

struct SegmentStart {
  int64_t base_offset;
  int64_t largest_timestamp;
};

/// Threads: any. Lifetime: must not outlive the FileSystem, Clock and Committer given to open().
class PartitionLog : public std::enable_shared_from_this<PartitionLog> {
 public:
  /// Called once, when the batch is durable (its base offset) or has been cut (kUnavailable). Must not call the log.
  using Durable = std::function<void(Expected<int64_t> base_offset)>;
  struct Environment {
    FileSystem& fs;
    Clock& clock;
    Logger logger;
    Committer* committer = nullptr;  ///< none: the owner calls flush()
  };

  /// Opens or creates the log in `directory`. After a crash the torn tail is cut, later segments are deleted and
  /// indexes rebuilt, all from the recovery point's segment on. What is then there is durable.
  /// Errors: kCorruption naming the segment; kUnavailable.
  static Expected<std::shared_ptr<PartitionLog>> open(Environment environment, Path directory, LogConfig config,
                                                      LogOpenOptions options);

  /// Appends one batch: gives it its offsets (in place, outside the CRC) and writes it. `on_durable` may be empty.
  /// On an error nothing was stored and `on_durable` is not called. Errors: kUnavailable (KafkaStorageException; disk
  /// full: the file is cut back to its last whole batch; retry), kBadRecord (too large, malformed), kCorruption, and
  /// those of ProducerState::check(). Without from_client the CRC and the records are taken on trust.
  Expected<AppendResult> append(std::span<char> batch, const AppendOptions& options = {}, Durable on_durable = {});

  /// Syncs all dirty segments, moves the high watermark and calls the waiters. One thread at a time does the work.
  Status flush();

  /// Up to `bytes_max` bytes of whole batches from `offset` on, at least one batch; only what lies before the high
  /// watermark. Errors: kNotFound (OffsetOutOfRangeException) when `offset` lies before the log start or after the end.
  Expected<LogRead> read(int64_t offset, size_t bytes_max) const;

  /// The file range that a Fetch from `offset` answers, without reading the data. It stays within one segment, below
  /// the high watermark (kCommitted: the last stable offset) and within `bytes_max`; with `at_least_one_batch` the
  /// first batch is whole even above that, without it a first batch that does not fit gives size 0. A reader at the
  /// end of the log costs no system call, others one or two small reads. Errors: as read().
  Expected<LogSlice> locate(int64_t offset, size_t bytes_max, Isolation isolation, bool at_least_one_batch) const;

  /// The first record at or after `timestamp_ms`, at `limit` at most: only what lies before it counts (-1 = the high
  /// watermark).
  Expected<std::optional<TimestampOffset>> find_by_timestamp(int64_t timestamp_ms, int64_t limit = -1) const;
  /// The first record with the largest timestamp of the log (ListOffsets -3); nothing when the log has none.
  Expected<std::optional<TimestampOffset>> find_max_timestamp() const;
  /// Aborted transactions that overlap [from, to), by marker.
  std::vector<AbortedTransaction> aborted_transactions(int64_t from, int64_t to) const;
  /// Where the largest epoch that is not above `epoch` ends (OffsetForLeaderEpoch).
  EpochEndOffset end_offset_for_epoch(int32_t epoch) const;
  /// What batches are stamped with: 0 in a new log, one more each time an existing log is opened, never less.
  int32_t leader_epoch() const;
  /// Known producers by id, also those with an open transaction.
  std::vector<ProducerInfo> producers() const;

  /// Cuts all batches that hold or follow `offset`.
  Status truncate_to(int64_t offset);
  /// Moves the log start (delete-records). -1 = the high watermark. Errors: kNotFound beyond the high watermark.
  Expected<int64_t> delete_records(int64_t before_offset);
  /// Deletes whole segments by log start, size and age, and forgets producers that have been silent for
  /// producer.id.expiration.ms; the number of segments deleted.
  Expected<size_t> apply_retention();

  /// What time brings: removes files whose file.delete.delay.ms has passed and syncs by flush.ms. Errors are logged and
  /// tried again.
  void maintain();

  /// What there is to compact above `first_dirty`.
  CompactionPlan plan_compaction(int64_t first_dirty) const;
  /// Puts a compacted copy, written to the file *.log.cleaned and synced, in the place of neighbouring segments of a
  /// plan that reach up to `next_base`. A crash leaves the old or the new segments. Appends and reads go on.
  /// Errors: kConflict when the segments are no longer there; kUnavailable (what is left is done with the next call).
  Status replace_segments(const std::vector<std::shared_ptr<Segment>>& replaced, int64_t next_base,
                          std::shared_ptr<Segment> cleaned);

  /// Flushes, writes indexes and the producer snapshot. Appends are refused afterwards.
  Status close();
  /// Refuses appends from now on and fails waiters; the folder may then be removed.
  void abandon();

  int64_t log_start_offset() const;
  int64_t end_offset() const;      ///< of what was appended, durable or not
  int64_t high_watermark() const;  ///< of what readers see
  int64_t last_stable_offset() const;
  int64_t recovery_point() const;  ///< all before it is synced
  uint64_t size_bytes() const;
  size_t segment_count() const;
  int64_t first_segment_offset() const;
  std::vector<SegmentStart> segment_starts() const;  ///< of segments that hold batches, oldest first
  std::vector<LeaderEpoch> leader_epochs() const;
  ProducerState producer_state() const;
  LogConfig config() const;
  void set_config(const LogConfig& config);
  const Path& directory() const { return files_.directory; }

  void add_listener(LogListener* listener);
  void remove_listener(LogListener* listener);

 private:
  struct Waiter {
    int64_t base_offset;
    int64_t end_offset;
    Durable done;
  };
  /// A transaction whose marker is not yet durable.
  struct EndedTransaction {
    int64_t first_offset;
    int64_t marker_offset;
  };
  /// Where an offset that bounds what readers see lies.
  struct LimitPlace {
    int64_t offset = -1;
    int64_t segment = -1;
    uint64_t position = 0;
  };
  /// A compacted segment that is in use, but whose files do not all have their names yet.
  struct PendingSwap {
    int64_t base;
    int64_t next_base;
    std::shared_ptr<Segment> cleaned;  // co-owned with segments_
  };
  PartitionLog(Environment environment, Path directory, LogConfig config);
  Status load(const LogOpenOptions& options);
  Expected<std::vector<int64_t>> tidy_directory();
  Status recover_from(size_t first, const LogOpenOptions& options);
  Status load_producers(int64_t upto);
  Status replay_producers(int64_t from, int64_t upto);
  Status adopt_epochs(const std::vector<std::pair<int32_t, int64_t>>& epochs);
  void choose_leader_epoch();
  Status check_range(int64_t offset) const;
  int64_t stable_locked() const;
  size_t segment_holding(int64_t offset) const;
  std::optional<uint64_t> known_position(size_t index, int64_t limit) const;
  std::string cannot_read(int64_t offset) const;
  void aborted_locked(int64_t from, int64_t to, std::vector<AbortedTransaction>& found) const;
  LimitPlace end_place() const;
  void advance_high_watermark(int64_t offset, const LimitPlace& place);
  Expected<AppendResult> append_checked(std::span<char> batch, const AppendOptions& options, Durable on_durable);
  /// A removed file that keeps its bytes for a while, for readers that open files by name.
  struct DoomedFile {
    int64_t due_ms;
    Path path;
  };
  Expected<std::shared_ptr<Segment>> new_segment(int64_t base_offset);
  Status discard_files(int64_t base_offset);
  void remove_doomed(int64_t due_ms);
  tl::unexpected<Error> storage_error(Error error) const;
  Status finish_pending_swap();
  Status finish_swap(int64_t base, int64_t next_base);
  Status finish_swaps_on_disk(const std::vector<std::string>& names);
  Expected<bool> rebuild_indexes(size_t index, const LogOpenOptions& options);
  Status check_batch(const RecordBatchView& batch) const;
  Status stamp_batch(std::span<char> bytes, const AppendOptions& options, AppendResult& result);
  Status write_batch(std::span<char> bytes);
  Status roll_if_needed(const RecordBatchView& batch);
  Status roll(int64_t base_offset);
  Status repair_tail();
  Status truncate_locked(int64_t offset);
  Status write_snapshot(int64_t offset);
  Status drop_snapshots(int64_t first, int64_t last);
  Status remove_front(size_t count);
  Status trim_epochs();
  std::vector<Waiter> take_waiters(int64_t upto);
  void refuse_waiters(std::vector<Waiter>& waiters, const Error& why);
  Status sync_before_roll();
  void notify_listeners();
  Segment& active() { return *segments_.back(); }

  Environment environment_;
  LogFiles files_;
  mutable std::mutex mutex_;
  std::mutex structure_mutex_;  // taken first: one retention, truncation or swap of segments at a time
  std::mutex flush_mutex_;      // taken before mutex_: one flush at a time
  LogConfig config_;
  std::vector<std::shared_ptr<Segment>> segments_;  // by base offset; co-owned by readers
  ProducerState producers_;
  std::vector<LeaderEpoch> epochs_;
  int32_t leader_epoch_ = 0;
  std::vector<Waiter> waiters_;       // by end offset
  std::vector<Waiter> lost_waiters_;  // a roll could not sync: the next flush tells them
  std::vector<EndedTransaction> ended_transactions_;
  TailPositions tail_positions_;
  LimitPlace high_watermark_place_;
  mutable LimitPlace stable_place_;  // the last stable offset that was looked up
  int64_t start_offset_ = 0;
  int64_t end_offset_ = 0;
  int64_t high_watermark_ = 0;
  int64_t durable_offset_ = 0;
  bool tail_torn_ = false;           // a failed write may have left bytes behind the last batch
  int64_t cut_pending_ = -1;         // a failed sync: everything from here on must go before the next append
  bool directory_dirty_ = false;     // a segment file was created and its name is not yet synced
  int64_t clean_end_offset_ = -1;    // opened clean with this end: unless it moves, close() has nothing to write
  std::vector<DoomedFile> doomed_;   // guarded by structure_mutex_
  int64_t unflushed_since_ms_ = -1;  // kPageCache: when the oldest unsynced batch came
  std::optional<PendingSwap> pending_swap_;  // guarded by structure_mutex_
  bool closed_ = false;
  std::mutex listeners_mutex_;
  std::vector<LogListener*> listeners_;
};

}  // namespace millrace
