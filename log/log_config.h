/// What a topic's configuration means to its partition logs. Names and defaults are Kafka's topic configs.
#pragma once

#include <cstdint>

namespace millrace {

/// When an append counts as acknowledged.
enum class Durability {
  kGroupCommit,  ///< after an fdatasync shared with all partitions that are dirty at that moment
  kPageCache,    ///< at once: survives the death of the process, not of the machine (Kafka's default)
};

struct LogConfig {
  int64_t segment_bytes = 1 << 30;
  int64_t segment_ms = 604'800'000;
  int64_t segment_index_bytes = 10 << 20;
  int64_t index_interval_bytes = 4096;
  int64_t message_bytes_max = 1'048'588;
  int64_t retention_ms = 604'800'000;  ///< -1 = keep
  int64_t retention_bytes = -1;        ///< -1 = keep
  bool cleanup_delete = true;          ///< cleanup.policy holds "delete"
  bool cleanup_compact = false;        ///< cleanup.policy holds "compact"
  bool log_append_time = false;        ///< message.timestamp.type=LogAppendTime
  Durability durability = Durability::kGroupCommit;
};

}  // namespace millrace
