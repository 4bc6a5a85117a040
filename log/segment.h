/// One .log file of a partition with its indexes. docs/formats/segment.md.
/// Threads: all but `file` is guarded by the log that owns the segment; readers keep the segment alive and read `file`
/// up to a size they took under the log's lock.
#pragma once

#include <memory>

#include "core/file_system.h"
#include "log/file_names.h"
#include "log/log_config.h"
#include "log/producer_state.h"
#include "log/segment_index.h"
#include "protocol/record_batch.h"

namespace millrace {

struct LogFiles {
  FileSystem& fs;
  Path directory;
  Path path(int64_t base_offset, std::string_view suffix) const;
};

class Segment {
 public:
  /// Opens the .log file; `create` makes it. The indexes are empty: load_indexes() or recover() fills them.
  static Expected<std::shared_ptr<Segment>> open(LogFiles& files, int64_t base_offset, bool create,
                                                 std::string_view suffix = kLogSuffix);

  /// Reads the index files. kCorruption when one is missing or does not fit the log: then recover().
  Status load_indexes(LogFiles& files);
  /// Writes and syncs the index files, with the final time index entry.
  Status write_indexes(LogFiles& files);
  /// Reads what only the batches tell: largest timestamp, first batch's timestamp, next offset.
  Status load_summary();

  /// Walks the file from its start, rebuilds the indexes, feeds `producers` and cuts the file behind the last good
  /// batch. The number of bytes cut. Errors: kCorruption for good batches that contradict each other (offsets beyond
  /// the segment); kUnavailable.
  Expected<uint64_t> recover(const LogConfig& config, ProducerState& producers,
                             std::vector<std::pair<int32_t, int64_t>>* epochs);

  /// Notes in indexes and summary a batch that lies at the end of the file, or is about to.
  Status note_batch(const RecordBatchView& batch, uint64_t position, const LogConfig& config);
  /// Adds the last entry of a rolled or closed segment.
  Status finish_time_index() { return time_index.append_if_later(max_timestamp, max_timestamp_offset); }
  /// True when an offset does not fit the 31 bits that the indexes keep.
  bool beyond(int64_t last_offset) const { return last_offset < base_offset || last_offset - base_offset > INT32_MAX; }

  /// Gives back what preallocation has reserved and was not used.
  Status trim();
  /// `with_snapshot`: also the producer state at the segment's start.
  Status remove_files(LogFiles& files, bool with_snapshot = true) const;

  int64_t base_offset = 0;
  std::unique_ptr<File> file;
  uint64_t size_bytes = 0;  ///< whole batches; the file may be longer for a moment while one is written
  int64_t next_offset = 0;
  int64_t max_timestamp = -1;
  int64_t max_timestamp_offset = -1;   ///< last offset of the first batch that has it
  int64_t first_batch_timestamp = -1;  ///< rolls by time are measured from here
  int64_t created_ms = 0;
  uint64_t last_index_position = 0;
  int32_t last_leader_epoch = -1;  ///< of the newest batches
  int64_t jitter_ms = 0;           ///< rolls this much earlier
  bool preallocated = false;       ///< the file is longer than its batches until the segment is rolled or closed
  bool dirty = false;              ///< holds bytes that are not yet synced
  OffsetIndex offset_index{0};
  TimeIndex time_index{0};
  std::vector<AbortedTransaction> aborted;
};

}  // namespace millrace
