/// What a compaction of a log is about to work on: a picture taken at one moment.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "log/log_config.h"
#include "log/segment.h"

namespace millrace {

struct CompactionSegment {
  std::shared_ptr<Segment> segment;  ///< co-owned with the log; of its members only base_offset, created_ms and file
  uint64_t size_bytes = 0;
  size_t index_bytes = 0;  ///< of the larger of its indexes
  int64_t next_base = 0;   ///< base offset of the segment behind it
};

struct CompactionPlan {
  /// The newest thing that is known of a producer: it must survive, or the producer's next batch would be refused.
  struct LastOfProducer {
    int64_t last_offset = -1;  ///< of its last data batch; -1 = there are only markers
    int16_t epoch = -1;
  };

  LogConfig config;
  int64_t first_dirty = 0;
  int64_t first_uncleanable = 0;            ///< of the active segment, open transactions and min.compaction.lag.ms
  std::vector<CompactionSegment> segments;  ///< from the log's start up to first_uncleanable
  std::map<int64_t, LastOfProducer> producers;
  uint64_t clean_bytes = 0;
  uint64_t dirty_bytes = 0;
  bool overdue = false;  ///< max.compaction.lag.ms has passed for the oldest dirty record

  double dirty_ratio() const {
    const uint64_t total = clean_bytes + dirty_bytes;
    return total == 0 ? 0 : static_cast<double>(dirty_bytes) / static_cast<double>(total);
  }
  bool due() const { return dirty_bytes > 0 && (overdue || dirty_ratio() > config.min_cleanable_dirty_ratio); }
  bool is_last_of_producer(const RecordBatchView& batch) const {
    if (batch.producer_id() < 0) return false;
    const auto found = producers.find(batch.producer_id());
    if (found == producers.end()) return false;
    if (found->second.last_offset >= 0) return batch.last_offset() == found->second.last_offset;
    return batch.control() && batch.producer_epoch() == found->second.epoch;
  }
};

}  // namespace millrace
