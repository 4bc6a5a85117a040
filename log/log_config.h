/// What a topic's configuration means to its partition logs. Names and defaults are Kafka's topic configs;
/// broker/topic_config.h reads them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "protocol/compression.h"

namespace millrace {

/// When an append counts as acknowledged.
enum class Durability {
  kGroupCommit,  ///< after an fdatasync shared with all partitions that are dirty at that moment
  kPageCache,    ///< at once: survives the death of the process, not of the machine (Kafka's default)
};

struct LogConfig {
  int64_t segment_bytes = 1 << 30;
  int64_t segment_ms = 604'800'000;
  int64_t segment_jitter_ms = 0;  ///< segments roll up to this much earlier, each at its own time
  int64_t segment_index_bytes = 10 << 20;
  int64_t index_interval_bytes = 4096;
  int64_t message_bytes_max = 1'048'588;
  int64_t retention_ms = 604'800'000;        ///< -1 = keep
  int64_t retention_bytes = -1;              ///< -1 = keep
  int64_t file_delete_delay_ms = 60'000;     ///< removed files keep their bytes this long under the name *.deleted
  bool cleanup_delete = true;                ///< cleanup.policy holds "delete"
  bool cleanup_compact = false;              ///< cleanup.policy holds "compact"
  int64_t delete_retention_ms = 86'400'000;  ///< how long compaction keeps tombstones and transaction markers
  int64_t min_compaction_lag_ms = 0;
  int64_t max_compaction_lag_ms = INT64_MAX;
  double min_cleanable_dirty_ratio = 0.5;
  bool log_append_time = false;                        ///< message.timestamp.type=LogAppendTime
  int64_t timestamp_before_max_ms = INT64_MAX;         ///< message.timestamp.before.max.ms
  int64_t timestamp_after_max_ms = 3'600'000;          ///< message.timestamp.after.max.ms
  std::optional<CompressionOptions> compression = {};  ///< none: batches stay as the producer sent them
  bool preallocate = false;                            ///< reserve segment_bytes on disk for a new segment
  int64_t flush_messages = INT64_MAX;                  ///< kPageCache: sync after this many records
  int64_t flush_ms = INT64_MAX;                        ///< kPageCache: sync what is older than this
  int64_t producer_expiration_ms = 86'400'000;         ///< producer.id.expiration.ms
  Durability durability = Durability::kGroupCommit;

  /// How long a segment may take records: compaction needs segments that have been rolled.
  int64_t segment_age_max_ms() const {
    return cleanup_compact ? std::min(segment_ms, std::max<int64_t>(max_compaction_lag_ms, 1)) : segment_ms;
  }
};

}  // namespace millrace
