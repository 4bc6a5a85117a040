/// Walks the batches of a log file in order through one buffer, without trusting what it reads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/file_system.h"
#include "protocol/record_batch.h"

namespace millrace {

/// Threads: one. The file must outlive the scanner.
class BatchScanner {
 public:
  /// Reads `file` from `position` up to `end`.
  BatchScanner(const File& file, uint64_t position, uint64_t end) : file_(file), position_(position), end_(end) {}

  /// The next whole batch, valid until the next call; nothing at the end or where a batch passes it.
  /// Errors: kCorruption for a length that cannot be; kUnavailable from the file. Magic, CRC and records are not
  /// checked.
  Expected<std::optional<RecordBatchView>> next();
  /// Where the batch that next() returned starts.
  uint64_t position() const { return batch_position_; }
  /// Where the next batch starts: all before is whole batches.
  uint64_t next_position() const { return position_; }

 private:
  Status fill(size_t bytes);
  const File& file_;
  uint64_t position_;
  uint64_t end_;
  uint64_t batch_position_ = 0;
  std::string buffer_;
  size_t buffered_at_ = 0;  // of position_ in buffer_
};

}  // namespace millrace
