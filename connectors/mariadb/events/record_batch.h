/// Records on their way to the worker, with the memory their content lives in. Threads: the task's.
#pragma once

#include <millrace/connector.hpp>

#include <string>
#include <string_view>
#include <vector>

#include "connectors/common/byte_arena.h"
#include "connectors/common/result.h"
#include "connectors/mariadb/events/event_writer.h"

namespace millrace::mariadb {

class RecordBatch {
 public:
  /// `most_records` and kMostBytes say when the batch is full; it takes more.
  RecordBatch(sdk::SourceContext& context, OffsetProvider& offsets, size_t most_records);

  connectors::ByteArena& arena() { return arena_; }
  size_t size() const { return records_.size(); }
  bool full() const { return records_.size() >= most_records_ || arena_.bytes() >= kMostBytes; }

  /// A new record with neither key, value nor headers; to be filled in before the next call.
  mr_record& add(std::string_view topic);
  /// The records from `first` on are those of one change: takes its source offset, the only one that counts if no other
  /// change follows.
  void close_change(size_t first);
  /// Emits everything; the last record alone carries an offset, as the worker takes an emit as a whole and keeps its
  /// last one. On failure all stays for another try.
  connectors::Status flush();

  /// A STRING whose text lives as long as the batch; null for an empty one. The same text as last time in this slot is
  /// kept once.
  struct Slot {
    std::string_view kept;
    uint64_t batch = 0;
  };
  mr_value keep(Slot& slot, std::string_view text);
  uint64_t number() const { return number_; }  ///< of this batch; from 1

  static constexpr size_t kMostBytes = size_t{4} << 20;

 private:
  sdk::SourceContext& context_;
  OffsetProvider& offsets_;
  size_t most_records_;
  uint64_t number_ = 1;
  connectors::ByteArena arena_;
  std::vector<mr_record> records_;
  connectors::ByteArena offset_arena_;  ///< of last_offset_ alone, so that offsets of thousands of rows take no room
  mr_value last_offset_{};              ///< of the change closed last
};

// ---- mr_value makers ------------------------------------------------------------------------------------------------

inline mr_value null_value() { return mr_value{}; }
inline mr_value text_value(std::string_view text) { return sdk::string_value(text); }
inline mr_value struct_value(const mr_value* items, size_t count) {
  mr_value value{};
  value.kind = MR_STRUCT;
  value.size = static_cast<uint32_t>(count);
  value.u.items = items;
  return value;
}
inline mr_value array_value(const mr_value* items, size_t count) {
  mr_value value = struct_value(items, count);
  value.kind = MR_ARRAY;
  return value;
}

/// Equal type and content, all the way down.
bool equal_values(const mr_value& a, const mr_value& b);

}  // namespace millrace::mariadb
