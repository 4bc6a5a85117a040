/// The source block of events: what stays the same for a table is laid out once, the rest is written per row.
#pragma once

#include <optional>
#include <string>

#include "connectors/mariadb/events/event_options.h"
#include "connectors/mariadb/events/record_batch.h"

namespace millrace::mariadb {

/// The texts of a SourceInfo in the memory of the batch.
class SourceTexts {
 public:
  void set(RecordBatch& batch, const SourceInfo& info);
  mr_value gtid{}, file{}, query{};

 private:
  RecordBatch::Slot gtid_slot_, file_slot_, query_slot_;
  const char* query_seen_ = nullptr;
  size_t query_size_ = 0;
  uint64_t position_ = 0, batch_ = 0;
  int32_t row_ = 0;
};

class SourceBlock {
 public:
  static constexpr size_t kFields = 17;

  /// Texts of `options`, `database` and `table` are borrowed.
  SourceBlock(const EventOptions& options, std::string_view database, std::optional<std::string_view> table);
  /// Fills kFields values at `out`.
  void write(mr_value* out, const SourceInfo& info, const SourceTexts& texts) const;

 private:
  mr_value fields_[kFields];
};

}  // namespace millrace::mariadb
