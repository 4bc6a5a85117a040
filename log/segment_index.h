/// The sparse indexes of one segment, held in memory and written to their files when the segment is rolled or closed;
/// after a crash they are rebuilt from the log. Formats: docs/formats/segment.md.
/// Threads: guarded by the log that owns the segment.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/error.h"

namespace millrace {

/// Last offset of a batch -> position of that batch.
class OffsetIndex {
 public:
  struct Entry {
    int32_t relative_offset;
    int32_t position;
  };
  static constexpr size_t kEntryBytes = 8;

  explicit OffsetIndex(int64_t base_offset) : base_offset_(base_offset) {}
  /// kCorruption when entries do not rise or lie beyond `log_bytes`.
  static Expected<OffsetIndex> decode(int64_t base_offset, BytesView bytes, uint64_t log_bytes);
  std::string encode() const;

  /// kCorruption unless `last_offset` is larger than all before.
  Status append(int64_t last_offset, uint64_t position);
  /// A position at or before the batch that holds `offset`.
  uint64_t lookup(int64_t offset) const;
  /// The last offset of the first indexed batch at or behind `position`; nothing when none is there.
  std::optional<int64_t> offset_at(uint64_t position) const;
  const std::vector<Entry>& entries() const { return entries_; }
  size_t size_bytes() const { return entries_.size() * kEntryBytes; }

 private:
  int64_t base_offset_;
  std::vector<Entry> entries_;
};

/// Largest timestamp so far -> last offset of the first batch that had it.
class TimeIndex {
 public:
  struct Entry {
    int64_t timestamp;
    int32_t relative_offset;
  };
  static constexpr size_t kEntryBytes = 12;

  explicit TimeIndex(int64_t base_offset) : base_offset_(base_offset) {}
  static Expected<TimeIndex> decode(int64_t base_offset, BytesView bytes);
  std::string encode() const;

  /// Adds an entry if `timestamp` is larger than the last entry's. kCorruption when offsets fall.
  Status append_if_later(int64_t timestamp, int64_t last_offset);
  /// An offset before which every record is older than `timestamp`.
  int64_t lookup(int64_t timestamp) const;
  const std::vector<Entry>& entries() const { return entries_; }
  size_t size_bytes() const { return entries_.size() * kEntryBytes; }

 private:
  int64_t base_offset_;
  std::vector<Entry> entries_;
};

/// A transaction that ended with an abort marker in this segment.
struct AbortedTransaction {
  static constexpr size_t kBytes = 34;
  int64_t producer_id;
  int64_t first_offset;
  int64_t last_offset;         ///< of the marker
  int64_t last_stable_offset;  ///< when the marker was written

  static std::string encode(const std::vector<AbortedTransaction>& transactions);
  static Expected<std::vector<AbortedTransaction>> decode(BytesView bytes);
};

}  // namespace millrace
