#include "connectors/mariadb/events/record_batch.h"

#include <cstring>

namespace millrace::mariadb {
namespace {

bool is_text(const mr_value& value) {
  return value.kind == MR_STRING || value.kind == MR_BYTES || value.kind == MR_DECIMAL;
}
bool is_list(const mr_value& value) {
  return value.kind == MR_ARRAY || value.kind == MR_MAP || value.kind == MR_STRUCT;
}

}  // namespace

RecordBatch::RecordBatch(sdk::SourceContext& context, OffsetProvider& offsets, size_t most_records)
    : context_(context), offsets_(offsets), most_records_(most_records) {
  records_.reserve(most_records + 2);
}

mr_record& RecordBatch::add(std::string_view topic) {
  mr_record& record = records_.emplace_back();  // zeroed
  record.topic = sdk::to_mr(topic);
  record.partition = MR_NO_PARTITION;
  record.timestamp_ms = MR_NO_TIMESTAMP;
  return record;
}

void RecordBatch::close_change(size_t first) {
  if (first == records_.size()) return;
  offset_arena_.clear();
  last_offset_ = offsets_.offset(offset_arena_);
  const mr_value partition = offsets_.partition();
  for (size_t i = first; i < records_.size(); ++i) records_[i].source_partition = partition;
}

connectors::Status RecordBatch::flush() {
  if (records_.empty()) return sdk::ok();
  mr_value& offset = records_.back().source_offset;
  offset = last_offset_;
  if (sdk::Status s = context_.emit(std::span<const mr_record>(records_)); !s.ok()) {
    offset = mr_value{};  // more records may follow before the next try
    return s;
  }
  records_.clear();
  arena_.clear();
  ++number_;
  return sdk::ok();
}

mr_value RecordBatch::keep(Slot& slot, std::string_view text) {
  if (text.empty()) return null_value();
  if (slot.batch != number_ || slot.kept != text) {
    slot.kept = arena_.copy(text);
    slot.batch = number_;
  }
  return text_value(slot.kept);
}

bool equal_values(const mr_value& a, const mr_value& b) {
  if (a.kind != b.kind) return false;
  if (is_text(a)) return a.scale == b.scale && a.size == b.size && std::memcmp(a.u.bytes, b.u.bytes, a.size) == 0;
  if (is_list(a)) {
    if (a.size != b.size) return false;
    const size_t count = a.kind == MR_MAP ? size_t{2} * a.size : a.size;
    for (size_t i = 0; i < count; ++i) {
      if (!equal_values(a.u.items[i], b.u.items[i])) return false;
    }
    return true;
  }
  // The bits of numbers: a NaN equals itself, as for Java's Double.
  return a.kind == MR_NULL || a.u.i64 == b.u.i64;
}

}  // namespace millrace::mariadb
