/// Compaction: of all records with one key only the last survives, tombstones and transaction markers only for a while.
/// Offsets and order never change. Rules: docs/formats/compaction.md.
///
/// A round reads the dirty part of a log into a CompactionMap, copies the segments from the log's start without what
/// is superseded, several small ones into one, and swaps each copy in (PartitionLog::replace_segments). The log takes
/// appends and reads all the while.
#pragma once

#include <atomic>
#include <functional>

#include "log/compaction_map.h"
#include "log/compaction_plan.h"
#include "log/partition_log.h"

namespace millrace {

struct CleanStats {
  uint64_t bytes_read = 0;
  uint64_t bytes_written = 0;
  int64_t records_read = 0;
  int64_t records_kept = 0;
  size_t segments_before = 0;
  size_t segments_after = 0;
};

struct CleanResult {
  int64_t next_dirty = 0;  ///< where the next round begins: goes into cleaner-offset-checkpoint
  CleanStats stats;
};

struct CleanerOptions {
  size_t dedupe_buffer_bytes = size_t{128} << 20;  ///< log.cleaner.dedupe.buffer.size
};

/// Threads: one at a time.
class LogCleaner {
 public:
  /// `stopping` is asked between batches.
  LogCleaner(FileSystem& fs, Clock& clock, Logger logger, CleanerOptions options, std::function<bool()> stopping = {});

  /// One round over `log`, whose offsets below `first_dirty` have been compacted before.
  /// Errors: kStopped; kConflict when the log was cut meanwhile (try again later); kUnavailable; kCorruption.
  Expected<CleanResult> clean(PartitionLog& log, int64_t first_dirty);

 private:
  struct Round;
  using Group = std::vector<size_t>;  // indexes into the plan's segments
  Expected<int64_t> build_map(Round& round);
  Expected<bool> map_segment(Round& round, const CompactionSegment& segment);
  Status copy_group(Round& round, const Group& group);
  Status copy_segment(Round& round, const CompactionSegment& source, Segment& target);
  Status copy_batch(Round& round, const RecordBatchView& batch, Segment& target);
  Status write_out(Round& round, Segment& target, bool all);
  Status check_stop() const;

  FileSystem& fs_;
  Clock& clock_;
  Logger logger_;
  CleanerOptions options_;
  std::function<bool()> stopping_;
  CompactionMap::Secret secret_;
};

}  // namespace millrace
